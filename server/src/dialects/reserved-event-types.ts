import type { FieldError } from '../core/errors.ts'
import { isReservedEventType } from '../core/event-type.ts'

/**
 * A field error for each entry of `event_types` that names a reserved type, as `endpoint.*` does:
 * what the product says of itself is not among the events of another system. Looks at texts only;
 * entries of another type are a schema's finding.
 */
export function reservedTypeProblems(eventTypes: unknown): FieldError[] {
  if (!Array.isArray(eventTypes)) return []
  return eventTypes.flatMap((entry: unknown, index) =>
    typeof entry === 'string' && isReservedEventType(entry)
      ? [
          {
            param: `event_types.${index}`,
            detail: 'The prefixes endpoint. and countersign. are reserved.',
            code: 'reserved',
          },
        ]
      : [],
  )
}
