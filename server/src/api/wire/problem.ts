import { errorTable } from '../../core/errors.ts'
import { ref } from './fields.ts'
import { Type } from './type.ts'

export const FieldErrorSchema = Type.Object(
  {
    param: Type.String({ description: 'Path of the field, such as `event_types.2`.' }),
    detail: Type.String({ description: 'What would be right.' }),
    code: Type.String({ description: 'Machine-readable, such as `missing` or `unknown_field`.' }),
  },
  { $id: 'FieldError', additionalProperties: false, description: 'One field at fault.' },
)

/** The same in a problem and in one result of a batch. */
export const errorMembers = {
  code: Type.Unsafe<string>({
    type: 'string',
    enum: Object.keys(errorTable),
    description: 'Machine-readable; every code is explained at `/docs/errors`.',
  }),
  title: Type.String({ description: 'One sentence for the code.' }),
  detail: Type.String({ description: 'What happened this time.' }),
  param: Type.Optional(Type.String({ description: 'The field at fault, or the first of them.' })),
  errors: Type.Optional(
    Type.Array(ref(FieldErrorSchema), { description: 'Every field at fault, at once.' }),
  ),
}

export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: 'Address of the page section that explains the code.' }),
    status: Type.Integer(),
    instance: Type.String({ description: 'The request id, as in `X-Request-Id`.' }),
    ...errorMembers,
  },
  {
    $id: 'Problem',
    additionalProperties: true,
    description:
      'A problem document (RFC 9457). Some codes add members, such as `rotation_id` to `rotation_in_progress`.',
  },
)
