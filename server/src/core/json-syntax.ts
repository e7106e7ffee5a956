/**
 * The grammar of RFC 8259, walked without building values: exactly what `JSON.parse` accepts, by
 * position. Every step takes a position and answers the position after what it has read.
 *
 * A step that fails notes why in the scan and answers -1, so the good path allocates nothing.
 */
export interface JsonScan {
  text: string
  /** Where the part of the text that is scanned ends. */
  end: number
  /** Why the scan failed: a sentence that quotes nothing of the text but a key, and a position. */
  detail: string
  position: number
}

export function beginScan(text: string, end: number): JsonScan {
  return { text, end, detail: '', position: 0 }
}

/**
 * Walks through the object at `at`; `visit` answers where the member's value ends, or -1. The key
 * comes unescaped, with the position of its quote.
 */
export function eachMember(
  scan: JsonScan,
  at: number,
  visit: (key: string, keyAt: number, valueAt: number) => number,
): number {
  const { text } = scan
  if (text.charCodeAt(at) !== OPEN_BRACE) return fail(scan, 'The value is not a JSON object.', at)
  let next = skipSpace(text, at + 1)
  if (text.charCodeAt(next) === CLOSE_BRACE) return next + 1
  for (;;) {
    const keyEnd = skipString(scan, next)
    const valueAt = keyEnd < 0 ? -1 : skipColon(scan, keyEnd)
    const valueEnd = valueAt < 0 ? -1 : visit(unescapeKey(text, next, keyEnd), next, valueAt)
    if (valueEnd < 0) return -1
    next = skipSpace(text, valueEnd)
    if (text.charCodeAt(next) === CLOSE_BRACE) return next + 1
    if (text.charCodeAt(next) !== COMMA) return failUnexpected(scan, next)
    next = skipSpace(text, next + 1)
  }
}

/** Walks through the array at `at`; `visit` answers where the element ends, or -1. */
export function eachElement(
  scan: JsonScan,
  at: number,
  visit: (elementAt: number) => number,
): number {
  const { text } = scan
  if (text.charCodeAt(at) !== OPEN_BRACKET) return fail(scan, 'The value is not a JSON array.', at)
  let next = skipSpace(text, at + 1)
  if (text.charCodeAt(next) === CLOSE_BRACKET) return next + 1
  for (;;) {
    const elementEnd = visit(next)
    if (elementEnd < 0) return -1
    next = skipSpace(text, elementEnd)
    if (text.charCodeAt(next) === CLOSE_BRACKET) return next + 1
    if (text.charCodeAt(next) !== COMMA) return failUnexpected(scan, next)
    next = skipSpace(text, next + 1)
  }
}

/**
 * Skips the value at `at`, whose containers may nest at most `depthMax` deep. No recursion: hostile
 * nesting costs no stack.
 */
export function skipValue(scan: JsonScan, at: number, depthMax: number): number {
  const { text } = scan
  // The closing characters of the containers around `closer`, outermost first.
  const outerClosers: number[] = []
  let closer = 0
  let next = at
  for (;;) {
    const code = text.charCodeAt(next)
    if (code === QUOTE) {
      next = skipString(scan, next)
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (outerClosers.length >= depthMax) return fail(scan, 'The text is nested too deep.', next)
      next = skipSpace(text, next + 1)
      if (text.charCodeAt(next) !== code + CLOSER_OFFSET) {
        outerClosers.push(closer)
        closer = code + CLOSER_OFFSET
        if (closer === CLOSE_BRACE) next = skipKey(scan, next)
        if (next < 0) return -1
        continue
      }
      next += 1
    } else {
      next = skipLiteral(scan, next, code)
    }
    if (next < 0) return -1
    // A value has ended: leave the containers that end with it, and go on to the next value.
    for (;;) {
      if (closer === 0) return next
      next = skipSpace(text, next)
      const after = text.charCodeAt(next)
      if (after === COMMA) break
      if (after !== closer) return failUnexpected(scan, next)
      closer = outerClosers.pop() ?? 0
      next += 1
    }
    next = skipSpace(text, next + 1)
    if (closer === CLOSE_BRACE) next = skipKey(scan, next)
    if (next < 0) return -1
  }
}

export function skipSpace(text: string, at: number): number {
  let next = at
  for (;;) {
    const code = text.charCodeAt(next)
    if (code !== SPACE && code !== LINE_FEED && code !== RETURN && code !== TAB) return next
    next += 1
  }
}

/** Whether nothing but space follows the value that ends at `valueEnd`; false when that is -1. */
export function isWhole(scan: JsonScan, valueEnd: number): boolean {
  if (valueEnd < 0) return false
  if (valueEnd === scan.end) return true
  // The walk looks beyond its part of the text only where that part is cut inside the value.
  const at = valueEnd > scan.end ? scan.end : skipSpace(scan.text, valueEnd)
  if (valueEnd < scan.end && at >= scan.end) return true
  failUnexpected(scan, at)
  return false
}

export function fail(scan: JsonScan, detail: string, position: number): -1 {
  scan.detail = detail
  scan.position = position
  return -1
}

function failUnexpected(scan: JsonScan, at: number): -1 {
  const isEnd = at >= scan.end
  return fail(
    scan,
    isEnd ? 'The text ends too early.' : 'The text has a character out of place.',
    at,
  )
}

/** From a key to where its value begins. */
function skipKey(scan: JsonScan, at: number): number {
  const keyEnd = skipString(scan, at)
  return keyEnd < 0 ? -1 : skipColon(scan, keyEnd)
}

function skipColon(scan: JsonScan, at: number): number {
  const colon = skipSpace(scan.text, at)
  if (scan.text.charCodeAt(colon) !== COLON) return failUnexpected(scan, colon)
  return skipSpace(scan.text, colon + 1)
}

function unescapeKey(text: string, start: number, end: number): string {
  const source = text.slice(start + 1, end - 1)
  return source.includes('\\') ? JSON.parse(`"${source}"`) : source
}

function skipString(scan: JsonScan, at: number): number {
  const { text } = scan
  if (text.charCodeAt(at) !== QUOTE) return failUnexpected(scan, at)
  let next = at + 1
  let plainCount = 0
  for (;;) {
    const code = text.charCodeAt(next)
    if (code === QUOTE) return next + 1
    if (code === BACKSLASH) {
      next = skipEscape(scan, next)
      if (next < 0) return -1
    } else if (code >= SPACE) {
      next += 1
      plainCount += 1
      if (plainCount % PLAIN_RUN_MIN === 0) next = skipPlain(text, next)
    } else {
      // A control character; or the end of the text, where charCodeAt answers NaN.
      return failUnexpected(scan, next)
    }
  }
}

/** A regular expression skips a character in half the time, but takes as long as 20 to begin. */
function skipPlain(text: string, at: number): number {
  PLAIN.lastIndex = at
  PLAIN.test(text)
  return PLAIN.lastIndex
}

function skipEscape(scan: JsonScan, at: number): number {
  const { text } = scan
  const code = text.charCodeAt(at + 1)
  if (code !== LETTER_U) {
    return ESCAPABLE.has(code) ? at + 2 : failUnexpected(scan, at + 1)
  }
  for (let next = at + 2; next < at + 6; next += 1) {
    if (!isHexDigit(text.charCodeAt(next))) return failUnexpected(scan, next)
  }
  return at + 6
}

function isHexDigit(code: number): boolean {
  if (code >= DIGIT_0 && code <= DIGIT_9) return true
  const lower = code | CASE_BIT
  return lower >= LETTER_A && lower <= LETTER_F
}

/** A number, `true`, `false` or `null`, whose first character is `code`. */
function skipLiteral(scan: JsonScan, at: number, code: number): number {
  const { text } = scan
  if (code === LETTER_T && text.startsWith('true', at)) return at + 4
  if (code === LETTER_F && text.startsWith('false', at)) return at + 5
  if (code === LETTER_N && text.startsWith('null', at)) return at + 4
  let next = code === MINUS ? at + 1 : at
  next = text.charCodeAt(next) === DIGIT_0 ? next + 1 : skipDigits(scan, next)
  if (next >= 0 && text.charCodeAt(next) === DOT) next = skipDigits(scan, next + 1)
  if (next >= 0 && (text.charCodeAt(next) | CASE_BIT) === LETTER_E) {
    const sign = text.charCodeAt(next + 1)
    next = skipDigits(scan, sign === PLUS || sign === MINUS ? next + 2 : next + 1)
  }
  return next
}

/** At least one digit. */
function skipDigits(scan: JsonScan, at: number): number {
  const { text } = scan
  let next = at
  for (;;) {
    const code = text.charCodeAt(next)
    if (!(code >= DIGIT_0 && code <= DIGIT_9)) break
    next += 1
  }
  return next === at ? failUnexpected(scan, at) : next
}

/** So many plain characters promise more of them. */
const PLAIN_RUN_MIN = 24
/** What stands in a string as it is. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: in JSON they must be escaped.
const PLAIN = /[^"\\\u0000-\u001f]*/y

const TAB = 0x09
const LINE_FEED = 0x0a
const RETURN = 0x0d
const SPACE = 0x20
const QUOTE = 0x22
const PLUS = 0x2b
const COMMA = 0x2c
const MINUS = 0x2d
const DOT = 0x2e
const DIGIT_0 = 0x30
const DIGIT_9 = 0x39
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const LETTER_A = 0x61
const LETTER_E = 0x65
const LETTER_F = 0x66
const LETTER_N = 0x6e
const LETTER_T = 0x74
const LETTER_U = 0x75
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
/** In ASCII both brackets close two characters further on. */
const CLOSER_OFFSET = 2
/** Turns an ASCII capital into its small letter. */
const CASE_BIT = 0x20
/** What may follow a backslash, beside `u`. */
const ESCAPABLE: ReadonlySet<number> = new Set([...'"\\/bfnrt'].map((c) => c.charCodeAt(0)))
