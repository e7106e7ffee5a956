import { isReservedEventType } from './event-type.ts'

/**
 * Compiles an endpoint's `event_types` into a check for one event type.
 *
 * - An exact type matches itself; `prefix.*` matches every type below `prefix`, however deep, but
 *   not `prefix` itself; `*` and an empty list match all.
 * - Reserved types are matched only by an entry that names them, such as `endpoint.*` or
 *   `endpoint.secret.rotated`, never by `*` or an empty list (rotation.md section 8).
 *
 * A check costs one look-up for each word of the type, however many entries there are.
 */
export function compileFilter(eventTypes: readonly string[]): (type: string) => boolean {
  const matchesAll = eventTypes.length === 0 || eventTypes.includes('*')
  const exact = new Set<string>()
  const prefixes = new Set<string>()
  for (const entry of eventTypes) {
    if (entry.endsWith('.*')) prefixes.add(entry.slice(0, -2))
    else exact.add(entry)
  }
  const isNamed = (type: string) => exact.has(type) || isBelow(prefixes, type)
  if (matchesAll) return (type) => !isReservedEventType(type) || isNamed(type)
  return isNamed
}

/** Whether one of the prefixes is a proper beginning of `type`, in whole words. */
function isBelow(prefixes: ReadonlySet<string>, type: string): boolean {
  if (prefixes.size === 0) return false
  for (let dot = type.indexOf('.'); dot >= 0; dot = type.indexOf('.', dot + 1)) {
    if (prefixes.has(type.slice(0, dot))) return true
  }
  return false
}
