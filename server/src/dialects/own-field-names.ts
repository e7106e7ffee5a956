import type { FieldError } from '../core/errors.ts'

/** Field errors under the names that an API has for our fields: `event_types.0` → `events.0`. */
export function ownFieldNames(
  errors: readonly FieldError[],
  names: Readonly<Record<string, string>>,
): FieldError[] {
  return errors.map((error) => {
    const [first = '', ...rest] = error.param.split('.')
    return { ...error, param: [names[first] ?? first, ...rest].join('.') }
  })
}
