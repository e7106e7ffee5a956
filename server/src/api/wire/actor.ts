import { Type } from 'typebox'
import { nullable, oneOf } from './fields.ts'

export const ActorSchema = Type.Object(
  {
    type: oneOf(['root', 'key', 'portal', 'system']),
    id: nullable(Type.String()),
    name: nullable(Type.String()),
  },
  { $id: 'Actor', additionalProperties: false, description: 'Who did something.' },
)
