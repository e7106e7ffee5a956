const rfc3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})$/

let lastAt = Number.NaN
let lastText = ''

/**
 * RFC 3339 in UTC with milliseconds. Keeps the last one: events come several a millisecond, and to
 * write a time costs as much as to store a row.
 */
export function timeText(at: number): string {
  if (at !== lastAt) {
    lastText = new Date(at).toISOString()
    lastAt = at
  }
  return lastText
}

/** Milliseconds since the epoch of an RFC 3339 time, rounded down; null for any other text. */
export function parseTime(text: string): number | null {
  const match = rfc3339.exec(text)
  if (match === null) return null
  const [, year = 0, month = 0, day = 0, hour = 0] = match.map(Number)
  // Date.parse takes the 30th of February for the 2nd of March, and 24:00 for the next day.
  if (hour > 23 || day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return null
  const at = Date.parse(text.toUpperCase())
  return Number.isNaN(at) ? null : at
}
