import { limits } from './limits.ts'

/** Dot-separated words of letters, digits, `_` and `-`, at most 256 characters (api.md, Resources). */
export function isEventType(text: string): boolean {
  return text.length <= limits.eventTypeLengthMax && EVENT_TYPE.test(text)
}

/**
 * Whether only the product itself may emit events of this type: refused at publish, and matched by
 * no filter but one that names it (rotation.md section 8).
 */
export function isReservedEventType(type: string): boolean {
  return reservedEventTypePrefixes.some((prefix) => type.startsWith(prefix))
}

/** An entry of an endpoint's `event_types`: an event type, `prefix.*`, or `*`. */
export function isEventFilter(text: string): boolean {
  if (text === '*') return true
  if (!text.endsWith('.*')) return isEventType(text)
  return text.length <= limits.eventTypeLengthMax && EVENT_TYPE.test(text.slice(0, -2))
}

export const reservedEventTypePrefixes = ['endpoint.', 'countersign.'] as const

/** Every word ends at a character that no word contains, so matching takes linear time. */
const EVENT_TYPE = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/
