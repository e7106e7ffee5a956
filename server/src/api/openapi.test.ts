import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApi } from '../../test/support/test-api.ts'
import { components } from './components.ts'
import { openApiDocument } from './openapi.ts'
import { routes } from './routes.ts'
import { nameOf } from './wire/fields.ts'

const document = openApiDocument({ publicUrl: null })

const openPaths = [
  '/healthz',
  '/readyz',
  '/openapi.json',
  '/.well-known/webhooks/{endpoint}/keys.json',
  '/claim',
  '/v1/claims',
  '/v1/claims/dispute',
]

test('describes every route with a name, a summary, a tag, its key and its answers', () => {
  const names = new Set<string>()
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const { operationId, summary, tags, security, responses } = operation as Operation
      const what = `${method} ${path}`
      assert.match(operationId, /^[a-z][A-Za-z]+$/, what)
      assert.ok(!names.has(operationId), `${operationId} stands twice`)
      names.add(operationId)
      assert.match(summary, /^[A-Z].{5,}[^.]$/, what)
      assert.equal(tags.length, 1, what)
      assert.ok(
        document.tags.some(({ name }) => name === tags[0]),
        what,
      )
      const isOpen = openPaths.includes(path)
      assert.deepEqual(security, isOpen ? [] : [{ key: [] }], what)
      assert.ok(
        Object.keys(responses).some((status) => status.startsWith('2')),
        what,
      )
      for (const { description } of Object.values(responses)) assert.ok(description, what)
    }
  }
  assert.equal(names.size, routes.length)
})

test('resolves every reference, and uses every component', () => {
  const text = JSON.stringify(document)
  const referred = new Set(
    [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name),
  )
  assert.deepEqual([...referred].sort(), Object.keys(components).sort())
})

test('names the schemas of all bodies and answers', () => {
  for (const { body, answers } of routes) {
    for (const schema of [body?.schema, ...Object.values(answers)]) {
      if (schema === undefined || schema === null || 'contentType' in schema) continue
      assert.equal(components[nameOf(schema)], schema)
    }
  }
})

test('says which bodies may be left out', () => {
  const required = (path: string) => {
    const { post } = document.paths[path] as { post: { requestBody: { required: boolean } } }
    return post.requestBody.required
  }
  assert.equal(required('/v1/projects/{project}/events'), true)
  assert.equal(required('/v1/projects/{project}/endpoints/{endpoint}/secret/rotate'), false)
})

test('is served without a key, and holds nothing of JSON Schema that OpenAPI does not know', async () => {
  await using server = await createTestApi()
  const reply = await server.call('GET', '/openapi.json', { key: null })
  assert.equal(reply.status, 200)
  assert.deepEqual(reply.body, JSON.parse(JSON.stringify(document)))
  assert.equal(reply.body.openapi, '3.1.0')
  assert.doesNotMatch(reply.text, /"\$id"|"~kind"|undefined/)
})

test('is the same each time it is made', () => {
  assert.equal(
    JSON.stringify(openApiDocument({ publicUrl: null })),
    JSON.stringify(openApiDocument({ publicUrl: null })),
  )
})

interface Operation {
  operationId: string
  summary: string
  tags: string[]
  security: object[]
  responses: Record<string, { description: string }>
}
