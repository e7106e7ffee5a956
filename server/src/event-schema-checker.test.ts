import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { createEventSchemaChecker } from './event-schema-checker.ts'

const order = JSON.stringify({
  type: 'object',
  required: ['id', 'total'],
  properties: {
    id: { type: 'string' },
    total: { type: 'integer', minimum: 0 },
    lines: { type: 'array', items: { type: 'object', additionalProperties: false } },
  },
})

describe('event schemas', () => {
  const passedMs = 0
  const checker = createEventSchemaChecker({ monotonic: () => passedMs, checkMs: 5_000 })
  after(() => checker.stop())

  test('data that fits has no errors, and data that does not names every place', async () => {
    assert.deepEqual(await checker.check(order, '{"id":"o1","total":3,"more":1}'), [])
    assert.deepEqual(await checker.check(order, '{"total":-1,"lines":[{},{"a/b":1}]}'), [
      { param: 'data.id', detail: "Must have required property 'id'.", code: 'schema_mismatch' },
      { param: 'data.total', detail: 'Must be >= 0.', code: 'schema_mismatch' },
      {
        param: 'data.lines.1.a/b',
        detail: 'Must NOT have additional properties.',
        code: 'schema_mismatch',
      },
    ])
  })

  test('what is no schema is told as a sentence', async () => {
    assert.equal(await checker.problemOf(order), null)
    assert.equal(
      await checker.problemOf('{"$schema":"http://json-schema.org/draft-07/schema#"}'),
      null,
    )
    for (const bad of [
      '[]',
      '"x"',
      '{"type":"nonsense"}',
      '{"$ref":"https://example.com/other.json"}',
      '{"pattern":"("}',
      '{"$async":true,"type":"object"}',
    ]) {
      assert.match((await checker.problemOf(bad)) ?? 'fine', /\.$/, bad)
    }
  })

  test("one schema's names are not another's", async () => {
    const named = '{"$id":"https://a.example/x","type":"object"}'
    assert.equal(await checker.problemOf(named), null)
    assert.equal(await checker.problemOf(`${named.slice(0, -1)},"title":"another"}`), null)
    assert.match((await checker.problemOf('{"$ref":"https://a.example/x"}')) ?? '', /resolve/)
  })
})

test('a check that would take for ever is ended, and the next one works', async () => {
  let passedMs = 0
  const checker = createEventSchemaChecker({ monotonic: () => passedMs, checkMs: 2_000 })
  try {
    const catastrophe = '{"properties":{"text":{"pattern":"^(a+)+$"}}}'
    const data = JSON.stringify({ text: `${'a'.repeat(60)}!` })
    const [slow] = await checker.check(catastrophe, data)
    assert.equal(slow?.code, 'schema_too_costly')
    const began = performance.now()
    assert.equal((await checker.check(catastrophe, '{}'))[0]?.code, 'schema_too_costly')
    assert.ok(performance.now() - began < 1_000, 'was not tried again')
    assert.deepEqual(await checker.check(order, '{"id":"o1","total":3}'), [])
    passedMs += 60_001
    assert.deepEqual(await checker.check(catastrophe, '{}'), [])
  } finally {
    await checker.stop()
  }
})

test('a schema that eats the memory costs its own check alone', async () => {
  const checker = createEventSchemaChecker({ monotonic: () => 0, checkMs: 20_000 })
  try {
    // Every error is kept until all are found.
    const hungry = JSON.stringify({ items: { allOf: Array(200).fill({ type: 'string' }) } })
    const data = JSON.stringify(Array(60_000).fill(1))
    const errors = await checker.check(hungry, data)
    assert.ok(errors.length > 0)
    assert.deepEqual(await checker.check(order, '{"id":"o1","total":3}'), [])
  } finally {
    await checker.stop()
  }
})
