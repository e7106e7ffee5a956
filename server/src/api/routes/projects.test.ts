import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApi } from '../../../test/support/test-api.ts'

test('creates, reads, changes and deletes a project', async () => {
  await using server = await createTestApi()
  const created = await server.call('POST', '/v1/projects', {
    body: {
      name: 'Acme',
      uid: 'acme',
      settings: {
        retry_schedule: '5s, 300s,2h',
        rotation_bounds: { expire_current_in_min: 60, expire_current_in_max: 3600 },
      },
    },
  })
  assert.equal(created.status, 201)
  const { id, ...rest } = created.body
  assert.match(id, /^prj_[0-9a-f]{32}$/)
  assert.deepEqual(rest, {
    uid: 'acme',
    name: 'Acme',
    settings: {
      retry_schedule: '5s,5m,2h',
      rotation_bounds: { expire_current_in_min: 60, expire_current_in_max: 3600 },
    },
    created_at: '2026-11-01T10:00:00.000Z',
    updated_at: '2026-11-01T10:00:00.000Z',
  })
  for (const ref of [id, 'acme']) {
    assert.deepEqual((await server.call('GET', `/v1/projects/${ref}`)).body, created.body)
  }
  server.clock.advance(1500)
  const changed = await server.call('PATCH', '/v1/projects/acme', {
    body: { name: 'Acme Ltd', uid: null, settings: { retry_schedule: '1m' } },
  })
  assert.equal(changed.body.name, 'Acme Ltd')
  assert.equal(changed.body.uid, null)
  assert.equal(changed.body.updated_at, '2026-11-01T10:00:01.500Z')
  assert.deepEqual(changed.body.settings, {
    retry_schedule: '1m',
    rotation_bounds: { expire_current_in_min: 60, expire_current_in_max: 3600 },
  })
  assert.equal((await server.call('DELETE', `/v1/projects/${id}`)).status, 204)
  assert.equal((await server.call('DELETE', `/v1/projects/${id}`)).status, 404)
})

test('shows secrets in reads only where the project says so, and the audit log tells since when', async () => {
  await using server = await createTestApi()
  const created = await server.call('POST', '/v1/projects', {
    body: { name: 'Acme', settings: { retention_days: 7 } },
  })
  assert.deepEqual(created.body.settings, { retention_days: 7 })
  const path = `/v1/projects/${created.body.id}`
  const set = (value: unknown) =>
    server.call('PATCH', path, { body: { settings: { reveal_secret_in_reads: value } } })
  for (const value of [true, false]) {
    const settings = { retention_days: 7, reveal_secret_in_reads: value }
    assert.deepEqual((await set(value)).body.settings, settings)
    assert.deepEqual((await server.call('GET', path)).body.settings, settings)
  }
  for (const value of ['true', 1, null]) {
    const refused = await set(value)
    assert.equal(refused.status, 422)
    assert.equal(refused.body.param, 'settings.reveal_secret_in_reads')
  }
  const { body } = await server.call('GET', `${path}/audit-log?action=project.updated`)
  assert.deepEqual(
    body.data.map(({ details }: { details: object }) => details),
    [false, true].map((value) => ({ fields: ['settings'], reveal_secret_in_reads: value })),
  )
})

test('names secrets in every format where the project says so, and is told so in reads', async () => {
  await using server = await createTestApi()
  const created = await server.call('POST', '/v1/projects', {
    body: { name: 'Acme', settings: { secret_ids_in_every_format: true } },
  })
  assert.deepEqual(created.body.settings, { secret_ids_in_every_format: true })
  const path = `/v1/projects/${created.body.id}`
  const set = (value: unknown) =>
    server.call('PATCH', path, { body: { settings: { secret_ids_in_every_format: value } } })
  assert.deepEqual((await set(false)).body.settings, { secret_ids_in_every_format: false })
  assert.deepEqual((await server.call('GET', path)).body, (await set(false)).body)
  const refused = await set('true')
  assert.equal(refused.status, 422)
  assert.equal(refused.body.param, 'settings.secret_ids_in_every_format')
})

test('refuses a uid that is in use or looks like an id', async () => {
  await using server = await createTestApi()
  await server.addProject({ uid: 'acme' })
  const create = (uid: string) => server.call('POST', '/v1/projects', { body: { name: 'n', uid } })
  const taken = await create('acme')
  assert.equal(taken.status, 409)
  assert.equal(taken.body.code, 'uid_taken')
  for (const uid of [`prj_${'0'.repeat(32)}`, `EP_${'A'.repeat(32)}`, 'a/b', '..', '']) {
    const reply = await create(uid)
    assert.equal(reply.status, 422, uid)
    assert.equal(reply.body.param, 'uid')
  }
})

test('refuses settings that make no sense, beside every other field at fault', async () => {
  await using server = await createTestApi()
  const reply = await server.call('POST', '/v1/projects', {
    body: {
      name: '',
      uid: 'a b',
      settings: {
        retry_schedule: '5s,soon',
        rotation_bounds: { expire_current_in_min: 10, expire_current_in_max: 5, extra: 1 },
      },
    },
  })
  assert.equal(reply.status, 422)
  assert.deepEqual(
    reply.body.errors.map(({ param, code }: { param: string; code: string }) => [param, code]),
    [
      ['name', 'too_short'],
      ['settings.rotation_bounds.extra', 'unknown_field'],
      ['settings.retry_schedule', 'invalid_value'],
      ['settings.rotation_bounds.expire_current_in_min', 'out_of_range'],
      ['uid', 'invalid_value'],
    ],
  )
  for (const retry_schedule of ['5', '0s', '31d', '', Array(51).fill('1s').join(',')]) {
    const body = { name: 'n', settings: { retry_schedule } }
    assert.equal((await server.call('POST', '/v1/projects', { body })).status, 422, retry_schedule)
  }
})

test('lists projects newest first, page by page, stable under inserts', async () => {
  await using server = await createTestApi()
  const names = ['a', 'b', 'c', 'd', 'e']
  for (const name of names) await server.call('POST', '/v1/projects', { body: { name } })
  const seen: string[] = []
  let cursor = ''
  do {
    const page = await server.call('GET', `/v1/projects?limit=2${cursor}`)
    seen.push(...page.body.data.map((project: { name: string }) => project.name))
    assert.equal(page.body.has_more, page.body.next_cursor !== null)
    cursor = page.body.next_cursor === null ? '' : `&cursor=${page.body.next_cursor}`
    await server.call('POST', '/v1/projects', { body: { name: 'later' } })
  } while (cursor !== '')
  assert.deepEqual(seen, names.toReversed())
  const all = await server.call('GET', '/v1/projects')
  assert.equal(all.body.data.length, 8)
  assert.equal(all.body.has_more, false)
})
