import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { signedAt, signWebhook } from '../test/sign-webhook.ts'
import { verifyWebhook } from './verify-webhook.ts'
import type { WebhookHeaders } from './webhook-headers.ts'
import { WebhookVerificationError } from './webhook-verification-error.ts'

// fast-check prints the seed and the smallest failing case when a property fails.

const headerNames = [
  'webhook-id',
  'webhook-timestamp',
  'webhook-signature',
  'webhook-secret-ids',
] as const
const secret = fc
  .uint8Array({ minLength: 24, maxLength: 64 })
  .map((bytes) => `whsec_${Buffer.from(bytes).toString('base64')}`)
const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)
const seconds = signedAt.getTime() / 1_000

/** Values that come close to good ones, and values that are nothing at all. */
const headerValue = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.stringMatching(/^[0-9]{1,20}$/),
  fc.constant(String(seconds)),
  fc.stringMatching(/^v1a?,[A-Za-z0-9+/]{43}=( v1,[A-Za-z0-9+/]{43}=){0,3}$/),
  fc.array(fc.string({ maxLength: 10 }), { maxLength: 3 }),
  fc.anything({ maxDepth: 1 }),
)
const headerName = fc.oneof(fc.constantFrom(...headerNames), fc.string({ maxLength: 20 }))
const hostileHeaders = fc.oneof(
  fc.dictionary(headerName, headerValue, { maxKeys: 6 }),
  fc.record(Object.fromEntries(headerNames.map((name) => [name, headerValue])), {
    requiredKeys: [],
  }),
  fc.array(fc.oneof(fc.tuple(headerName, headerValue), fc.anything({ maxDepth: 1 }))),
  fc.anything(),
)
const hostileBody = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.json(),
  fc.uint8Array({ maxLength: 200 }),
  fc.anything(),
)

async function verdict(body: unknown, headers: unknown, secrets: string | string[]) {
  try {
    await verifyWebhook(body as string, headers as WebhookHeaders, secrets, { now: signedAt })
    return 'accepted'
  } catch (error) {
    assert.ok(error instanceof WebhookVerificationError, `threw ${String(error)}`)
    return error.code
  }
}

test('never accepts hostile headers and bodies, and never throws another error', async () => {
  await fc.assert(
    fc.asyncProperty(hostileBody, hostileHeaders, secret, async (body, headers, key) => {
      assert.notEqual(await verdict(body, headers, key), 'accepted')
    }),
    { numRuns: 2_000 },
  )
})

test('never accepts a delivery of which one header was replaced', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.json(),
      secret,
      fc.constantFrom(...headerNames.slice(0, 3)),
      headerValue,
      async (body, key, name, value) => {
        const headers = signWebhook({ body, secrets: [key] })
        fc.pre(value !== headers[name] && String(value) !== headers[name])
        assert.notEqual(await verdict(body, { ...headers, [name]: value }, key), 'accepted')
      },
    ),
    { numRuns: 500 },
  )
})

test('never accepts a body or a signature of which one bit was flipped', async () => {
  await fc.assert(
    fc.asyncProperty(fc.json(), secret, fc.nat(), fc.nat(7), async (text, key, at, bit) => {
      const headers = signWebhook({ body: text, secrets: [key] })
      const body = flip(Buffer.from(text), at, bit)
      assert.equal(await verdict(body, headers, key), 'no_match')

      const signature = Buffer.from(String(headers['webhook-signature']).slice(3), 'base64')
      const flipped = `v1,${flip(signature, at, bit).toString('base64')}`
      const changed = { ...headers, 'webhook-signature': flipped }
      assert.equal(await verdict(text, changed, key), 'no_match')
    }),
    { numRuns: 300 },
  )
})

function flip(bytes: Buffer, at: number, bit: number): Buffer {
  const index = at % bytes.length
  bytes[index] = (bytes[index] ?? 0) ^ (1 << bit)
  return bytes
}

test('accepts exactly when the secrets of both sides have one in common', async () => {
  const pool = ['a', 'b', 'c', 'd'].map((name) => `whsec_${btoa(name.repeat(32))}`)
  const some = fc.subarray(pool, { minLength: 1 })
  await fc.assert(
    fc.asyncProperty(some, some, fc.json(), async (signing, known, body) => {
      const common = signing.filter((each) => known.includes(each))
      const secretIds = signing.map((each) => `sec_${pool.indexOf(each)}`)
      const headers = signWebhook({ body, secrets: signing, secretIds })
      if (common.length === 0) {
        assert.equal(await verdict(body, headers, known), 'no_match')
        return
      }
      const result = await verifyWebhook(body, headers, known, { now: signedAt })
      const newest = String(common[0])
      assert.equal(known[result.matchedSecretIndex], newest)
      assert.equal(result.matchedSecretId, `sec_${pool.indexOf(newest)}`)
    }),
    { numRuns: 200 },
  )
})

test('agrees with the standardwebhooks package on any delivery, both ways', async () => {
  await fc.assert(
    fc.asyncProperty(id, fc.json(), secret, async (webhookId, body, key) => {
      const now = new Date()
      const timestampSeconds = Math.floor(now.getTime() / 1_000)
      const ours = signWebhook({ id: webhookId, body, secrets: [key], timestampSeconds })
      const theirs = new Webhook(key).sign(webhookId, now, body)
      assert.equal(ours['webhook-signature'], theirs)
      const { payload } = await verifyWebhook(body, ours, key, { now })
      assert.deepEqual(payload, new Webhook(key).verify(body, ours))
    }),
    { numRuns: 200 },
  )
})
