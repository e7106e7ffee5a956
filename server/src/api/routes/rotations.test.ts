import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApi, type TestApi } from '../../../test/support/test-api.ts'

test('rotates with an overlap, and shows the open rotation on the endpoint', async () => {
  await using server = await createTestApi()
  const { path, secretId } = await addEndpoint(server)
  const rotated = await server.call('POST', `${path}/secret/rotate`, {
    body: { expire_current_in: 3600, reason: 'quarterly', expected_current_secret_id: secretId },
  })
  assert.equal(rotated.status, 200)
  const { rotation } = rotated.body
  assert.match(rotated.body.secret, /^whsec_/)
  assert.equal(rotated.body.previous_secret_expires_at, '2026-11-01T11:00:00.000Z')
  assert.deepEqual(
    { ...rotation, id: '', endpoint_id: '' },
    {
      id: '',
      endpoint_id: '',
      status: 'overlapping',
      completed_by: null,
      previous_secret_id: secretId,
      new_secret_id: rotated.body.secret_id,
      activates_at: '2026-11-01T10:00:00.000Z',
      previous_secret_expires_at: '2026-11-01T11:00:00.000Z',
      complete_when: 'expiry',
      window_ends_at: '2026-11-01T11:00:00.000Z',
      cap_at: null,
      held_at: null,
      unclaimed: false,
      attention: null,
      dropped_secret_ids: [],
      campaign_id: null,
      reason: 'quarterly',
      actor: { type: 'root', id: null, name: null },
      evidence: null,
      timeline: rotation.timeline,
      created_at: '2026-11-01T10:00:00.000Z',
      closed_at: null,
    },
  )
  assert.deepEqual(
    rotation.timeline.map(({ what }: { what: string }) => what),
    ['created', 'activated'],
  )
  assert.deepEqual((await server.call('GET', path)).body.rotation, rotation)
  const single = await server.call('GET', `${path}/rotations/${rotation.id}`)
  assert.deepEqual(single.body, rotation)
  server.clock.advance(3_600_000)
  assert.equal((await server.call('GET', path)).body.rotation, null)
  const list = await server.call('GET', `${path}/rotations`)
  assert.equal(list.body.data[0].status, 'completed')
  assert.equal(list.body.data[0].completed_by, 'expiry')
  assert.equal(list.body.data[0].closed_at, '2026-11-01T11:00:00.000Z')
})

test('rotates without any body, for a day', async () => {
  await using server = await createTestApi()
  const { path } = await addEndpoint(server)
  const { body } = await server.call('POST', `${path}/secret/rotate`)
  assert.equal(body.previous_secret_expires_at, '2026-11-02T10:00:00.000Z')
})

test('refuses a second rotation while one is open, and says which', async () => {
  await using server = await createTestApi()
  const { path } = await addEndpoint(server)
  const { body: first } = await server.call('POST', `${path}/secret/rotate`)
  const refused = await server.call('POST', `${path}/secret/rotate`)
  assert.equal(refused.status, 409)
  assert.equal(refused.body.code, 'rotation_in_progress')
  assert.equal(refused.body.rotation_id, first.rotation.id)
  assert.equal(refused.body.previous_secret_expires_at, first.previous_secret_expires_at)
  const forced = await server.call('POST', `${path}/secret/rotate`, { body: { force: true } })
  assert.equal(forced.status, 200)
  const closed = await server.call('GET', `${path}/rotations/${first.rotation.id}`)
  assert.equal(closed.body.completed_by, 'force')
})

test('refuses what is out of bounds, or of the wrong type', async () => {
  await using server = await createTestApi()
  const { path } = await addEndpoint(server)
  const rotate = (body: object) => server.call('POST', `${path}/secret/rotate`, { body })
  const wrong = await rotate({
    expire_current_in: 2_592_001,
    activate_at: 'tomorrow',
    force: 1,
    reason: 'r'.repeat(501),
    complete_when: 'never',
    expire: 1,
  })
  assert.deepEqual(wrong.body.errors.map(({ param }: { param: string }) => param).sort(), [
    'activate_at',
    'complete_when',
    'expire',
    'expire_current_in',
    'force',
    'reason',
  ])
  const changed = await rotate({ expected_current_secret_id: 'sec_other' })
  assert.equal(changed.body.code, 'secret_changed')
  assert.equal((await rotate({ reason: null, expire_current_in: 0 })).status, 200)
})

test('stages a secret, which signs from its activation on', async () => {
  await using server = await createTestApi()
  const { path } = await addEndpoint(server)
  const rotated = await server.call('POST', `${path}/secret/rotate`, {
    body: { activate_at: '2026-11-01T13:00:00+02:00' },
  })
  assert.equal(rotated.body.rotation.status, 'staged')
  const statuses = async () => {
    const { body } = await server.call('GET', `${path}/secrets`)
    return body.data.map(({ status }: { status: string }) => status)
  }
  assert.deepEqual(await statuses(), ['staged', 'current'])
  const early = await server.call('POST', `${path}/rotations/${rotated.body.rotation.id}/complete`)
  assert.equal(early.body.code, 'rotation_not_active')
  server.clock.advance(3_600_000)
  assert.deepEqual(await statuses(), ['current', 'retiring'])
})

test('lists the versions of a secret without any value, page by page', async () => {
  await using server = await createTestApi()
  const { path, secret, secretId } = await addEndpoint(server)
  const rotated = await server.call('POST', `${path}/secret/rotate`)
  const list = await server.call('GET', `${path}/secrets`)
  const ids = [rotated.body.secret_id, secretId]
  assert.deepEqual(
    list.body.data.map(({ id }: { id: string }) => id),
    ids,
  )
  assert.equal(list.body.data[1].hint, secret.slice(-4))
  for (const value of [secret, rotated.body.secret]) assert.ok(!list.text.includes(value))
  const first = await server.call('GET', `${path}/secrets?limit=1`)
  assert.equal(first.body.has_more, true)
  const next = `${path}/secrets?limit=1&cursor=${first.body.next_cursor}`
  const second = await server.call('GET', next)
  assert.equal(second.body.data[0].id, ids[1])
  assert.equal(second.body.next_cursor, null)
})

test('revokes the previous secret now, and again without effect', async () => {
  await using server = await createTestApi()
  const { path, secretId } = await addEndpoint(server)
  await server.call('POST', `${path}/secret/rotate`)
  const revoke = () =>
    server.call('POST', `${path}/secret/revoke-previous`, { body: { reason: 'leaked' } })
  const first = await revoke()
  assert.deepEqual(first.body.revoked_secret_ids, [secretId])
  assert.equal(first.body.rotation.completed_by, 'manual')
  const second = await revoke()
  assert.equal(second.status, 200)
  assert.deepEqual(second.body, { revoked_secret_ids: [], rotation: null })
})

test('changes the window of an open rotation', async () => {
  await using server = await createTestApi()
  const { path } = await addEndpoint(server)
  const { body } = await server.call('POST', `${path}/secret/rotate`)
  const change = (fields: object) =>
    server.call('PATCH', `${path}/rotations/${body.rotation.id}`, { body: fields })
  const longer = await change({ expire_current_in: 7200 })
  assert.equal(longer.body.previous_secret_expires_at, '2026-11-01T12:00:00.000Z')
  const shorter = await change({ previous_secret_expires_at: '2026-11-01T10:30:00Z' })
  assert.equal(shorter.body.previous_secret_expires_at, '2026-11-01T10:30:00.000Z')
  assert.equal((await change({ complete_when: 'expiry' })).status, 200)
  for (const fields of [
    {},
    { expire_current_in: 1, previous_secret_expires_at: '2026-11-01T10:30:00Z' },
    { previous_secret_expires_at: '2026-11-01T09:00:00Z' },
  ]) {
    assert.equal((await change(fields)).status, 422, JSON.stringify(fields))
  }
  assert.deepEqual((await change({})).body.errors, [
    { param: 'body', detail: 'Must have at least one of its fields.', code: 'missing' },
  ])
  server.clock.advance(1_800_000)
  assert.equal((await change({ expire_current_in: 60 })).body.code, 'rotation_closed')
})

test('completes and cancels, each repeatable, neither after the other', async () => {
  await using server = await createTestApi()
  const { path, secretId } = await addEndpoint(server)
  const rotate = async () => (await server.call('POST', `${path}/secret/rotate`)).body.rotation
  const end = (id: string, verb: string) =>
    server.call('POST', `${path}/rotations/${id}/${verb}`, { body: { reason: 'because' } })
  const first = await rotate()
  assert.equal((await end(first.id, 'cancel')).body.status, 'cancelled')
  assert.equal((await end(first.id, 'cancel')).status, 200)
  assert.equal((await end(first.id, 'complete')).body.code, 'rotation_closed')
  const { body } = await server.call('GET', `${path}/secrets`)
  const current = body.data.find(({ status }: { status: string }) => status === 'current')
  assert.equal(current.id, secretId)
  const second = await rotate()
  assert.equal((await end(second.id, 'complete')).body.completed_by, 'manual')
  assert.equal((await end(second.id, 'complete')).status, 200)
  assert.equal((await end(second.id, 'cancel')).body.code, 'rotation_closed')
})

async function addEndpoint(server: TestApi) {
  const project = await server.addProject()
  const { body } = await server.call('POST', `${project.path}/endpoints`, {
    body: { url: 'https://a.example/' },
  })
  return {
    path: `${project.path}/endpoints/${body.id}`,
    secret: body.secret as string,
    secretId: body.secret_id as string,
  }
}
