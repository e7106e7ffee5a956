import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApi, type TestApi } from '../../../test/support/test-api.ts'

async function setUp() {
  const server = await createTestApi()
  const project = await server.addProject()
  const { body } = await server.call('GET', `${project.path}/api-keys`)
  const path = `${project.path}/api-keys/${body.data[0].id}`
  return {
    server,
    project,
    path,
    rotate: (payload: object = {}, options: object = {}) =>
      server.call('POST', `${path}/rotate`, { body: payload, ...options }),
    works: async (key: string) => (await server.call('GET', project.path, { key })).status === 200,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

test('both values work for a while, then the new one alone', async () => {
  await using keys = await setUp()
  assert.ok(await keys.works(keys.project.key))
  const { status, body } = await keys.rotate({ expire_current_in: 60 })
  assert.equal(status, 200)
  assert.match(body.key, /^csk_/)
  assert.notEqual(body.key, keys.project.key)
  assert.equal(body.hint, body.key.slice(-4))
  assert.ok(await keys.works(body.key))
  assert.ok(await keys.works(keys.project.key))
  keys.server.clock.advance(59_999)
  assert.ok(await keys.works(keys.project.key))
  keys.server.clock.advance(1)
  assert.equal(await keys.works(keys.project.key), false)
  assert.ok(await keys.works(body.key))
})

test('a cut stops the present value at once', async () => {
  await using keys = await setUp()
  assert.ok(await keys.works(keys.project.key))
  const { body } = await keys.rotate({ expire_current_in: 0 })
  assert.equal(await keys.works(keys.project.key), false)
  assert.ok(await keys.works(body.key))
})

test('of several rotations the two newest values work', async () => {
  await using keys = await setUp()
  const second = await keys.rotate()
  const third = await keys.rotate()
  assert.equal(await keys.works(keys.project.key), false)
  assert.ok(await keys.works(second.body.key))
  assert.ok(await keys.works(third.body.key))
})

test('revoking a key stops both of its values', async () => {
  await using keys = await setUp()
  const { body } = await keys.rotate()
  assert.ok((await keys.works(body.key)) && (await keys.works(keys.project.key)))
  await keys.server.call('DELETE', keys.path)
  assert.equal(await keys.works(body.key), false)
  assert.equal(await keys.works(keys.project.key), false)
  const again = await keys.rotate()
  assert.equal(again.status, 409)
  assert.equal(again.body.code, 'api_key_not_live')
})

test('the same Idempotency-Key brings the same value', async () => {
  await using keys = await setUp()
  const headers = { 'idempotency-key': 'one' }
  const first = await keys.rotate({}, { headers })
  const second = await keys.rotate({}, { headers })
  assert.equal(second.body.key, first.body.key)
  assert.ok(await keys.works(keys.project.key))
})

test('a key keeps its shape, and client credentials their client id', async () => {
  await using keys = await setUp()
  const { server, project } = keys
  const make = (dialect: string) =>
    server.call('POST', `${project.path}/api-keys`, { body: { name: dialect, dialect } })
  const mobilerun = await make('mobilerun')
  const dinie = await make('dinie')
  const rotate = (id: string) => server.call('POST', `${project.path}/api-keys/${id}/rotate`)
  assert.match((await rotate(mobilerun.body.id)).body.key, /^dr_sk_/)
  const rotated = (await rotate(dinie.body.id)).body
  assert.equal(rotated.client_id, dinie.body.client_id)
  assert.notEqual(rotated.client_secret, dinie.body.client_secret)
  assert.equal(rotated.key, undefined)
})

test('nobody gets a key with more rights than their own by rotating it', async () => {
  await using keys = await setUp()
  const { server, project } = keys
  const writer = await server.call('POST', `${project.path}/api-keys`, {
    body: { name: 'Writer', scopes: ['keys.write'] },
  })
  const refused = await keys.rotate({}, { key: writer.body.key })
  assert.equal(refused.status, 403)
  assert.ok(await keys.works(project.key))
})

test('the audit log tells of it, without the value', async () => {
  await using keys = await setUp()
  const { body } = await keys.rotate({ expire_current_in: 60 })
  const rows = await auditRows(keys.server, keys.project.path)
  assert.deepEqual(rows[0].details, {
    name: 'A key',
    previous_key_expires_at: '2026-11-01T10:01:00.000Z',
  })
  assert.ok(!JSON.stringify(rows).includes(body.key))
})

async function auditRows(server: TestApi, path: string) {
  return (await server.call('GET', `${path}/audit-log?action=api_key.rotated`)).body.data
}
