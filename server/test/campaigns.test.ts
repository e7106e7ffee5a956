import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFleet } from './support/fleet.ts'
import type { TestApi } from './support/test-api.ts'

const DAY_MS = 86_400_000

async function rotationCounts(server: TestApi, endpoints: Iterable<string>): Promise<Set<number>> {
  const counts = new Set<number>()
  for (const id of endpoints) {
    counts.add((await server.storage.listRotations(id, { limit: 5, after: null })).items.length)
  }
  return counts
}

// On PostgreSQL each rotation has a commit of its own, so fewer say as much.
const isOnPostgres = process.env.COUNTERSIGN_TEST_POSTGRES !== undefined
const endpointsEach = isOnPostgres ? 5 : 100
const total = 100 * endpointsEach

test('rotates thousands of endpoints of many projects, paced, each exactly once', async (t) => {
  await using server = await createFleet()
  const shared = await server.add({ projects: 90, endpointsEach })
  const paired = await server.add({ projects: 10, endpointsEach, algorithm: 'ed25519' })
  const id = await server.begin({ per_minute: 6000, deliver: 'claim_link', reason: 'quarterly' })
  const began = performance.now()
  let rotated = await server.work(id)
  assert.equal(rotated, 1, 'it begins with one')
  for (let second = 1; rotated < total && second < 110; second += 1) {
    server.clock.advance(1_000)
    const now = await server.work(id)
    assert.ok(now <= 101, `${now} in a second`)
    rotated += now
    if (second === (isOnPostgres ? 2 : 30)) {
      const paused = await server.call('POST', `/v1/rotation-campaigns/${id}/pause`)
      assert.deepEqual([paused.status, paused.body.status], [200, 'paused'])
      server.clock.advance(60_000)
      assert.equal(await server.work(id), 0, 'paused')
      assert.equal((await server.call('POST', `/v1/rotation-campaigns/${id}/resume`)).status, 200)
      const more = await server.work(id)
      assert.ok(more > 0 && more <= 101, `${more} at once after the pause: it is not made up for`)
      rotated += more
    }
  }
  t.diagnostic(`${rotated} endpoints in ${Math.round(performance.now() - began)} ms of real time`)
  await server.work(id)
  const done = (await server.call('GET', `/v1/rotation-campaigns/${id}`)).body
  assert.equal(done.status, 'completed')
  const endpoints = { total, pending: 0, rotated: total, blocked: 0, skipped: 0 }
  assert.deepEqual(done.endpoints, endpoints)
  assert.deepEqual([done.rotations.open, done.rotations.unclaimed], [total, total * 0.9])
  const all = [...shared.values(), ...paired.values()].flat()
  assert.deepEqual(await rotationCounts(server, all), new Set([1]))
  const late = await server.call('POST', `/v1/rotation-campaigns/${id}/cancel`)
  assert.deepEqual([late.status, late.body.code], [409, 'campaign_closed'])
})

test('passes by who has a rotation open, tries again, and says who blocks', async () => {
  await using server = await createFleet()
  const [entry] = await server.add({ projects: 1, endpointsEach: 2 })
  assert.ok(entry)
  const [project, [blocked, other = '']] = entry
  const path = `/v1/projects/${project}/endpoints/${blocked}`
  const own = await server.call('POST', `${path}/secret/rotate`, { body: {} })
  assert.equal(own.status, 200, own.text)
  const id = await server.begin({ per_minute: 60, deliver: 'claim_link' })
  await server.work(id)
  server.clock.advance(2_000)
  await server.work(id)
  const listed = await server.call('GET', `/v1/rotation-campaigns/${id}/endpoints?state=blocked`)
  const [row] = listed.body.data
  assert.deepEqual(
    [listed.body.data.length, row.endpoint_id, row.refusal.code, row.rotation_id],
    [1, blocked, 'rotation_in_progress', null],
  )
  const rotation = own.body.rotation.id
  const ended = await server.call('POST', `${path}/rotations/${rotation}/complete`, { body: {} })
  assert.equal(ended.status, 200, ended.text)
  assert.equal(await server.work(id), 0, 'not before its time')
  server.clock.advance(600_000)
  assert.equal(await server.work(id), 1)
  server.clock.advance(1_000)
  await server.work(id)
  const done = (await server.call('GET', `/v1/rotation-campaigns/${id}`)).body
  assert.deepEqual([done.status, done.endpoints.rotated], ['completed', 2])
  assert.deepEqual(await rotationCounts(server, [other]), new Set([1]))
  const read = await server.call('GET', `${path}/rotations?limit=1`)
  assert.equal(read.body.data[0].campaign_id, id)
})

test('campaigns that wait for blocked endpoints keep no turns from others', async () => {
  await using server = await createFleet()
  const [entry] = await server.add({ projects: 1, endpointsEach: 2 })
  assert.ok(entry)
  const [project, [blocked, free]] = entry
  const path = `/v1/projects/${project}/endpoints/${blocked}/secret/rotate`
  assert.equal((await server.call('POST', path, { body: {} })).status, 200)
  const begin = (endpoint: string | undefined) =>
    server.begin({ per_minute: 60, deliver: 'claim_link', filter: { endpoint_ids: [endpoint] } })
  for (let count = 0; count < 12; count += 1) await begin(blocked)
  server.clock.advance(1)
  const last = await begin(free)
  let rotated = 0
  for (let step = 0; step < 4; step += 1) rotated += await server.work(last)
  assert.equal(rotated, 1)
})

test('rotates only what the filter names, and skips what nobody could be handed', async () => {
  await using server = await createFleet()
  const old = await server.add({ projects: 1, endpointsEach: 3 })
  server.clock.advance(10 * DAY_MS)
  await server.add({ projects: 1, endpointsEach: 3 })
  const paired = await server.add({ projects: 1, endpointsEach: 2, algorithm: 'ed25519' })
  const [oldProject] = old.keys()
  const totals = async (filter: object) => {
    const id = await server.begin({ per_minute: 1, deliver: 'claim_link', filter })
    const { body } = await server.call('POST', `/v1/rotation-campaigns/${id}/cancel`)
    assert.equal(body.status, 'cancelled')
    return body.endpoints.total
  }
  assert.equal(await totals({}), 8)
  assert.equal(await totals({ older_than_days: 10 }), 3)
  assert.equal(await totals({ project_ids: [oldProject] }), 3)
  assert.equal(await totals({ algorithm: 'ed25519' }), 2)
  assert.equal(await totals({ endpoint_ids: [...paired.values()].flat().slice(1) }), 1)
  assert.equal(await totals({ over_age: true }), 0)
  const settings = { secret_policy: { max_age_days: 10 } }
  await server.call('PATCH', `/v1/projects/${oldProject}`, { body: { settings } })
  assert.equal(await totals({ over_age: true }), 3)

  const id = await server.begin({ per_minute: 6000 })
  for (let step = 0; step < 5; step += 1) {
    await server.work(id)
    server.clock.advance(1_000)
  }
  const done = (await server.call('GET', `/v1/rotation-campaigns/${id}`)).body
  assert.deepEqual(
    [done.status, done.endpoints.rotated, done.endpoints.skipped],
    ['completed', 2, 6],
  )
  assert.deepEqual(await rotationCounts(server, [...old.values()].flat()), new Set([0]))
})

test('a filter with ids that nothing has is refused, and each of them named', async () => {
  await using server = await createFleet()
  const project = await server.addProject({ uid: 'acme' })
  const [[, [kept, deleted]] = ['', []]] = await server.add({ projects: 1, endpointsEach: 2 })
  await server.storage.transact((tx) => tx.deleteEndpoint(deleted ?? '', server.clock.now()))
  const begin = (filter: object) =>
    server.call('POST', '/v1/rotation-campaigns', {
      body: { per_minute: 1, deliver: 'claim_link', filter },
    })
  const refused = await begin({
    project_ids: [project.id, 'acme', 'prj_misspelt'],
    endpoint_ids: ['ep_misspelt', kept, deleted],
  })
  assert.deepEqual([refused.status, refused.body.code], [422, 'validation_failed'])
  assert.deepEqual(refused.body.errors, [
    { param: 'filter.project_ids.1', detail: 'No project has the id acme.', code: 'not_found' },
    {
      param: 'filter.project_ids.2',
      detail: 'No project has the id prj_misspelt.',
      code: 'not_found',
    },
    {
      param: 'filter.endpoint_ids.0',
      detail: 'No endpoint has the id ep_misspelt.',
      code: 'not_found',
    },
    {
      param: 'filter.endpoint_ids.2',
      detail: `No endpoint has the id ${deleted}.`,
      code: 'not_found',
    },
  ])
  const many = await begin({ endpoint_ids: Array.from({ length: 1_000 }, (_, n) => `ep_${n}`) })
  assert.deepEqual([many.status, many.body.errors.length], [422, 100])
  assert.equal((await server.call('GET', '/v1/rotation-campaigns')).body.data.length, 0)
  assert.equal((await begin({ endpoint_ids: [kept] })).status, 201)
})

test('a stage that would come before the end of the campaign is refused', async () => {
  await using server = await createFleet()
  await server.add({ projects: 1, endpointsEach: 60 })
  const at = (ms: number) => new Date(server.clock.now() + ms).toISOString()
  const begin = (body: object) =>
    server.call('POST', '/v1/rotation-campaigns', {
      body: { per_minute: 6, deliver: 'claim_link', ...body },
    })
  const refused = await begin({ activate_at: at(600_000) })
  assert.deepEqual([refused.status, refused.body.param], [422, 'activate_at'])
  const tooFar = await begin({ activate_at: at(31 * DAY_MS) })
  assert.deepEqual([tooFar.status, tooFar.body.param], [422, 'activate_at'])
  assert.equal((await server.call('GET', '/v1/rotation-campaigns')).body.data.length, 0)
  const taken = await begin({ activate_at: at(DAY_MS) })
  assert.equal(taken.status, 201, taken.text)
  await server.work(taken.body.id)
  const rows = await server.call(
    'GET',
    `/v1/rotation-campaigns/${taken.body.id}/endpoints?state=rotated`,
  )
  const [{ project_id, endpoint_id, rotation_id }] = rows.body.data
  const path = `/v1/projects/${project_id}/endpoints/${endpoint_id}/rotations/${rotation_id}`
  assert.equal((await server.call('GET', path)).body.status, 'staged')
  const link = await server.call('POST', `${path}/claim-link`)
  assert.match(link.body.claim_url, /^https:\/\/hooks\.example\/claim#ccl_/)
})

test('fleet and campaigns belong to the root key', async () => {
  await using server = await createFleet()
  const project = await server.addProject()
  const id = await server.begin({ per_minute: 1, deliver: 'claim_link' })
  const calls = [
    ['GET', '/v1/fleet'],
    ['GET', '/v1/rotation-campaigns'],
    ['POST', '/v1/rotation-campaigns'],
    ['GET', `/v1/rotation-campaigns/${id}`],
    ['GET', `/v1/rotation-campaigns/${id}/endpoints`],
    ['POST', `/v1/rotation-campaigns/${id}/pause`],
    ['POST', `/v1/rotation-campaigns/${id}/resume`],
    ['POST', `/v1/rotation-campaigns/${id}/cancel`],
  ] as const
  for (const [method, path] of calls) {
    const body =
      path === '/v1/rotation-campaigns' && method === 'POST' ? { per_minute: 1 } : undefined
    const reply = await server.call(method, path, {
      key: project.key,
      ...(body === undefined ? {} : { body }),
    })
    assert.deepEqual([reply.status, reply.body.code], [403, 'forbidden'], `${method} ${path}`)
    assert.equal((await server.call(method, path, { key: null })).status, 401)
  }
  assert.equal((await server.read(id)).status, 'running')
})
