import assert from 'node:assert/strict'
import type { DeliveryStatus } from '../../core/delivery.ts'
import { type EndpointCondition, endpointConditions } from '../../core/endpoint.ts'
import type { DeliveryFilter, EndpointFilter } from '../storage.ts'
import type { StoreTest, StoreUnderTest } from '../storage-suite.ts'
import { readPages } from './pages-suite.ts'

/** Lists by position, counts, and what only other systems' APIs filter by. */
export function stretchesSuite(test: StoreTest): void {
  test('lists endpoints by position, both ways, and after an id', async (store) => {
    const { storage, samples } = store
    const { projectId, endpoints } = await addEndpoints(store)
    const other = await samples.addPair()
    const newestFirst = [...endpoints].reverse().map(({ id }) => id)
    const idsAt = async (stretch: Parameters<typeof storage.listEndpointsAt>[2]) =>
      (await storage.listEndpointsAt(projectId, {}, stretch)).map(({ id }) => id)
    for (const [skip, limit] of [
      [0, 100],
      [0, 2],
      [3, 2],
      [5, 100],
      [100, 1],
    ] as const) {
      assert.deepEqual(await idsAt({ skip, limit }), newestFirst.slice(skip, skip + limit))
      assert.deepEqual(
        await idsAt({ skip, limit, isOldestFirst: true }),
        [...newestFirst].reverse().slice(skip, skip + limit),
      )
    }
    const [, second] = newestFirst
    assert.ok(second)
    assert.deepEqual(await idsAt({ skip: 0, limit: 2, afterId: second }), newestFirst.slice(2, 4))
    await storage.transact((tx) => tx.deleteEndpoint(second, store.clock.now()))
    assert.deepEqual(await idsAt({ skip: 0, limit: 2, afterId: second }), newestFirst.slice(2, 4))
    assert.deepEqual(await idsAt({ skip: 0, limit: 9, afterId: other.endpoint.id }), [])
    assert.deepEqual(await idsAt({ skip: 0, limit: 9, afterId: 'ep_none' }), [])
  })

  test('filters endpoints alike in lists, by position and in counts', async (store) => {
    const { storage } = store
    const { projectId, endpoints } = await addEndpoints(store)
    const conditionOf = ({ health, state }: (typeof endpoints)[number]): EndpointCondition => {
      if (health === 'blocked') return 'blocked'
      if (state === 'disabled') return 'disabled'
      return health === 'failing' ? 'failing' : 'active'
    }
    const cases: [EndpointFilter, (endpoint: (typeof endpoints)[number]) => boolean][] = [
      [{}, () => true],
      [{ dialect: 'composio' }, ({ dialect }) => dialect === 'composio'],
      [{ notDialect: 'composio' }, ({ dialect }) => dialect !== 'composio'],
      [{ createdById: 'key_1' }, ({ createdBy }) => createdBy.id === 'key_1'],
      [{ createdById: 'key_none' }, () => false],
      [{ search: 'b.example', condition: 'active' }, (each) => each.url.includes('b.example')],
      ...endpointConditions.map((condition): (typeof cases)[number] => [
        { condition },
        (endpoint) => conditionOf(endpoint) === condition,
      ]),
    ]
    for (const [filter, fits] of cases) {
      const expected = endpoints
        .filter(
          (each) => fits(each) && (!filter.condition || conditionOf(each) === filter.condition),
        )
        .map(({ id }) => id)
        .reverse()
      const listed = await readPages(2, (page) => storage.listEndpoints(projectId, filter, page))
      const at = await storage.listEndpointsAt(projectId, filter, { skip: 0, limit: 100 })
      assert.deepEqual(
        listed.map(({ id }) => id),
        expected,
        JSON.stringify(filter),
      )
      assert.deepEqual(
        at.map(({ id }) => id),
        expected,
        JSON.stringify(filter),
      )
      assert.equal(await storage.countEndpoints(projectId, filter), expected.length)
    }
    const counts = await storage.countEndpointsByCondition(projectId)
    for (const condition of endpointConditions) {
      const expected = endpoints.filter((each) => conditionOf(each) === condition).length
      assert.equal(counts[condition], expected, condition)
    }
  })

  test('lists deliveries by position and counts them as all pages together do', async (store) => {
    const { storage, samples, clock } = store
    const { project, endpoint } = await samples.addPair()
    const second = await samples.addEndpoint(project.id, { eventTypes: ['order.*'] })
    await samples.addEndpoint(project.id, { state: 'disabled' })
    const other = await samples.addPair()
    await samples.publish(other.project.id, {})
    const times: number[] = []
    for (let round = 0; round < 5; round += 1) {
      clock.advance(1000)
      times.push(clock.now())
      await samples.publish(project.id, {}, { type: 'user.created' })
      if (round === 1) await samples.deliverAll()
      if (round === 2) {
        await samples.deliverAll({
          next: { status: 'failed', reason: 'exhausted', at: clock.now() },
        })
      }
      if (round === 3) {
        const dueAt = clock.now() + 60_000
        await samples.deliverAll({ next: { status: 'pending', dueAt } })
      }
    }
    const [event] = await samples.publish(project.id, { id: 'evt_named', hasCallerId: true })
    assert.ok(event)
    const filters: DeliveryFilter[] = [
      {},
      { endpointId: endpoint.id },
      { endpointId: second.id },
      { endpointId: other.endpoint.id },
      { eventId: 'evt_named' },
      { eventId: 'evt_named', endpointId: second.id },
      { eventId: 'evt_none' },
      { since: times[2] ?? 0 },
      { until: times[2] ?? 0 },
      { since: times[1] ?? 0, until: times[3] ?? 0, endpointId: endpoint.id },
      { status: 'failed' },
      { status: 'pending', endpointId: endpoint.id },
      { status: 'skipped', since: times[1] ?? 0 },
      { eventType: 'user.created' },
    ]
    for (const filter of filters) {
      const all = await readPages(3, (page) => storage.listDeliveries(project.id, filter, page))
      for (const [skip, limit] of [
        [0, 100],
        [1, 3],
        [4, 2],
        [1000, 5],
      ] as const) {
        assert.deepEqual(
          await storage.listDeliveriesAt(project.id, filter, { skip, limit }),
          all.slice(skip, skip + limit),
          JSON.stringify({ filter, skip, limit }),
        )
      }
      if (filter.status !== undefined || filter.eventType !== undefined) continue
      const counts: Record<DeliveryStatus, number> = {
        pending: 0,
        delivered: 0,
        failed: 0,
        skipped: 0,
      }
      for (const { status } of all) counts[status] += 1
      assert.deepEqual(
        await storage.countDeliveries(project.id, filter),
        counts,
        JSON.stringify(filter),
      )
    }
  })

  test('shows the time of the event and how long the last attempt took', async (store) => {
    const { storage, samples, clock } = store
    const { project } = await samples.addPair()
    await samples.publish(project.id, { timestamp: '2026-01-02T03:04:05+01:00' })
    const read = async () =>
      (await storage.listDeliveriesAt(project.id, {}, { skip: 0, limit: 1 }))[0]
    assert.equal((await read())?.eventTimestamp, '2026-01-02T03:04:05+01:00')
    assert.equal((await read())?.lastDurationMs, null)
    for (const durationMs of [7, 3]) {
      await samples.deliverAll({
        attempt: samples.attempt({ durationMs }),
        next: { status: 'pending', dueAt: clock.now() },
      })
      assert.equal((await read())?.lastDurationMs, durationMs)
    }
  })

  test('finds a key by its client id and by its id', async ({ storage, samples, clock }) => {
    const project = await samples.addProject()
    const plain = samples.apiKey(project.id)
    const credentials = samples.apiKey(project.id, { dialect: 'dinie', clientId: 'dinie_ci_1' })
    await storage.transact(async (tx) => {
      await tx.insertApiKey(plain)
      await tx.insertApiKey(credentials)
    })
    assert.deepEqual(await storage.findApiKeyByClientId('dinie_ci_1'), credentials)
    assert.equal(await storage.findApiKeyByClientId('dinie_ci_2'), null)
    assert.deepEqual(await storage.findApiKeyById(plain.id), plain)
    assert.equal(await storage.findApiKeyById('key_none'), null)
    await storage.transact((tx) => tx.deleteProject(project.id, clock.now()))
    assert.equal(await storage.findApiKeyByClientId('dinie_ci_1'), null)
    assert.equal(await storage.findApiKeyById(plain.id), null)
  })
}

/** One endpoint of each condition, and some made by others, oldest first. */
async function addEndpoints({ samples }: StoreUnderTest) {
  const project = await samples.addProject()
  const values: Parameters<typeof samples.addEndpoint>[1][] = [
    {},
    { dialect: 'composio', url: 'https://b.example.com/' },
    { health: 'failing', createdBy: { type: 'key', id: 'key_1', name: 'one' } },
    { health: 'blocked', state: 'disabled', dialect: 'dinie' },
    { health: 'blocked' },
    { state: 'disabled', health: 'failing' },
    { createdBy: { type: 'root', id: null, name: null } },
  ]
  const endpoints = []
  for (const value of values) endpoints.push(await samples.addEndpoint(project.id, value))
  return { projectId: project.id, endpoints }
}
