import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeBody, encodeQuery, toCamelCase } from './camel-case.ts'
import { rawJson } from './raw-json.ts'

test('renames keys at every depth of an answer', () => {
  assert.deepEqual(
    toCamelCase({ created_at: 'x', actor: { last_used_at: null }, items: [{ is_test: true }, 1] }),
    { createdAt: 'x', actor: { lastUsedAt: null }, items: [{ isTest: true }, 1] },
  )
})

test('leaves the insides of free-form fields alone in answers', () => {
  const free = { user_id: 1, nested: { first_name: 'a' }, userId: 2 }
  assert.deepEqual(
    toCamelCase({ data: free, metadata: free, headers: { 'x-my_header': 'b' }, details: free }),
    { data: free, metadata: free, headers: { 'x-my_header': 'b' }, details: free },
  )
})

test('renames keys of a body and leaves the insides of free-form fields alone', () => {
  const free = { userId: 1, user_id: 2, nested: [{ firstName: 'a' }] }
  assert.deepEqual(
    JSON.parse(
      encodeBody({
        eventTypes: ['a'],
        settings: { retentionDays: 3 },
        metadata: free,
        headers: { 'X-CamelCase': 'b' },
        data: free,
      }),
    ),
    {
      event_types: ['a'],
      settings: { retention_days: 3 },
      metadata: free,
      headers: { 'X-CamelCase': 'b' },
      data: free,
    },
  )
})

test('writes dates as RFC 3339, keeps null and drops undefined', () => {
  assert.equal(
    encodeBody({ activateAt: new Date(0), uid: null, reason: undefined, list: [undefined] }),
    '{"activate_at":"1970-01-01T00:00:00.000Z","uid":null,"list":[null]}',
  )
})

test('writes raw JSON byte for byte', () => {
  const text = '{ "n": 90071992547409931, "n_2": 1.50 }'
  assert.equal(
    encodeBody({ events: [{ type: 'a', data: rawJson(text) }] }),
    `{"events":[{"type":"a","data":${text}}]}`,
  )
})

test('refuses raw JSON that is not one value, or is only a part of data', () => {
  assert.throws(() => rawJson('{}, "type": "other"'), TypeError)
  assert.throws(() => rawJson(''), TypeError)
  assert.throws(() => encodeBody({ data: { part: rawJson('1') } }), TypeError)
})

test('writes filters as a query', () => {
  assert.equal(
    encodeQuery({ eventType: 'a&b', since: new Date(0), limit: 5, cursor: undefined }),
    '?event_type=a%26b&since=1970-01-01T00%3A00%3A00.000Z&limit=5',
  )
  assert.equal(encodeQuery({ cursor: undefined }), '')
})

test('a body written in camelCase and read back is the same, for any values', () => {
  const name = fc.stringMatching(/^[a-z]{1,5}([A-Z][a-z0-9]{0,4}){0,3}$/)
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.jsonValue({ maxDepth: 0 }),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(name, tie('value'), { maxKeys: 4 }),
    ),
  }))
  fc.assert(
    fc.property(value, (given) => {
      assert.deepEqual(
        toCamelCase(JSON.parse(encodeBody(given))),
        JSON.parse(JSON.stringify(given)),
      )
    }),
  )
})

test('never renames inside of free-form fields, for any JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (free) => {
      const plain = JSON.parse(JSON.stringify(free))
      assert.deepEqual(JSON.parse(encodeBody({ data: free })), { data: plain })
      assert.deepEqual(toCamelCase({ metadata: plain }), { metadata: plain })
    }),
  )
})

test('takes every free-form field of the API for one', () => {
  const document = readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8')
  const free: string[] = []
  JSON.parse(document, (key, value) => {
    if (key === 'properties') free.push(...Object.keys(value).filter((name) => isFree(value[name])))
    return value
  })
  const names = new Set(free)
  assert.ok(names.size >= 5)
  for (const name of names) {
    const inside = { any_name: 1, anyName: 2 }
    assert.deepEqual(toCamelCase({ [name]: inside }), { [name]: inside })
    assert.deepEqual(JSON.parse(encodeBody({ [name]: inside })), { [name]: inside })
  }
})

function isFree(schema: { type?: unknown; properties?: object }): boolean {
  return [schema.type].flat().includes('object') && schema.properties === undefined
}
