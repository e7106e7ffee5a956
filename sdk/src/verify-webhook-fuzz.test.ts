import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { signDelivery, signedAt, signWebhook, testKeyPair } from '../test/sign-webhook.ts'
import { verifyWebhook, type WebhookFormatName } from './verify-webhook.ts'
import { createHeaderReader, type WebhookHeaders } from './webhook-headers.ts'
import { WebhookVerificationError } from './webhook-verification-error.ts'

// fast-check prints the seed and the smallest failing case when a property fails.

const headerNames = {
  standard: ['webhook-id', 'webhook-timestamp', 'webhook-signature', 'webhook-secret-ids'],
  mobilerun: ['webhook-id', 'webhook-timestamp', 'webhook-signature'],
  composio: ['webhook-id', 'webhook-timestamp', 'webhook-signature'],
  'h-company': ['x-h-webhook-timestamp', 'x-h-webhook-signature'],
  devtune: ['x-devtune-signature'],
  dinie: ['webhook-id', 'webhook-timestamp', 'webhook-signature'],
  stripe: ['stripe-signature'],
  github: ['x-hub-signature-256', 'x-github-event', 'x-github-delivery'],
} satisfies Record<WebhookFormatName, string[]>
/** Whoever changes these changes nothing that was signed. */
const unsignedHeaders = ['webhook-secret-ids', 'x-github-event', 'x-github-delivery']
const allFormats = Object.keys(headerNames) as WebhookFormatName[]

const format = fc.constantFrom(...allFormats)
const secret = fc
  .uint8Array({ minLength: 24, maxLength: 64 })
  .map((bytes) => `whsec_${Buffer.from(bytes).toString('base64')}`)
const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)
const seconds = signedAt.getTime() / 1_000
/** JSON texts of objects: every format can carry them. */
const data = fc.dictionary(fc.string(), fc.jsonValue()).map((object) => JSON.stringify(object))

/** Values that come close to good ones, and values that are nothing at all. */
const headerValue = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.stringMatching(/^[0-9]{1,20}$/),
  fc.constant(String(seconds)),
  fc.stringMatching(/^v1a?,[A-Za-z0-9+/]{43}=( v1,[A-Za-z0-9+/]{43}=){0,3}$/),
  fc.stringMatching(/^(sha256=)?[0-9a-f]{64}$/),
  fc.stringMatching(/^(,v[01]=[0-9a-f]{64}){0,3}$/).map((entries) => `t=${seconds}${entries}`),
  fc.array(fc.string({ maxLength: 10 }), { maxLength: 3 }),
  fc.anything({ maxDepth: 1 }),
)
const anyHeaderName = fc.oneof(
  fc.constantFrom(...new Set(Object.values(headerNames).flat())),
  fc.string({ maxLength: 20 }),
)
function hostileHeaders(names: readonly string[]) {
  return fc.oneof(
    fc.dictionary(anyHeaderName, headerValue, { maxKeys: 6 }),
    fc.record(Object.fromEntries(names.map((name) => [name, headerValue])), { requiredKeys: [] }),
    fc.array(fc.oneof(fc.tuple(anyHeaderName, headerValue), fc.anything({ maxDepth: 1 }))),
    fc.anything(),
  )
}
const hostileRequest = format.chain((chosen) =>
  fc.tuple(fc.constant(chosen), hostileHeaders(headerNames[chosen])),
)
const hostileBody = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.json(),
  fc.uint8Array({ maxLength: 200 }),
  fc.anything(),
)

async function verdict(
  body: unknown,
  headers: unknown,
  secrets: string | string[],
  chosen: WebhookFormatName = 'standard',
) {
  try {
    const options = { now: signedAt, format: chosen }
    await verifyWebhook(body as string, headers as WebhookHeaders, secrets, options)
    return 'accepted'
  } catch (error) {
    assert.ok(error instanceof WebhookVerificationError, `threw ${String(error)}`)
    return error.code
  }
}

test('never accepts hostile headers and bodies, and never throws another error', async () => {
  await fc.assert(
    fc.asyncProperty(hostileBody, hostileRequest, secret, async (body, [chosen, headers], key) => {
      assert.notEqual(await verdict(body, headers, key, chosen), 'accepted')
    }),
    { numRuns: 4_000 },
  )
})

test('never accepts a delivery of which one signed header was replaced', async () => {
  const nameOf = (chosen: WebhookFormatName) =>
    fc.constantFrom(...headerNames[chosen].filter((name) => !unsignedHeaders.includes(name)))
  const target = format.chain((chosen) => fc.tuple(fc.constant(chosen), nameOf(chosen)))
  await fc.assert(
    fc.asyncProperty(
      data,
      secret,
      target,
      headerValue,
      async (text, key, [chosen, name], value) => {
        const { body, headers } = signDelivery({
          format: chosen,
          data: text,
          secrets: [key],
        })
        const changed = { ...headers, [name]: value } as WebhookHeaders
        fc.pre(createHeaderReader(changed)(name) !== headers[name])
        assert.notEqual(await verdict(body, changed, key, chosen), 'accepted')
      },
    ),
    { numRuns: 1_500 },
  )
})

test('never accepts an Ed25519 delivery of which one bit was flipped', async () => {
  const { secret: privateKey, publicKey } = testKeyPair('fuzz')
  await fc.assert(
    fc.asyncProperty(data, fc.nat(), fc.nat(7), async (text, at, bit) => {
      const headers = signWebhook({ body: text, secrets: [privateKey] })
      assert.equal(await verdict(text, headers, publicKey), 'accepted')
      const flippedBody = flip(Buffer.from(text), at, bit)
      assert.equal(await verdict(flippedBody, headers, publicKey), 'no_match')
      const signature = Buffer.from(String(headers['webhook-signature']).slice(4), 'base64')
      const flipped = `v1a,${flip(signature, at, bit).toString('base64')}`
      const changed = { ...headers, 'webhook-signature': flipped }
      assert.equal(await verdict(text, changed, publicKey), 'no_match')
    }),
    { numRuns: 300 },
  )
})

test('never accepts a body or a signature of which one bit was flipped', async () => {
  await fc.assert(
    fc.asyncProperty(
      format,
      data,
      secret,
      fc.nat(),
      fc.nat(7),
      async (chosen, text, key, at, bit) => {
        const { body, headers } = signDelivery({ format: chosen, data: text, secrets: [key] })
        const flippedBody = flip(Buffer.from(body), at, bit)
        assert.equal(await verdict(flippedBody, headers, key, chosen), 'no_match')

        const name = String(headerNames[chosen].find((each) => each.includes('signature')))
        const value = String(headers[name])
        const macAt = value.search(/(?:[0-9a-f]{64}|[A-Za-z0-9+/]{43}=)$/)
        const encoding = value.endsWith('=') ? 'base64' : 'hex'
        const mac = flip(Buffer.from(value.slice(macAt), encoding), at, bit)
        const changed = { ...headers, [name]: value.slice(0, macAt) + mac.toString(encoding) }
        assert.equal(await verdict(body, changed, key, chosen), 'no_match')
      },
    ),
    { numRuns: 800 },
  )
})

test('accepts what was signed, with any data, in every format', async () => {
  await fc.assert(
    fc.asyncProperty(format, data, secret, async (chosen, text, key) => {
      const { body, headers } = signDelivery({ format: chosen, data: text, secrets: [key] })
      const options = { now: signedAt, format: chosen }
      const told = await verifyWebhook(body, headers, [key], options)
      assert.deepEqual(told.data, JSON.parse(text))
    }),
    { numRuns: 800 },
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
