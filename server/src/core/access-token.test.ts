import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { isAccessToken, readAccessToken, sealAccessToken } from './access-token.ts'
import { createSecretBox } from './secret-box.ts'

const box = createSecretBox({ masterKeys: [randomBytes(32)], randomBytes })
const content = { keyId: 'key_0123456789abcdef0123456789abcdef', expiresAt: 1_795_000_000_000 }

test('a token says again what it was made of', () => {
  const token = sealAccessToken(box, content)
  assert.match(token, /^dinie_at_[A-Za-z0-9_-]+$/)
  assert.ok(isAccessToken(token))
  assert.deepEqual(readAccessToken(box, token), content)
  assert.notEqual(sealAccessToken(box, content), token)
})

test('a token holds after a restart, and after a new master key came first', () => {
  const key = randomBytes(32)
  const token = sealAccessToken(createSecretBox({ masterKeys: [key], randomBytes }), content)
  const restarted = createSecretBox({ masterKeys: [key], randomBytes })
  assert.deepEqual(readAccessToken(restarted, token), content)
  const renewed = createSecretBox({ masterKeys: [randomBytes(32), key], randomBytes })
  assert.deepEqual(readAccessToken(renewed, token), content)
})

test('what was altered, cut, sealed elsewhere or for another use is no token', () => {
  const token = sealAccessToken(box, content)
  const other = createSecretBox({ masterKeys: [randomBytes(32)], randomBytes })
  const secret = Buffer.from(box.seal(JSON.stringify(['key_1', 9e12]), 'endpoint:secret'))
  for (const text of [
    '',
    'dinie_at_',
    token.slice('dinie_at_'.length),
    token.slice(0, -1),
    `${token}A`,
    `${token}==`,
    `${token.slice(0, 40)}${token[40] === 'A' ? 'B' : 'A'}${token.slice(41)}`,
    sealAccessToken(other, content),
    `dinie_at_${secret.toString('base64url')}`,
    `dinie_at_${'A'.repeat(100_000)}`,
  ]) {
    assert.equal(readAccessToken(box, text), null, text.slice(0, 60))
  }
})
