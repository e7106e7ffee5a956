import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SecretTimes } from '../core/secret.ts'
import type { SenderSecret } from './sender-messages.ts'
import { createSigning } from './signing.ts'

function secret(id: string, times: Partial<SecretTimes>): SenderSecret {
  return {
    id,
    algorithm: 'hmac-sha256',
    keyBytes: new Uint8Array(32),
    createdAt: 0,
    activatesAt: 0,
    expiresAt: null,
    revokedAt: null,
    expirySeenAt: null,
    ...times,
  }
}

function idsAt(signing: ReturnType<typeof createSigning>, now: number): string[] {
  return signing.keysAt(now).map(({ id }) => id)
}

test('the set changes at the very millisecond of an activation and of an expiry', () => {
  const secrets = [secret('a', { expiresAt: 300 }), secret('b', { activatesAt: 200 })]
  const signing = createSigning(secrets, new Set(), () => {})
  assert.deepEqual(idsAt(signing, 199), ['a'])
  assert.deepEqual(idsAt(signing, 200), ['b', 'a'])
  assert.deepEqual(idsAt(signing, 299), ['b', 'a'])
  assert.deepEqual(idsAt(signing, 300), ['b'])
})

test('a secret seen expired is reported once and stays expired when time goes back', () => {
  const reported: string[] = []
  const latched = new Set<string>()
  const secrets = () => [secret('a', { expiresAt: 300 }), secret('b', { activatesAt: 200 })]
  const signing = createSigning(secrets(), latched, (id) => reported.push(id))
  assert.deepEqual(idsAt(signing, 400), ['b'])
  assert.deepEqual(idsAt(signing, 250), ['b'])
  assert.deepEqual(idsAt(signing, 400), ['b'])
  assert.deepEqual(reported, ['a'])

  const relearned = createSigning(secrets(), latched, (id) => reported.push(id))
  assert.deepEqual(idsAt(relearned, 250), ['b'], 'also when the endpoint is learned anew')
})

test('a secret made to sign at once goes on signing when time goes back beyond its creation', () => {
  const born = { createdAt: 500, activatesAt: 500 }
  const signing = createSigning(
    [secret('a', { expiresAt: 900 }), secret('b', born)],
    new Set(),
    () => {},
  )
  assert.deepEqual(idsAt(signing, 600), ['b', 'a'])
  assert.deepEqual(idsAt(signing, 100), ['b', 'a'])
})

test('a staged secret does not sign before its time although time goes back and forth', () => {
  const signing = createSigning(
    [secret('a', {}), secret('b', { activatesAt: 500 })],
    new Set(),
    () => {},
  )
  assert.deepEqual(idsAt(signing, 600), ['b', 'a'])
  assert.deepEqual(idsAt(signing, 100), ['a'])
})
