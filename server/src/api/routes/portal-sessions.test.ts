import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createTestApi,
  rootKey,
  type TestApi,
  type TestProject,
} from '../../../test/support/test-api.ts'

async function openPortal(scopes: string[], body: object = {}) {
  const server = await createTestApi()
  const project = await server.addProject()
  const path = `${project.path}/portal-sessions`
  const opened = await server.call('POST', path, {
    body: { scopes, actor: 'ada@customer.example', ...body },
  })
  assert.equal(opened.status, 201, opened.text)
  return {
    server,
    project,
    session: opened.body,
    path: `${path}/${opened.body.id}`,
    as: (method: 'GET' | 'POST' | 'DELETE', url: string, payload?: unknown) =>
      server.call(method, url, { key: opened.body.token, body: payload }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

test('a token works within its scopes and its project', async () => {
  await using portal = await openPortal(['webhooks.read', 'webhooks.write'])
  const { server, project, as } = portal
  const other = await server.addProject()
  const created = await as('POST', `${project.path}/endpoints`, { url: 'https://a.example/' })
  assert.equal(created.status, 201)
  assert.deepEqual(created.body.created_by, {
    type: 'portal',
    id: portal.session.id,
    name: 'ada@customer.example',
  })
  assert.equal((await as('GET', `${project.path}/endpoints`)).status, 200)
  const refused = [
    await as('POST', `${project.path}/endpoints/${created.body.id}/secret/rotate`, {}),
    await as('GET', `${project.path}/api-keys`),
    await as('GET', `${project.path}/audit-log`),
    await as('POST', `${project.path}/events`, { type: 'a.b', data: {} }),
    await as('POST', `${project.path}/portal-sessions`, { scopes: ['webhooks.read'], actor: 'x' }),
    await as('GET', `${other.path}/endpoints`),
    await as('GET', '/v1/projects'),
  ]
  assert.deepEqual(
    refused.map(({ status }) => status),
    refused.map(() => 403),
  )
  const { body } = await server.call('GET', `${project.path}/audit-log?action=endpoint.created`)
  assert.equal(body.data[0].actor.name, 'ada@customer.example')
})

test('a token ends by itself, and at once when it is revoked', async () => {
  await using portal = await openPortal(['webhooks.read'], { expires_in: 60 })
  const { server, project, as } = portal
  const list = () => as('GET', `${project.path}/endpoints`)
  assert.equal((await list()).status, 200)
  server.clock.advance(59_999)
  assert.equal((await list()).status, 200)
  server.clock.advance(1)
  assert.equal((await list()).status, 401)
  assert.equal((await server.call('DELETE', portal.path)).status, 404)

  await using second = await openPortal(['webhooks.read'])
  assert.equal(second.session.expires_at, '2026-11-01T11:00:00.000Z')
  assert.equal((await second.as('GET', `${second.project.path}/endpoints`)).status, 200)
  assert.equal((await second.server.call('DELETE', second.path)).status, 204)
  assert.equal((await second.as('GET', `${second.project.path}/endpoints`)).status, 401)
  assert.equal((await second.server.call('DELETE', second.path)).status, 404)
})

test('no session gets what its opener lacks, nor what no session may have', async () => {
  await using server = await createTestApi()
  const project = await server.addProject({ scopes: ['keys.write', 'webhooks.read'] })
  const open = (scopes: string[], more: object = {}) =>
    server.call('POST', `${project.path}/portal-sessions`, {
      key: project.key,
      body: { scopes, actor: 'a', ...more },
    })
  assert.equal((await open(['webhooks.read'])).status, 201)
  assert.equal((await open(['webhooks.read', 'secrets.rotate'])).status, 403)
  for (const [scopes, more] of [
    [['keys.write'], {}],
    [['events.read'], {}],
    [[], {}],
    [['webhooks.read'], { expires_in: 59 }],
    [['webhooks.read'], { expires_in: 86_401 }],
    [['webhooks.read'], { actor: '' }],
  ] as const) {
    assert.equal((await open([...scopes], more)).status, 422, JSON.stringify({ scopes, more }))
  }
})

test('no other API takes a portal token, and the store holds none', async () => {
  await using portal = await openPortal(['webhooks.read', 'webhooks.write', 'secrets.rotate'])
  const headers = { authorization: `Bearer ${portal.session.token}` }
  assert.equal((await portal.server.send('GET', '/webhooks', { headers })).status, 403)
  const kept = await portal.server.storage.getPortalSession(portal.project.id, portal.session.id)
  assert.doesNotMatch(JSON.stringify(kept), /cpt_/)
})

test('a session ends with the value of the key that opened it', async () => {
  await using server = await createTestApi()
  const project = await server.addProject({ scopes: ['keys.write', 'webhooks.read'] })
  const keys = `${project.path}/api-keys`
  const { id: keyId } = (await server.call('GET', keys)).body.data[0]
  const rotate = async (expireCurrentIn: number) =>
    (
      await server.call('POST', `${keys}/${keyId}/rotate`, {
        body: { expire_current_in: expireCurrentIn },
      })
    ).body.key as string
  const open = (key: string) => openSession(server, project, key)

  const byFirst = await open(project.key)
  const byRoot = await open(rootKey)
  const second = await rotate(3_600)
  const bySecond = await open(second)
  const byFirstLate = await open(project.key)
  assert.deepEqual(await statuses([byFirst, byFirstLate, bySecond]), [200, 200, 200])
  server.clock.advance(3_599_999)
  assert.deepEqual(await statuses([byFirst, byFirstLate, bySecond]), [200, 200, 200])
  server.clock.advance(1)
  assert.deepEqual(await statuses([byFirst, byFirstLate, bySecond]), [401, 401, 200])

  // Rotated twice within an overlap, only the two newest values work; a cut leaves one.
  const third = await rotate(3_600)
  const byThird = await open(third)
  await rotate(3_600)
  assert.deepEqual(await statuses([bySecond, byThird]), [401, 200])
  const last = await rotate(0)
  const byLast = await open(last)
  assert.deepEqual(await statuses([byThird, byLast]), [401, 200])

  assert.equal((await server.call('DELETE', `${keys}/${keyId}`)).status, 204)
  assert.deepEqual(await statuses([byLast, byRoot]), [401, 200])
})

test('a session ends when its key expires', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const created = await server.call('POST', `${project.path}/api-keys`, {
    body: {
      name: 'for an hour',
      scopes: ['keys.write', 'webhooks.read'],
      expires_at: '2026-11-01T11:00:00Z',
    },
  })
  const session = await openSession(server, project, created.body.key)
  server.clock.advance(3_599_999)
  assert.deepEqual(await statuses([session]), [200])
  server.clock.advance(1)
  assert.deepEqual(await statuses([session]), [401])
})

/** Opens a session for a day with a key; answers how to ask with its token. */
async function openSession(server: TestApi, project: TestProject, key: string) {
  const opened = await server.call('POST', `${project.path}/portal-sessions`, {
    key,
    body: { scopes: ['webhooks.read'], actor: 'ada', expires_in: 86_400 },
  })
  assert.equal(opened.status, 201, opened.text)
  return () => server.call('GET', `${project.path}/endpoints`, { key: opened.body.token })
}

async function statuses(sessions: readonly (() => Promise<{ status: number }>)[]) {
  const found: number[] = []
  for (const ask of sessions) found.push((await ask()).status)
  return found
}
