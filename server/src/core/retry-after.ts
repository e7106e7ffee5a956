/** The longest that a receiver can put us off (delivery.md, Retry). */
export const RETRY_AFTER_MAX_MS = 24 * 3_600_000

/** What an answer asks for: only 429 and 503 can ask. Null where it does not, or not in a valid way. */
export function retryAfterOf(
  statusCode: number,
  headerValue: string | undefined,
  now: number,
): number | null {
  return statusCode === 429 || statusCode === 503 ? parseRetryAfter(headerValue, now) : null
}

/**
 * Milliseconds from `now` that a `Retry-After` header asks to wait: whole seconds, or a date in one of
 * the three forms of RFC 9110 section 5.6.7. From 0 (a date gone by) to 24 h; null for anything else.
 */
export function parseRetryAfter(value: string | undefined, now: number): number | null {
  const text = value?.trim() ?? ''
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, RETRY_AFTER_MAX_MS)
  const date = parseHttpDate(text, now)
  return date === null ? null : Math.min(Math.max(date - now, 0), RETRY_AFTER_MAX_MS)
}

/**
 * Not `Date.parse`: that takes much that is no HTTP date, and reads the form without a zone in the
 * machine's own.
 */
function parseHttpDate(text: string, now: number): number | null {
  const match = IMF_FIXDATE.exec(text) ?? RFC_850_DATE.exec(text) ?? ASCTIME_DATE.exec(text)
  if (!match?.groups) return null
  const { day, month, year = '', hour, minute, second } = match.groups
  const monthIndex = MONTHS.indexOf(month?.toLowerCase() ?? '')
  if (monthIndex < 0 || Number(day) < 1 || Number(day) > 31) return null
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null
  const inYear = (fullYear: number) =>
    Date.UTC(fullYear, monthIndex, Number(day), Number(hour), Number(minute), Number(second))
  if (year.length === 4) return inYear(Number(year))
  // Two digits: RFC 9110 takes a date more than 50 years ahead as one of the century before.
  const date = inYear(2000 + Number(year))
  return date > now + FIFTY_YEARS_MS ? inYear(1900 + Number(year)) : date
}

const TIME = String.raw`(?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2})`

/** `Sun, 06 Nov 1994 08:49:37 GMT` */
const IMF_FIXDATE = new RegExp(
  String.raw`^[a-z]{3}, (?<day>\d{2}) (?<month>[a-z]{3}) (?<year>\d{4}) ${TIME} GMT$`,
  'i',
)

/** `Sunday, 06-Nov-94 08:49:37 GMT` */
const RFC_850_DATE = new RegExp(
  String.raw`^[a-z]{6,9}, (?<day>\d{2})-(?<month>[a-z]{3})-(?<year>\d{2}) ${TIME} GMT$`,
  'i',
)

/** `Sun Nov  6 08:49:37 1994`, always in UTC */
const ASCTIME_DATE = new RegExp(
  String.raw`^[a-z]{3} (?<month>[a-z]{3}) (?<day>[ \d]\d) ${TIME} (?<year>\d{4})$`,
  'i',
)

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

const FIFTY_YEARS_MS = 50 * 365.25 * 86_400_000
