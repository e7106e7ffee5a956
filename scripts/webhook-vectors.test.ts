import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { VectorFile } from './webhook-vectors/vector.ts'
import { webhookVectorFiles } from './webhook-vectors.ts'

const folder = join(import.meta.dirname, '../sdk/vectors')
const files = webhookVectorFiles()

test('sdk/vectors holds what the script writes, and nothing else', () => {
  const present = readdirSync(folder).filter((name) => name.endsWith('.json'))
  assert.deepEqual(present.sort(), [...files.keys()].sort())
  for (const [name, text] of files) {
    const isUpToDate = readFileSync(join(folder, name), 'utf8') === text
    assert.ok(isUpToDate, `sdk/vectors/${name} drifted: run node scripts/webhook-vectors.ts`)
  }
})

test('writes the same bytes every time', () => {
  assert.deepEqual(webhookVectorFiles(), files)
})

test('every file has good and bad deliveries under names of their own', () => {
  for (const [name, text] of files) {
    const { vectors }: VectorFile = JSON.parse(text)
    assert.equal(new Set(vectors.map((vector) => vector.name)).size, vectors.length, name)
    const good = vectors.filter(({ expected }) => expected.valid)
    assert.ok(good.length >= 7, `${name} has ${good.length} good ones`)
    assert.ok(vectors.length - good.length >= 10, name)
  }
})

test('every secret says that it is none', () => {
  for (const text of files.values()) {
    const { vectors }: VectorFile = JSON.parse(text)
    const texts = vectors.flatMap(({ secrets, signed_with = [] }) => [...secrets, ...signed_with])
    // Public keys are no secrets; those that they belong to are among what was signed with.
    for (const secret of texts.filter((each) => !each.startsWith('whpk_'))) {
      const bare = secret.replace(/^whs(?:ec|k)_/, '')
      const readings = [
        bare.replaceAll('-', ' '),
        ...(['base64', 'hex'] as const).map((encoding) =>
          Buffer.from(bare, encoding).toString('latin1'),
        ),
      ]
      assert.ok(readings.some((reading) => reading.startsWith('countersign test vector')))
    }
  }
})
