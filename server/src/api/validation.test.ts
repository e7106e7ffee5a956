import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSchemaCompiler, mergeFieldErrors } from './validation.ts'
import { nullable, oneOf, ref } from './wire/fields.ts'
import { Type } from './wire/type.ts'

const Inner = Type.Object(
  { a: Type.Optional(Type.Integer({ minimum: 1 })) },
  { $id: 'Inner', additionalProperties: false },
)
const schemas = createSchemaCompiler({ Inner })

function problems(schema: Parameters<typeof schemas.forBody>[0], value: unknown) {
  return schemas
    .forBody(schema)(value)
    .map(({ param, detail }) => `${param}: ${detail}`)
}

test('finds nothing wrong with what fits, and changes nothing of it', () => {
  const schema = Type.Object({ n: Type.Integer(), inner: ref(Inner) })
  const value = { n: 1, inner: { a: 2 } }
  assert.deepEqual(problems(schema, value), [])
  assert.deepEqual(value, { n: 1, inner: { a: 2 } })
})

test('converts nothing in a body', () => {
  const schema = Type.Object({ n: Type.Integer(), b: Type.Boolean(), s: Type.String() })
  assert.deepEqual(problems(schema, { n: '1', b: 1, s: null }), [
    'n: Must be a whole number.',
    'b: Must be true or false.',
    's: Must be a string.',
  ])
})

test('says of nested fields where they are', () => {
  const schema = Type.Object({ list: Type.Array(ref(Inner)) })
  assert.deepEqual(problems(schema, { list: [{}, { a: 0, 'b/~c': 1 }, 1] }), [
    'list.1.b/~c: There is no such field.',
    'list.1.a: Must be at least 1.',
    'list.2: Must be an object.',
  ])
})

test('says one sentence of a field that may be null', () => {
  const schema = Type.Object({
    s: nullable(Type.String()),
    e: nullable(oneOf(['a', 'b'])),
  })
  assert.deepEqual(problems(schema, { s: null, e: null }), [])
  assert.deepEqual(problems(schema, { s: 1, e: 'c' }), [
    's: Must be a string or null.',
    'e: Must be one of: a, b, null.',
  ])
})

test('reads numbers out of query parameters', () => {
  const check = schemas.forQuery(Type.Object({ limit: Type.Integer() }))
  const query = { limit: '25' }
  assert.deepEqual(check(query), [])
  assert.deepEqual(query, { limit: 25 })
  assert.equal(check({ limit: '2.5' }).length, 1)
})

test('adds only what is new of a later check', () => {
  const first = [
    { param: 'headers', detail: 'x', code: 'wrong_type' },
    { param: 'event_types', detail: 'x', code: 'too_many' },
    { param: 'metadata.a', detail: 'x', code: 'wrong_type' },
  ]
  const second = ['headers', 'headers.a', 'headersize', 'event_types', 'event_types.3', 'metadata']
  assert.deepEqual(
    mergeFieldErrors(
      first,
      second.map((param) => ({ param, detail: 'y', code: 'y' })),
    )
      .slice(first.length)
      .map(({ param }) => param),
    ['headersize', 'event_types.3', 'metadata'],
  )
})
