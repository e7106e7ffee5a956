import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'

/**
 * Project, endpoint, event, delivery, attempt, secret, rotation, key, campaign, audit row, portal
 * session.
 */
export const idPrefixes = [
  'prj',
  'ep',
  'evt',
  'dlv',
  'att',
  'sec',
  'rot',
  'key',
  'cmp',
  'aud',
  'pts',
] as const

export type IdPrefix = (typeof idPrefixes)[number]

/**
 * Makes ids: prefix, `_`, and a UUIDv7 (RFC 9562) in 32 hex digits. The UUIDs of one factory strictly
 * increase, also when the clock stands still or steps back: the 12 bits after the time count up, and
 * when they are used up, the time in the id runs ahead of the clock. 62 bits of each are random.
 */
export function createIdFactory(sources: {
  now: () => number
  randomBytes: (size: number) => Uint8Array
}): (prefix: IdPrefix) => string {
  let random = sources.randomBytes(RANDOM_BLOCK_BYTES)
  let used = 0
  let time = 0
  let counter = 0
  // One buffer for all ids: the text is copied out of it, whole, in one step. The time in it is
  // written when it changes, so the UUID has its fixed place, and the prefix ends before it.
  const line = Buffer.alloc(ID_LENGTH_MAX, '0', 'latin1')
  line[UUID_AT - 1] = UNDERSCORE

  return (prefix) => {
    if (used + RANDOM_BYTES_PER_ID > random.length) {
      random = sources.randomBytes(RANDOM_BLOCK_BYTES)
      used = 0
    }
    const now = sources.now()
    counter += 1
    if (now > time || counter > COUNTER_MAX) {
      time = Math.max(now, time + 1)
      // Begins in the lower half at random, so at least half of the counter is left to count.
      counter = (((random[used] ?? 0) << 8) | (random[used + 1] ?? 0)) & COUNTER_START_MASK
      writeHex(line, UUID_AT, Math.floor(time / 2 ** 24), 6)
      writeHex(line, UUID_AT + 6, time % 2 ** 24, 6)
    }
    const start = UUID_AT - 1 - prefix.length
    for (let index = 0; index < prefix.length; index += 1) {
      line[start + index] = prefix.charCodeAt(index)
    }
    let at = writeHex(line, UUID_AT + 12, VERSION_7 | counter, 4)
    at = writeHex(line, at, VARIANT | ((random[used + 2] ?? 0) & VARIANT_MASK), 2)
    for (let index = used + 3; index < used + RANDOM_BYTES_PER_ID; index += 1) {
      at = writeHex(line, at, random[index] ?? 0, 2)
    }
    used += RANDOM_BYTES_PER_ID
    return line.toString('latin1', start)
  }
}

/** Whether `text` has the form of an id with this prefix. Says nothing about whether it exists. */
export function isId(prefix: IdPrefix, text: string): boolean {
  return (
    text.length === prefix.length + 1 + UUID_DIGITS && text.startsWith(prefix) && ID_TAIL.test(text)
  )
}

/**
 * Whether a reader could take `text` for one of our ids: it begins like one, capitals included. A `uid` must not: paths
 * take either.
 */
export function looksLikeId(text: string): boolean {
  return LIKE_AN_ID.test(text)
}

/** The UUID in an id, in its usual form with hyphens. */
export function uuidOf(id: string): string {
  const digits = id.slice(id.indexOf('_') + 1)
  assert(digits.length === UUID_DIGITS, 'not an id')
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(12, 16),
    digits.slice(16, 20),
    digits.slice(20),
  ].join('-')
}

/** The id with this UUID, capitals allowed; null when `uuid` is not one. */
export function idOfUuid(prefix: IdPrefix, uuid: string): string | null {
  return UUID.test(uuid) ? `${prefix}_${uuid.replaceAll('-', '').toLowerCase()}` : null
}

function writeHex(line: Uint8Array, at: number, value: number, digits: number): number {
  for (let place = digits - 1, rest = value; place >= 0; place -= 1, rest >>>= 4) {
    line[at + place] = HEX_DIGITS[rest & 0xf] ?? 0
  }
  return at + digits
}

const UUID_DIGITS = 32
const UUID_AT = 3 + 1
const ID_LENGTH_MAX = UUID_AT + UUID_DIGITS
/** Two for the counter's start, eight for the end of the UUID. */
const RANDOM_BYTES_PER_ID = 10
/** Asking for randomness costs about a microsecond whatever the size, so many ids share one call. */
const RANDOM_BLOCK_BYTES = 400 * RANDOM_BYTES_PER_ID
const COUNTER_MAX = 0xfff
const COUNTER_START_MASK = 0x7ff
const VERSION_7 = 0x7000
const VARIANT = 0x80
const VARIANT_MASK = 0x3f
const UNDERSCORE = 0x5f
const HEX_DIGITS = Buffer.from('0123456789abcdef', 'latin1')
const ID_TAIL = /_[0-9a-f]{32}$/
const LIKE_AN_ID = new RegExp(`^(?:${idPrefixes.join('|')})_`, 'i')
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i
