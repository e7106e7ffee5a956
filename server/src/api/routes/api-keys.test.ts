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

test('a key of every scope may do everything in its project', async () => {
  await using server = await createTestApi()
  const project = await server.addProject({ scopes: [...scopes] })
  const reply = await server.call('GET', `${project.path}/api-keys`, { key: project.key })
  assert.equal(reply.status, 200)
})
