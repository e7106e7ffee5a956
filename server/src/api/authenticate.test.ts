import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApi, rootKey } from '../../test/support/test-api.ts'
import { until } from '../../test/support/until.ts'
import { apiLimits } from './api-limits.ts'

test('refuses a missing, malformed or unknown key with 401', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  for (const authorization of [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    `Basic ${project.key}`,
    project.key,
    `Bearer ${project.key}x`,
    `Bearer ${project.key} x`,
    `Bearer ${rootKey.slice(0, -1)}`,
    'Bearer csk_',
  ]) {
    const headers: Record<string, string> = {}
    if (authorization !== undefined) headers.authorization = authorization
    const reply = await server.call('GET', project.path, { key: null, headers })
    assert.equal(reply.status, 401, String(authorization))
    assert.equal(reply.body.code, 'unauthorized')
    assert.equal(reply.headers['www-authenticate'], 'Bearer')
    assert.doesNotMatch(reply.text, /csk_/)
  }
})

test('takes the scheme in any case', async () => {
  await using server = await createTestApi()
  const headers = { authorization: `bearer ${rootKey}` }
  assert.equal((await server.call('GET', '/v1/projects', { key: null, headers })).status, 200)
})

test('takes either of two root keys', async () => {
  await using server = await createTestApi({ rootKeys: ['csk_new', 'csk_old'] })
  for (const key of ['csk_new', 'csk_old']) {
    assert.equal((await server.call('GET', '/v1/projects', { key })).status, 200)
  }
  assert.equal((await server.call('GET', '/v1/projects')).status, 401)
})

test('stops a revoked key at once, although it was in use', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const use = () => server.call('GET', project.path, { key: project.key })
  assert.equal((await use()).status, 200)
  const { body } = await server.call('GET', `${project.path}/api-keys`)
  const revoke = () => server.call('DELETE', `${project.path}/api-keys/${body.data[0].id}`)
  assert.equal((await revoke()).status, 204)
  assert.equal((await use()).status, 401)
  assert.equal((await revoke()).status, 404)
})

test('stops an expired key at its time, although it was in use', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const created = await server.call('POST', `${project.path}/api-keys`, {
    body: { name: 'short', expires_at: '2026-11-01T11:00:00+00:30' },
  })
  const use = () => server.call('GET', project.path, { key: created.body.key })
  server.clock.advance(1_800_000 - 1)
  assert.equal((await use()).status, 200)
  server.clock.advance(1)
  assert.equal((await use()).status, 401)
})

test('stops the keys of a deleted project', async () => {
  await using server = await createTestApi()
  const project = await server.addProject({ uid: 'acme' })
  assert.equal((await server.call('GET', '/v1/projects/acme', { key: project.key })).status, 200)
  assert.equal((await server.call('DELETE', project.path)).status, 204)
  assert.equal((await server.call('GET', project.path, { key: project.key })).status, 401)
  assert.equal((await server.call('GET', '/v1/projects/acme')).status, 404)
})

test('follows a uid to the project that holds it now', async () => {
  await using server = await createTestApi()
  const first = await server.addProject({ uid: 'acme' })
  const second = await server.addProject()
  const read = async () => (await server.call('GET', '/v1/projects/acme')).body.id
  assert.equal(await read(), first.id)
  await server.call('PATCH', first.path, { body: { uid: null } })
  assert.equal(await read(), undefined)
  await server.call('PATCH', second.path, { body: { uid: 'acme' } })
  assert.equal(await read(), second.id)
})

test('answers 403 for another project, whether it exists or not', async () => {
  await using server = await createTestApi()
  const own = await server.addProject({ uid: 'own' })
  const other = await server.addProject({ uid: 'other' })
  const bodies = new Set<string>()
  for (const ref of [other.id, 'other', `prj_${'0'.repeat(32)}`, 'nobody', '%20']) {
    const reply = await server.call('GET', `/v1/projects/${ref}`, { key: own.key })
    assert.equal(reply.status, 403, ref)
    const { instance: _, ...rest } = reply.body
    bodies.add(JSON.stringify(rest))
  }
  assert.equal(bodies.size, 1, 'one answer for all')
  assert.equal((await server.call('GET', '/v1/projects/own', { key: own.key })).status, 200)
  assert.equal((await server.call('GET', '/v1/projects/nobody')).status, 404)
})

test('lets a project key of any scope read its own project, and no more of projects', async () => {
  await using server = await createTestApi()
  const project = await server.addProject({ scopes: ['audit.read'] })
  const { key } = project
  assert.equal((await server.call('GET', project.path, { key })).status, 200)
  const change = { key, body: { name: 'x' } }
  assert.equal((await server.call('PATCH', project.path, change)).status, 403)
  assert.equal((await server.call('DELETE', project.path, { key })).status, 403)
  assert.equal((await server.call('GET', '/v1/projects', { key })).status, 403)
  assert.equal((await server.call('POST', '/v1/projects', change)).status, 403)
})

test('names the scope that a key lacks', async () => {
  await using server = await createTestApi()
  const project = await server.addProject({ scopes: ['events.write'] })
  const reply = await server.call('GET', `${project.path}/endpoints`, { key: project.key })
  assert.equal(reply.status, 403)
  assert.match(reply.body.detail, /webhooks\.read/)
})

test('writes down the use of a key, at most once a minute', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const lastUsed = async () =>
    (await server.call('GET', `${project.path}/api-keys`)).body.data[0].last_used_at
  const use = () => server.call('GET', project.path, { key: project.key })
  await use()
  await use()
  await until('the first use is written down', async () => (await lastUsed()) !== null, 10_000)
  assert.equal(await lastUsed(), '2026-11-01T10:00:00.000Z')
  server.clock.advance(apiLimits.keyUseWrittenEveryMs - 1)
  await use()
  server.clock.advance(1)
  await use()
  const isSecond = async () => (await lastUsed()) !== '2026-11-01T10:00:00.000Z'
  await until('a later use is written down', isSecond, 10_000)
  assert.equal(await lastUsed(), '2026-11-01T10:01:00.000Z', 'the one a minute after the first')
})

test('writes the last uses down when it closes', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  await server.call('GET', project.path, { key: project.key })
  await server.api.close(1_000)
  const { items } = await server.storage.listApiKeys(project.id, { limit: 1, after: null })
  assert.notEqual(items[0]?.lastUsedAt, null)
})
