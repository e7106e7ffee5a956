import { parseTime, timeText } from '../../core/time.ts'

export { parseTime }

/** RFC 3339 in UTC with milliseconds; null for null. */
export function wireTime(at: number): string
export function wireTime(at: number | null): string | null
export function wireTime(at: number | null): string | null {
  return at === null ? null : timeText(at)
}

/** The same for a time that a schema has checked already, and undefined for one that is absent. */
export function checkedTime(text: string): number
export function checkedTime(text: string | undefined): number | undefined
export function checkedTime(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const at = parseTime(text)
  if (at === null) throw new Error('A time passed the schema that cannot be read.')
  return at
}
