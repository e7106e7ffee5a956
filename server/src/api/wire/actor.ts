import { nullable, oneOf } from './fields.ts'
import { Type } from './type.ts'

export const ActorSchema = Type.Object(
  {
    type: oneOf(['root', 'key', 'portal', 'system']),
    id: nullable(Type.String()),
    name: nullable(Type.String()),
  },
  { $id: 'Actor', additionalProperties: false, description: 'Who did something.' },
)
