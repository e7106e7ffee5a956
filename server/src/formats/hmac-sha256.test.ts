import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { hmacSha256 } from './hmac-sha256.ts'

const keyOf = (size: number) => ({
  id: 'sec_a',
  algorithm: 'hmac-sha256' as const,
  keyBytes: Buffer.from(Array.from({ length: size }, (_, index) => (index * 37 + 200) % 256)),
})

test('is what an Hmac object gives, for keys, heads and bodies of every size', () => {
  const room = 16 * 1024
  // Longer and shorter ones by turns, so that what one leaves behind would show in the next.
  const bodySizes = [0, 5_000, 1, 63, room - 20, room - 2, room - 1, room, 300_000, 64]
  for (const keySize of [65, 0, 64, 1, 24, 200, 32, 63]) {
    for (const head of ['', 'evt_1.1700000000.', 'ü€😀.']) {
      for (const size of bodySizes) {
        const key = keyOf(keySize)
        const body = new Uint8Array(size).map((_, index) => index % 251)
        for (const encoding of ['base64', 'hex'] as const) {
          const expected = createHmac('sha256', key.keyBytes).update(head).update(body)
          assert.equal(
            hmacSha256(key, head, body, encoding),
            expected.digest(encoding),
            `key of ${keySize}, head ${head}, body of ${size}`,
          )
        }
      }
    }
  }
})

test('takes no key of another kind', () => {
  const key = { id: 'sec_a', algorithm: 'ed25519', privateKey: {} } as unknown
  assert.throws(() => hmacSha256(key as never, '', Buffer.alloc(1), 'hex'), /no other secrets/)
})
