import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import type { SigningKey } from './format.ts'

/** HMAC-SHA256 over `head` and the body behind it, as text. The body is shared, and never copied. */
export function hmacSha256(
  key: SigningKey,
  head: string,
  body: Uint8Array,
  encoding: 'base64' | 'hex',
): string {
  assert(key.algorithm === 'hmac-sha256', 'the format takes no other secrets')
  return createHmac('sha256', key.keyBytes).update(head).update(body).digest(encoding)
}
