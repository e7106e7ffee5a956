import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPolicyRound } from '../src/actions/apply-secret-policies.ts'
import type { SecretPolicy } from '../src/core/secret-policy.ts'
import { createFleet, type Fleet } from './support/fleet.ts'

const DAY_MS = 86_400_000
const policy: SecretPolicy = {
  maxAgeDays: 90,
  action: 'notify',
  expireCurrentInSeconds: 7200,
  completeWhen: 'expiry',
}

/** Looks at every old secret once. */
async function lookAtAll(server: Fleet): Promise<void> {
  const step = createPolicyRound(server.context)
  while (await step());
}

async function toldOf(server: Fleet, project: string) {
  const { items } = await server.storage.listEvents(project, { limit: 100, after: null })
  const events = items.filter(({ type }) => type === 'endpoint.secret.over_age')
  return Promise.all(
    events.map(async ({ id }) => {
      const event = await server.storage.getEvent(project, id)
      return JSON.parse(event?.data ?? 'null')
    }),
  )
}

test('tells once of each secret over its age, and lists it', async () => {
  await using server = await createFleet({ secretPolicy: policy })
  const fleet = await server.add({ projects: 2, endpointsEach: 60 })
  await lookAtAll(server)
  const [project = ''] = fleet.keys()
  assert.deepEqual(await toldOf(server, project), [])
  server.clock.advance(90 * DAY_MS)
  const young = await server.add({ projects: 1, endpointsEach: 1 })
  await lookAtAll(server)
  await lookAtAll(server)
  for (const [id, endpoints] of fleet) {
    const told = await toldOf(server, id)
    assert.deepEqual(new Set(told.map(({ endpoint_id }) => endpoint_id)), new Set(endpoints))
    assert.equal(told.length, 60)
    assert.deepEqual([told[0].max_age_days, told[0].action], [90, 'notify'])
  }
  assert.deepEqual(await toldOf(server, [...young.keys()][0] ?? ''), [])
  const listed = await server.call('GET', '/v1/fleet?blocker=over_age&limit=100')
  assert.deepEqual([listed.body.data.length, listed.body.has_more], [100, true])
  const rest = await server.call(
    'GET',
    `/v1/fleet?blocker=over_age&limit=100&cursor=${listed.body.next_cursor}`,
  )
  assert.equal(rest.body.data.length, 20)
  const [entry] = listed.body.data
  assert.deepEqual([entry.secret_age_days, entry.blockers], [90, ['over_age']])
  assert.equal(entry.over_age_at, new Date(server.clock.now()).toISOString())
})

test('rotates by itself: public keys at once, shared secrets by claim link', async () => {
  await using server = await createFleet({ secretPolicy: { ...policy, action: 'rotate' } })
  const fleet = new Map([
    ...(await server.add({ projects: 1, endpointsEach: 1 })),
    ...(await server.add({ projects: 1, endpointsEach: 1, algorithm: 'ed25519' })),
  ])
  server.clock.advance(91 * DAY_MS)
  await lookAtAll(server)
  await lookAtAll(server)
  const statuses = []
  for (const [project, [endpoint = '']] of fleet) {
    const { items } = await server.storage.listRotations(endpoint, { limit: 5, after: null })
    assert.equal(items.length, 1, 'once')
    assert.equal(items[0]?.actor.type, 'system')
    assert.match(items[0]?.reason ?? '', /older than 90 days/)
    const path = `/v1/projects/${project}/endpoints/${endpoint}/rotations/${items[0]?.id}`
    const { body } = await server.call('GET', path)
    statuses.push([body.status, body.unclaimed])
    assert.deepEqual(await toldOf(server, project), [])
  }
  assert.deepEqual(statuses, [
    ['overlapping', true],
    ['staged', false],
  ])
  const { body } = await server.call('GET', '/v1/fleet')
  assert.deepEqual(
    body.data.map(({ blockers }: { blockers: string[] }) => blockers),
    [['rotation_unclaimed'], []],
  )
})

test('where it cannot rotate it tells why, once, and tries again after a day', async () => {
  const rotate = { ...policy, action: 'rotate' } as const
  await using server = await createFleet({ secretPolicy: rotate, publicUrl: null })
  const fleet = await server.add({ projects: 1, endpointsEach: 1 })
  const [entry] = fleet
  assert.ok(entry)
  const [project, [endpoint = '']] = entry
  server.clock.advance(91 * DAY_MS)
  await lookAtAll(server)
  await lookAtAll(server)
  server.clock.advance(DAY_MS)
  await lookAtAll(server)
  const told = await toldOf(server, project)
  assert.equal(told.length, 1)
  assert.match(told[0].refusal, /claim link, which needs COUNTERSIGN_PUBLIC_URL/)
  const rotations = await server.storage.listRotations(endpoint, { limit: 5, after: null })
  assert.deepEqual(rotations.items, [])
})

test('a project narrows or lifts the policy, and may not rotate what it cannot hand over', async () => {
  await using server = await createFleet({ publicUrl: null })
  const patch = (project: string, secret_policy: object) =>
    server.call('PATCH', `/v1/projects/${project}`, { body: { settings: { secret_policy } } })
  const [shared = ''] = (await server.add({ projects: 1, endpointsEach: 1 })).keys()
  const [paired = ''] = (
    await server.add({ projects: 1, endpointsEach: 1, algorithm: 'ed25519' })
  ).keys()
  const refused = await patch(shared, { action: 'rotate', max_age_days: 30 })
  assert.deepEqual(
    [refused.status, refused.body.errors[0].code, refused.body.param],
    [422, 'public_url_missing', 'settings.secret_policy.action'],
  )
  assert.equal((await patch(paired, { action: 'rotate', max_age_days: 30 })).status, 200)
  const set = {
    max_age_days: 5,
    action: 'notify',
    expire_current_in: 60,
    complete_when: 'verified',
  }
  const taken = await patch(shared, set)
  assert.deepEqual(taken.body.settings.secret_policy, set)
  for (const wrong of [{ max_age_days: 0 }, { action: 'cut' }, { expire_current_in: 0 }]) {
    assert.equal((await patch(shared, wrong)).status, 422, JSON.stringify(wrong))
  }
  server.clock.advance(6 * DAY_MS)
  const { body } = await server.call('GET', `/v1/fleet?project=${shared}`)
  assert.deepEqual([body.data.length, body.data[0].blockers], [1, ['over_age']])
  assert.deepEqual(body.data[0].policy, set)
  await server.call('PATCH', `/v1/projects/${shared}`, { body: { uid: 'shared' } })
  assert.equal((await server.call('GET', '/v1/fleet?project=shared')).body.data.length, 1)
  const unknown = await server.call('GET', '/v1/fleet?project=sharde')
  assert.deepEqual([unknown.status, unknown.body.param], [422, 'project'], 'not an empty fleet')
  await patch(shared, { max_age_days: null })
  const lifted = await server.call('GET', `/v1/fleet?project=${shared}`)
  assert.deepEqual([lifted.body.data[0].over_age_at, lifted.body.data[0].blockers], [null, []])
})

test('formats with one signature are told of, never cut by the policy', async () => {
  await using server = await createFleet({ secretPolicy: { ...policy, action: 'rotate' } })
  const [entry] = await server.add({ projects: 1, endpointsEach: 1, format: 'github' })
  assert.ok(entry)
  const [project, [endpoint = '']] = entry
  server.clock.advance(91 * DAY_MS)
  await lookAtAll(server)
  assert.match((await toldOf(server, project))[0].refusal, /carries one signature/)
  const rotations = await server.storage.listRotations(endpoint, { limit: 5, after: null })
  assert.deepEqual(rotations.items, [])
})

test('a policy that waits for proof is refused where the format has no probe', async () => {
  await using server = await createFleet()
  const [project = ''] = (
    await server.add({ projects: 1, endpointsEach: 1, format: 'devtune' })
  ).keys()
  const secret_policy = { action: 'rotate', max_age_days: 30, complete_when: 'verified' }
  const { status, body } = await server.call('PATCH', `/v1/projects/${project}`, {
    body: { settings: { secret_policy } },
  })
  assert.deepEqual([status, body.errors?.[0]?.code], [422, 'format_has_no_probe'])
})
