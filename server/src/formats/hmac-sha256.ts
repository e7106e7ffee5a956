import assert from 'node:assert/strict'
import { createHmac, hash } from 'node:crypto'
import type { SigningKey } from './format.ts'

/** HMAC-SHA256 over `head` and the body behind it, as text. */
export function hmacSha256(
  key: SigningKey,
  head: string,
  body: Uint8Array,
  encoding: 'base64' | 'hex',
): string {
  assert(key.algorithm === 'hmac-sha256', 'the format takes no other secrets')
  const { keyBytes } = key
  const length = BLOCK_BYTES + Buffer.byteLength(head) + body.length
  if (length > inner.length || keyBytes.length > BLOCK_BYTES) {
    return createHmac('sha256', keyBytes).update(head).update(body).digest(encoding)
  }
  // RFC 2104 as two hashes of bytes that lie together. An Hmac object costs more than the hashing of
  // a short body: with one, 1 KB was measured at 5.7 µs, without at 4.5.
  writePad(inner, keyBytes, 0x36)
  inner.write(head, BLOCK_BYTES)
  inner.set(body, length - body.length)
  writePad(outer, keyBytes, 0x5c)
  outer.write(hash('sha256', inner.subarray(0, length), 'latin1'), BLOCK_BYTES, 'latin1')
  return hash('sha256', outer, encoding)
}

const BLOCK_BYTES = 64
const HASH_BYTES = 32
/** Where what is signed is longer, an object costs little beside the hashing. */
const inner = Buffer.alloc(BLOCK_BYTES + 16 * 1024)
const outer = Buffer.alloc(BLOCK_BYTES + HASH_BYTES)

function writePad(target: Uint8Array, keyBytes: Uint8Array, pad: number): void {
  for (let at = 0; at < BLOCK_BYTES; at++) target[at] = (keyBytes[at] ?? 0) ^ pad
}
