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
    assert.deepEqual(await checker.check('prj_1', order, '{"id":"o1","total":3,"more":1}'), [])
    assert.deepEqual(await checker.check('prj_1', order, '{"total":-1,"lines":[{},{"a/b":1}]}'), [
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
    assert.equal(await checker.problemOf('prj_1', order), null)
    assert.equal(
      await checker.problemOf('prj_1', '{"$schema":"http://json-schema.org/draft-07/schema#"}'),
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
      assert.match((await checker.problemOf('prj_1', bad)) ?? 'fine', /\.$/, bad)
    }
  })

  test("one schema's names are not another's", async () => {
    const named = '{"$id":"https://a.example/x","type":"object"}'
    assert.equal(await checker.problemOf('prj_1', named), null)
    assert.equal(await checker.problemOf('prj_1', `${named.slice(0, -1)},"title":"another"}`), null)
    assert.match(
      (await checker.problemOf('prj_1', '{"$ref":"https://a.example/x"}')) ?? '',
      /resolve/,
    )
  })
})

test('a check that would take for ever is ended, and the next one works', async () => {
  let passedMs = 0
  const checker = createEventSchemaChecker({ monotonic: () => passedMs, checkMs: 2_000 })
  try {
    const catastrophe = '{"properties":{"text":{"pattern":"^(a+)+$"}}}'
    const data = JSON.stringify({ text: `${'a'.repeat(60)}!` })
    const [slow] = await checker.check('prj_1', catastrophe, data)
    assert.equal(slow?.code, 'schema_too_costly')
    const began = performance.now()
    assert.equal((await checker.check('prj_1', catastrophe, '{}'))[0]?.code, 'schema_too_costly')
    assert.ok(performance.now() - began < 1_000, 'was not tried again')
    assert.deepEqual(await checker.check('prj_1', order, '{"id":"o1","total":3}'), [])
    passedMs += 60_001
    assert.deepEqual(await checker.check('prj_1', catastrophe, '{}'), [])
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
    const errors = await checker.check('prj_1', hungry, data)
    assert.ok(errors.length > 0)
    assert.deepEqual(await checker.check('prj_1', order, '{"id":"o1","total":3}'), [])
  } finally {
    await checker.stop()
  }
})

/** Checks that never end, each against a schema of its own. */
function endlessCheck(title: string): [schema: string, data: string] {
  const schema = { title, properties: { text: { pattern: '^(a+)+$' } } }
  return [JSON.stringify(schema), JSON.stringify({ text: `${'a'.repeat(60)}!` })]
}

test('what waits too long for its turn is refused as overload, and can be tried again', async () => {
  const checker = createEventSchemaChecker({
    ...{ monotonic: () => performance.now(), quickMs: 20, checkMs: 600, waitMs: 500 },
  })
  try {
    const titles = ['one', 'two', 'three', 'four']
    const checks = titles.map((title) => checker.check('prj_1', ...endlessCheck(title)))
    const outcomes = await Promise.allSettled(checks)
    const codes = outcomes.map((one) =>
      one.status === 'fulfilled' ? one.value[0]?.code : one.reason.code,
    )
    assert.deepEqual(codes, ['schema_too_costly', 'overloaded', 'overloaded', 'overloaded'])
    assert.deepEqual(await checker.check('prj_1', order, '{"id":"o1","total":3}'), [])
  } finally {
    await checker.stop()
  }
})

test('a project costs the others one quick check, whatever it sends', async () => {
  const checker = createEventSchemaChecker({ monotonic: () => performance.now(), waitMs: 60_000 })
  let endedCount = 0
  const endless = ['one', 'two', 'three'].map((title) =>
    checker
      .check('prj_slow', ...endlessCheck(title))
      .catch(() => [])
      .finally(() => {
        endedCount += 1
      }),
  )
  try {
    // Many of them one after the other, and not one of the slow ones has ended.
    for (let count = 0; count < 20; count += 1) {
      assert.deepEqual(await checker.check('prj_other', order, '{"id":"o1","total":3}'), [])
    }
    assert.equal(endedCount, 0)
  } finally {
    await checker.stop()
    await Promise.all(endless)
  }
})

test('a stop answers what still waits', async () => {
  const checker = createEventSchemaChecker({ monotonic: () => performance.now() })
  const waiting = ['one', 'two'].map((title) => checker.check('prj_1', ...endlessCheck(title)))
  await checker.stop()
  assert.equal((await Promise.allSettled(waiting)).length, 2)
})
