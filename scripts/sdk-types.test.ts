import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sdkTypes } from './sdk-types.ts'

/** The text of the types of one schema, which one operation takes, answers, or both. */
function typesOf(schema: object, { isSent = false, isAnswered = true } = {}): string {
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } }
  const operation = {
    operationId: 'handleThing',
    ...(isSent ? { requestBody: { content } } : {}),
    responses: isAnswered ? { 200: { content } } : { 204: {} },
  }
  return sdkTypes({
    paths: { '/thing': { post: operation } },
    components: { schemas: { Thing: schema } },
  })
}

const time = { type: 'string', format: 'date-time' }

test('names members in camelCase, in the comments too', () => {
  const types = typesOf({
    type: 'object',
    required: ['created_at'],
    properties: {
      created_at: time,
      hint: { type: 'string', description: 'Not `created_at`, and not `a_code`.' },
    },
    additionalProperties: false,
  })
  assert.match(types, /^ {2}createdAt: string$/m)
  assert.match(types, /Not `createdAt`, and not `a_code`\. \*\/\n {2}hint\?: string$/m)
})

test('takes a Date, a fixed list and undefined where callers pass a value', () => {
  const properties = { at: time, list: { type: 'array', items: { type: 'string' } } }
  const schema = { type: 'object', properties, additionalProperties: false }
  const sent = typesOf(schema, { isSent: true, isAnswered: false })
  assert.match(sent, /at\?: string \| Date \| undefined/)
  assert.match(sent, /list\?: readonly string\[\] \| undefined/)
  const answered = typesOf(schema)
  assert.match(answered, /at\?: string$/m)
  assert.match(answered, /list\?: string\[\]$/m)
})

test('says what an operation answers', () => {
  const schema = {
    type: 'object',
    properties: { a: { type: 'integer' } },
    additionalProperties: false,
  }
  assert.match(typesOf(schema), /interface Answers \{\n {2}handleThing: Thing\n\}/)
  assert.match(typesOf(schema, { isAnswered: false }), /handleThing: void/)
})

test('turns values into types', () => {
  const cases: [object, string][] = [
    [{ type: ['string', 'null'], enum: ['a', 'b', null] }, "'a' | 'b' | null"],
    [{ anyOf: [{ $ref: '#/components/schemas/Thing' }, { type: 'null' }] }, 'Thing | null'],
    [{ type: 'array', items: { type: ['integer', 'null'] } }, '(number | null)[]'],
    [{ type: 'object', additionalProperties: true }, 'Record<string, unknown>'],
    [{ type: 'object', additionalProperties: { type: 'number' } }, 'Record<string, number>'],
    [{ type: 'string', const: 'ok' }, "'ok'"],
  ]
  for (const [value, type] of cases) {
    const schema = { type: 'object', properties: { a: value }, additionalProperties: false }
    assert.ok(typesOf(schema).includes(`  a?: ${type}\n`), type)
  }
})

test('refuses what it knows no type for, rather than to guess', () => {
  const refused = [{ oneOf: [] }, { type: 'date' }, { $ref: 'other.json' }, { not: {} }]
  for (const value of refused) {
    const schema = { type: 'object', properties: { a: value }, additionalProperties: false }
    assert.throws(() => typesOf(schema), /no type is known/)
  }
  const both = { type: 'object', properties: { at: time }, additionalProperties: false }
  assert.throws(() => typesOf(both, { isSent: true }), /is its time a Date/)
})
