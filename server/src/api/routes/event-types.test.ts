import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApi } from '../../../test/support/test-api.ts'

const schema = {
  type: 'object',
  required: ['order'],
  properties: { order: { type: 'string' }, total: { type: 'integer' } },
}

async function setUp() {
  const server = await createTestApi()
  const project = await server.addProject()
  const own = (name: string) => `${project.path}/event-types/${name}`
  const catalog = (name: string) => `/v1/catalog/event-types/${name}`
  return {
    server,
    project,
    own,
    catalog,
    put: (path: string, body: object = {}) => server.call('PUT', path, { body }),
    publish: (type: string, data: object) =>
      server.call('POST', `${project.path}/events`, { key: project.key, body: { type, data } }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

test('defines, replaces, lists, reads and deletes event types at both levels', async () => {
  await using t = await setUp()
  const defined = await t.put(t.catalog('order.paid'), { description: 'Money came in', schema })
  assert.equal(defined.status, 200)
  assert.deepEqual(defined.body, {
    name: 'order.paid',
    description: 'Money came in',
    schema,
    deprecated: false,
    defined_in: 'catalog',
    created_at: '2026-11-01T10:00:00.000Z',
    updated_at: '2026-11-01T10:00:00.000Z',
  })
  t.server.clock.advance(1000)
  const replaced = await t.put(t.catalog('order.paid'), { deprecated: true })
  assert.equal(replaced.body.description, null)
  assert.equal(replaced.body.schema, null)
  assert.equal(replaced.body.created_at, '2026-11-01T10:00:00.000Z')
  assert.equal(replaced.body.updated_at, '2026-11-01T10:00:01.000Z')

  assert.equal((await t.server.call('GET', t.own('order.paid'))).body.defined_in, 'catalog')
  assert.equal((await t.put(t.own('order.paid'), {})).body.defined_in, 'project')
  assert.equal((await t.server.call('GET', t.own('order.paid'))).body.defined_in, 'project')
  for (const path of ['/v1/catalog/event-types', `${t.project.path}/event-types`]) {
    const { body } = await t.server.call('GET', path)
    assert.deepEqual(
      body.data.map(({ name }: { name: string }) => name),
      ['order.paid'],
    )
  }
  assert.equal((await t.server.call('DELETE', t.own('order.paid'))).status, 204)
  assert.equal((await t.server.call('DELETE', t.own('order.paid'))).status, 404)
  assert.equal((await t.server.call('GET', t.own('order.paid'))).body.defined_in, 'catalog')
  assert.equal((await t.server.call('DELETE', t.catalog('order.paid'))).status, 204)
  assert.equal((await t.server.call('GET', t.own('order.paid'))).status, 404)
})

test('refuses data that does not fit, with the path of the mistake', async () => {
  await using t = await setUp()
  assert.equal((await t.publish('order.paid', {})).status, 202)
  await t.put(t.own('order.paid'), { schema })
  const refused = await t.publish('order.paid', { total: 1.5 })
  assert.equal(refused.status, 422)
  assert.deepEqual(
    refused.body.errors.map(({ param, code }: { param: string; code: string }) => [param, code]),
    [
      ['data.order', 'schema_mismatch'],
      ['data.total', 'schema_mismatch'],
    ],
  )
  assert.equal((await t.publish('order.paid', { order: 'o1', total: 2, more: 1 })).status, 202)
  assert.equal((await t.publish('order.sent', { total: 1.5 })).status, 202)
  await t.server.call('DELETE', t.own('order.paid'))
  assert.equal((await t.publish('order.paid', { total: 1.5 })).status, 202)
})

test("a project's definition stands over the catalogue's, and no other project is touched", async () => {
  await using t = await setUp()
  const other = await t.server.addProject()
  await t.put(t.catalog('order.paid'), { schema })
  assert.equal((await t.publish('order.paid', {})).status, 422)
  await t.put(t.own('order.paid'), { schema: null })
  assert.equal((await t.publish('order.paid', {})).status, 202)
  const elsewhere = await t.server.call('POST', `${other.path}/events`, {
    body: { type: 'order.paid', data: {} },
  })
  assert.equal(elsewhere.status, 422)
})

test('one event of a batch that does not fit is refused alone', async () => {
  await using t = await setUp()
  await t.put(t.own('order.paid'), { schema })
  const { status, body } = await t.server.call('POST', `${t.project.path}/events/batch`, {
    body: {
      events: [
        { type: 'order.paid', data: { order: 'o1' } },
        { type: 'order.paid', data: {} },
        { type: 'other', data: {} },
      ],
    },
  })
  assert.equal(status, 202)
  assert.deepEqual(
    body.data.map((one: { status: number }) => one.status),
    [202, 422, 202],
  )
  assert.equal(body.data[1].error.errors[0].param, 'events.1.data.order')
})

test('refuses what is no event type or no schema', async () => {
  await using t = await setUp()
  for (const [path, body, param] of [
    [t.own('a..b'), {}, 'name'],
    [t.own('endpoint.mine'), {}, 'name'],
    [t.own('a.b'), { schema: { type: 'nonsense' } }, 'schema'],
    [t.own('a.b'), { schema: { $ref: 'https://example.com/x.json' } }, 'schema'],
    [t.own('a.b'), { schema: { description: 'x'.repeat(70_000) } }, 'schema'],
    [t.own('a.b'), { schema: [] }, 'schema'],
    [t.own('a.b'), { description: 'x'.repeat(501) }, 'description'],
    [t.own('a.b'), { unknown: true }, 'unknown'],
  ] as const) {
    const reply = await t.put(path, body)
    assert.equal(reply.status, 422, reply.text)
    assert.equal(reply.body.errors[0].param, param)
  }
})

test('the catalogue is the operator’s, and a project’s types take its scopes', async () => {
  await using t = await setUp()
  const reader = await t.server.addProject({ scopes: ['webhooks.read', 'events.write'] })
  const put = (path: string, key: string) => t.server.call('PUT', path, { key, body: {} })
  assert.equal((await put(t.catalog('a.b'), t.project.key)).status, 403)
  assert.equal((await put(`${reader.path}/event-types/a.b`, reader.key)).status, 403)
  assert.equal((await put(`${reader.path}/event-types/a.b`, t.project.key)).status, 403)
  assert.equal((await put(t.own('a.b'), t.project.key)).status, 200)
})
