import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApi } from '../../../test/support/test-api.ts'
import { defaultScopes, scopes } from '../../core/authorization.ts'

test('shows the value of a key once', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const created = await server.call('POST', `${project.path}/api-keys`, { body: { name: 'ci' } })
  assert.equal(created.status, 201)
  const { key, ...shown } = created.body
  assert.match(key, /^csk_[A-Za-z0-9_-]{32,}$/)
  assert.deepEqual(shown.scopes, defaultScopes)
  assert.equal(shown.hint, key.slice(-4))
  assert.equal(shown.dialect, null)
  const list = await server.call('GET', `${project.path}/api-keys`)
  assert.deepEqual(list.body.data[0], shown)
  assert.ok(!list.text.includes(key))
})

test('refuses unknown scopes and times that are none', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const create = (fields: object) =>
    server.call('POST', `${project.path}/api-keys`, { body: { name: 'n', ...fields } })
  const reply = await create({
    scopes: ['events.write', 'all'],
    expires_at: '2026-02-30T00:00:00Z',
  })
  assert.deepEqual(
    reply.body.errors.map(({ param }: { param: string }) => param),
    ['scopes.1', 'expires_at'],
  )
  const past = await create({ expires_at: '2026-11-01T09:59:59Z' })
  assert.equal(past.body.param, 'expires_at')
  assert.equal((await create({ expires_at: null })).body.expires_at, null)
})

test('lets no key grant more than it has', async () => {
  await using server = await createTestApi()
  const project = await server.addProject({ scopes: ['keys.write', 'events.read'] })
  const create = (fields: object) =>
    server.call('POST', `${project.path}/api-keys`, {
      key: project.key,
      body: { name: 'n', ...fields },
    })
  const beyond = await create({ scopes: ['events.read', 'secrets.rotate'] })
  assert.equal(beyond.status, 403)
  assert.match(beyond.body.detail, /secrets\.rotate/)
  assert.deepEqual((await create({})).body.scopes, ['events.read'])
  assert.deepEqual((await create({ scopes: ['keys.write'] })).body.scopes, ['keys.write'])
})

test('gives a key the shape that clients of a system know', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  for (const [dialect, shape] of [
    ['mobilerun', /^dr_sk_[A-Za-z0-9_-]{43}$/],
    ['composio', /^[0-9a-f]{64}$/],
    ['h-company', /^hk-[A-Za-z0-9_-]{43}$/],
    ['devtune', /^dtk_live_[0-9a-f]{64}$/],
  ] as const) {
    const created = await server.call('POST', `${project.path}/api-keys`, {
      body: { name: dialect, dialect },
    })
    assert.equal(created.status, 201)
    const { key, ...shown } = created.body
    assert.match(key, shape)
    assert.equal(shown.hint, key.slice(-4))
    assert.equal(shown.dialect, dialect)
    assert.deepEqual(shown.scopes, defaultScopes)
    assert.equal((await server.call('GET', project.path, { key })).status, 200)
    const list = await server.call('GET', `${project.path}/api-keys`)
    assert.deepEqual(list.body.data[0], shown)
    assert.ok(!list.text.includes(key))
  }
})

test('answers client credentials for Dinie, of which reads show neither half', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const created = await server.call('POST', `${project.path}/api-keys`, {
    body: { name: 'app', dialect: 'dinie' },
  })
  const { client_id: clientId, client_secret: clientSecret, ...shown } = created.body
  assert.match(clientId, /^dinie_ci_[0-9a-f]{32}$/)
  assert.match(clientSecret, /^dinie_cs_live_[A-Za-z0-9_-]{43}$/)
  assert.equal(shown.key, undefined)
  assert.equal(shown.hint, clientSecret.slice(-4))
  assert.deepEqual(shown.scopes, defaultScopes)
  const list = await server.call('GET', `${project.path}/api-keys`)
  assert.deepEqual(list.body.data[0], shown)
  const log = await server.call('GET', `${project.path}/audit-log`)
  for (const { text } of [list, log]) assert.ok(!text.includes(clientSecret))
})

test('refuses a dialect that there is not', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  for (const dialect of ['stripe', '', 'Dinie', null]) {
    const reply = await server.call('POST', `${project.path}/api-keys`, {
      body: { name: 'n', dialect },
    })
    assert.equal(reply.status, 422)
    assert.equal(reply.body.param, 'dialect')
  }
})

test('a key for DevTune that changes webhooks may rotate, where its creator may', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const create = (fields: object, key?: string) =>
    server.call('POST', `${project.path}/api-keys`, {
      ...(key === undefined ? {} : { key }),
      body: { name: 'n', dialect: 'devtune', ...fields },
    })
  const writer = await create({ scopes: ['webhooks.write'] })
  assert.deepEqual(writer.body.scopes, ['webhooks.write', 'secrets.rotate'])
  const reader = await create({ scopes: ['webhooks.read'] })
  assert.deepEqual(reader.body.scopes, ['webhooks.read'])
  const elsewhere = await create({ scopes: ['webhooks.write'], dialect: 'mobilerun' })
  assert.deepEqual(elsewhere.body.scopes, ['webhooks.write'])

  const creator = await create({ scopes: ['keys.write', 'webhooks.write'], dialect: undefined })
  for (const fields of [{ scopes: ['webhooks.write'] }, {}]) {
    const beyond = await create(fields, creator.body.key)
    assert.equal(beyond.status, 403)
    assert.match(beyond.body.detail, /secrets\.rotate/)
  }
  const within = await create({ scopes: ['keys.write'] }, creator.body.key)
  assert.deepEqual(within.body.scopes, ['keys.write'])
  const list = await server.call('GET', `${project.path}/api-keys?limit=100`)
  assert.equal(list.body.data.length, 6, 'the refused ones were not made')
})

test('a key of every scope may do everything in its project', async () => {
  await using server = await createTestApi()
  const project = await server.addProject({ scopes: [...scopes] })
  const reply = await server.call('GET', `${project.path}/api-keys`, { key: project.key })
  assert.equal(reply.status, 200)
})
