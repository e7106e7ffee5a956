import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signWebhook, testKeyPair } from '../test/sign-webhook.ts'
import { createImportedKeys } from './imported-keys.ts'
import { KeySetError } from './key-set-address.ts'
import { createKeySets } from './key-sets.ts'
import { matchSignatures } from './match-signatures.ts'
import { standardFormat } from './standard-format.ts'
import { createHeaderReader } from './webhook-headers.ts'

const body = new TextEncoder().encode('{}')
const pairs = { old: testKeyPair('old'), new: testKeyPair('new') }
const held = [{ kind: 'followed', url: 'https://hooks.example.com/keys.json' }] as const

/** A receiver that follows a key set, whose content and time the test sets. */
function createReceiver() {
  let now = 0
  const receiver = {
    served: ['old'] as ('old' | 'new')[] | null,
    askedCount: 0,
    advance: (ms: number) => {
      now += ms
    },
    match: (signedWith: keyof typeof pairs) => {
      const headers = signWebhook({ body, secrets: [pairs[signedWith].secret] })
      const claim = standardFormat.readClaim(createHeaderReader(headers), body)
      return matchSignatures(claim, held, standardFormat, parts)
    },
  }
  const fetchSet = async () => {
    receiver.askedCount += 1
    if (receiver.served === null) return new Response('', { status: 502 })
    const keys = receiver.served.map((kid) => {
      return { kty: 'OKP', crv: 'Ed25519', kid, x: pairs[kid].x }
    })
    return new Response(JSON.stringify({ keys }))
  }
  const keySets = createKeySets({ setsMax: 8, now: () => now, fetch: fetchSet })
  const parts = { keys: createImportedKeys({ keysMax: 8 }), keySets }
  return receiver
}

test('a key that is published after the set was read is found by reading it again', async () => {
  const receiver = createReceiver()
  assert.equal((await receiver.match('old'))?.keyId, 'old')
  receiver.served = ['new', 'old']
  assert.equal(await receiver.match('new'), null, 'it was asked a moment ago')
  receiver.advance(10_000)
  assert.equal((await receiver.match('new'))?.keyId, 'new')
  assert.equal((await receiver.match('old'))?.keyId, 'old')
  assert.equal(receiver.askedCount, 2)
})

test('a flood of forged signatures makes one request in ten seconds', async () => {
  const receiver = createReceiver()
  await receiver.match('old')
  for (let n = 1; n <= 30; n += 1) {
    receiver.advance(1_000)
    assert.equal(await receiver.match('new'), null)
    assert.equal(receiver.askedCount, 1 + Math.floor(n / 10))
  }
})

test('a set that cannot be read is no verdict on the delivery', async () => {
  const receiver = createReceiver()
  receiver.served = null
  await assert.rejects(receiver.match('old'), KeySetError)
  receiver.served = ['old']
  await assert.rejects(receiver.match('old'), KeySetError)
  receiver.advance(10_000)
  assert.equal((await receiver.match('old'))?.keyId, 'old')
  receiver.served = null
  receiver.advance(20_000)
  // What is remembered still holds: the key is known not to be there.
  assert.equal(await receiver.match('new'), null)
})
