import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Composio } from '@composio/core'
import { Webhook } from 'standardwebhooks'
import type { Vector, VectorFile } from '../../scripts/webhook-vectors/vector.ts'
import { verifyWebhook, type WebhookFormatName } from './verify-webhook.ts'

const folder = join(import.meta.dirname, '../vectors')
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name): VectorFile => JSON.parse(readFileSync(join(folder, name), 'utf8')))
const fileOf = (format: string) => files.find((file) => file.format === format) as VectorFile

test('there are vectors for every format', () => {
  assert.deepEqual(files.map(({ format }) => format).sort(), [
    ...['composio', 'composio-v1', 'composio-v2', 'devtune', 'dinie', 'github', 'h-company'],
    ...['mobilerun', 'standard', 'standard-ed25519', 'stripe'],
  ])
})

for (const { format, vectors } of files) {
  test(`${format}: gives the verdict of every vector`, async () => {
    const name = (/^(composio|standard)-/.exec(format)?.[1] ?? format) as WebhookFormatName
    for (const vector of vectors) {
      const verdict = await verdictOf(name, vector)
      assert.deepEqual(verdict, { ...vector.expected, ...promised(vector) }, vector.name)
    }
  })
}

async function verdictOf(format: WebhookFormatName, { body, headers, secrets, now }: Vector) {
  const options = { format, now: new Date(now * 1_000) }
  return verifyWebhook(body, headers, secrets, options).then(
    ({ id, timestamp, matchedSecretIndex }) => ({
      valid: true,
      matched_secret_index: matchedSecretIndex,
      id,
      timestamp: timestamp && timestamp.getTime() / 1_000,
    }),
    ({ code }) => ({ valid: false, reason: code }),
  )
}

function promised({ expected, id, timestamp }: Vector) {
  return expected.valid ? { id, timestamp } : {}
}

for (const format of ['standard', 'mobilerun', 'dinie']) {
  test(`${format}: the standardwebhooks package says the same`, (t) => {
    for (const vector of fileOf(format).vectors) {
      t.mock.timers.enable({ apis: ['Date'], now: vector.now * 1_000 })
      const isAccepted = vector.secrets.some((secret) => {
        const isPlain = !secret.startsWith('whsec_')
        const webhook = new Webhook(secret, isPlain ? { format: 'raw' } : {})
        return !doesThrow(() => webhook.verify(vector.body, vector.headers))
      })
      t.mock.timers.reset()
      assert.equal(isAccepted, vector.expected.valid, vector.name)
    }
  })
}

// The package knows no `v1a` (1.1.1): it can only be asked about receivers that hold no public key.
test('standard-ed25519: the standardwebhooks package reads what is HMAC, and skips the rest', (t) => {
  const vectors = fileOf('standard-ed25519').vectors.filter(({ secrets }) =>
    secrets.every((secret) => secret.startsWith('whsec_')),
  )
  assert.deepEqual(
    vectors.map(({ expected }) => expected.valid),
    [true, false],
  )
  for (const { body, headers, secrets, expected, now, name } of vectors) {
    t.mock.timers.enable({ apis: ['Date'], now: now * 1_000 })
    const isAccepted = !doesThrow(() => new Webhook(String(secrets[0])).verify(body, headers))
    t.mock.timers.reset()
    assert.equal(isAccepted, expected.valid, name)
  }
})

for (const format of ['composio', 'composio-v2', 'composio-v1']) {
  test(`${format}: Composio's own SDK says the same`, async (t) => {
    const { triggers } = new Composio({ apiKey: 'none', allowTracking: false })
    for (const { body, headers, now, secrets, expected, name } of fileOf(format).vectors) {
      const parts = { body: Buffer.from(body), headers }
      t.mock.timers.enable({ apis: ['Date'], now: now * 1_000 })
      const verdicts = await Promise.all(
        secrets.map((verifySecret) =>
          triggers.parse(parts, { verifySecret }).then(
            () => true,
            () => false,
          ),
        ),
      )
      t.mock.timers.reset()
      assert.equal(verdicts.includes(true), expected.valid, name)
    }
  })
}

function doesThrow(run: () => unknown): boolean {
  try {
    run()
    return false
  } catch {
    return true
  }
}
