/** RFC 3339 in UTC with milliseconds; null for null. */
export function wireTime(at: number): string
export function wireTime(at: number | null): string | null
export function wireTime(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString()
}

/** Milliseconds since the epoch of an RFC 3339 time, rounded down; null for any other text. */
export function parseTime(text: string): number | null {
  const match = rfc3339.exec(text)
  if (match === null) return null
  const [, year, month, day] = match.map(Number)
  // Date.parse takes the 30th of February for the 2nd of March.
  if ((day ?? 0) > new Date(Date.UTC(year ?? 0, month ?? 0, 0)).getUTCDate()) return null
  const at = Date.parse(text.toUpperCase())
  return Number.isNaN(at) ? null : at
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

const rfc3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})$/
