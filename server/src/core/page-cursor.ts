import { Buffer } from 'node:buffer'

/** Longer than any sort key of ours, so that a hostile cursor costs nothing. */
export const CURSOR_LENGTH_MAX = 1024

/**
 * The cursor that continues a list after the item with this sort key. Opaque to callers: base64url,
 * so that it stands in a URL as it is.
 */
export function encodeCursor(sortKey: string): string {
  return Buffer.from(VERSION + sortKey, 'utf8').toString('base64url')
}

/**
 * The sort key in a cursor; null for a text that `encodeCursor` did not make. Not authenticated: a
 * caller can forge one, and gains nothing but another place in a list that they may read anyway.
 */
export function decodeCursor(cursor: string): string | null {
  if (cursor.length > CURSOR_LENGTH_MAX) return null
  const text = Buffer.from(cursor, 'base64url').toString('utf8')
  const sortKey = text.slice(VERSION.length)
  // No key of ours holds a zero character, and PostgreSQL would throw at it.
  if (sortKey.includes('\0')) return null
  // Buffer skips what is not base64 or UTF-8: only a text that encodes back to itself is ours.
  return text.startsWith(VERSION) && encodeCursor(sortKey) === cursor ? sortKey : null
}

/** Begins every cursor: tells ours from any other base64, and one form of key from the next. */
const VERSION = '1:'
