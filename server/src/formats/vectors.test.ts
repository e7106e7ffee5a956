import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Vector, VectorFile } from '../../../scripts/webhook-vectors/vector.ts'
import type { Format } from './format.ts'
import { formats } from './registry.ts'
import { readSecretText } from './secret-text.ts'
import { standard } from './standard.ts'

// The vectors were made without our code; what we send must be these very bytes.

const folder = join(import.meta.dirname, '../../../sdk/vectors')

const cases = [
  ...Object.values(formats).map((format) => ({ name: format.name, format })),
  { name: 'standard-ed25519', format: standard },
]

for (const { name, format } of cases) {
  test(`${name}: sends the headers of its vectors byte for byte`, () => {
    const text = readFileSync(join(folder, `${name}.json`), 'utf8')
    const { vectors }: VectorFile = JSON.parse(text)
    const signed = vectors.filter(({ signed_with }) => signed_with !== undefined)
    assert.ok(signed.length >= 6)
    for (const vector of signed) {
      assert.deepEqual(headersOf(format, vector), vector.headers, vector.name)
    }
  })
}

function headersOf(format: Format, vector: Vector): Record<string, string> {
  const { signed_with: secrets = [], headers } = vector
  const secretIds = headers['webhook-secret-ids']?.split(',') ?? []
  return format.headers({
    eventId: vector.id ?? 'evt_none',
    eventType: headers['x-github-event'] ?? headers['x-devtune-event'] ?? 'order.paid',
    timestampSeconds: vector.timestamp ?? 0,
    attemptNumber: Number(headers['x-composio-delivery-attempt'] ?? 1),
    body: Buffer.from(vector.body),
    keys: secrets.map((secret, index) => {
      const algorithm = secret.startsWith('whsk_') ? 'ed25519' : 'hmac-sha256'
      const read = readSecretText(format, algorithm, secret)
      assert.ok('key' in read, `${format.name} takes the secret`)
      return { id: secretIds[index] ?? 'sec_none', ...read.key }
    }),
  })
}
