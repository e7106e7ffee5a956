import assert from 'node:assert/strict'
import type { Delivery } from '../../core/delivery.ts'
import type { AttemptResult, DeliveryFilter } from '../storage.ts'
import type { StoreTest, StoreUnderTest } from '../storage-suite.ts'
import { onePage, readPages } from './pages-suite.ts'

export function deliveriesSuite(test: StoreTest): void {
  test('shows a delivery from accepted to delivered', async ({ storage, samples, clock }) => {
    const { project, endpoint } = await samples.addPair()
    const [event] = await samples.publish(project.id)
    const [claimed] = await samples.claimAll()
    assert.ok(event && claimed)
    const pending: Delivery = {
      id: claimed.id,
      projectId: project.id,
      endpointId: endpoint.id,
      eventId: event.id,
      eventType: event.type,
      eventTimestamp: event.timestamp,
      status: 'pending',
      failureReason: null,
      attemptCount: 0,
      seriesAttemptCount: 0,
      nextAttemptAt: event.createdAt,
      lastStatusCode: null,
      lastError: null,
      lastDurationMs: null,
      isTest: false,
      createdAt: event.createdAt,
      completedAt: null,
    }
    assert.deepEqual(await storage.getDelivery(project.id, claimed.id), pending)
    assert.equal(await storage.getDelivery((await samples.addProject()).id, claimed.id), null)
    clock.advance(40)
    const result = samples.result(claimed)
    assert.deepEqual(await storage.transact((tx) => tx.recordAttempts([result])), {
      fencedDeliveryIds: [],
    })
    assert.deepEqual(await storage.getDelivery(project.id, claimed.id), {
      ...pending,
      status: 'delivered',
      attemptCount: 1,
      seriesAttemptCount: 1,
      nextAttemptAt: null,
      lastStatusCode: 204,
      lastDurationMs: result.attempt?.durationMs ?? null,
      completedAt: clock.now(),
    })
    const attempts = await storage.listAttempts(claimed.id)
    assert.deepEqual(attempts, [{ ...result.attempt, number: 1 }])
  })

  test('numbers attempts and keeps what each was', async ({ storage, samples, clock }) => {
    const { project } = await samples.addPair()
    await samples.publish(project.id)
    const failures: AttemptResult['attempt'][] = [
      samples.attempt({ response: null, error: 'dns', errorDetail: 'no such host 😀' }),
      samples.attempt({
        error: 'http_status',
        response: {
          statusCode: 500,
          headers: { b: '2', a: '1' },
          body: 'oh\u0000no',
          bodyTruncated: true,
        },
        secretIds: [],
      }),
    ]
    for (const attempt of failures) {
      const next = { status: 'pending' as const, dueAt: clock.now() + 1000 }
      await samples.deliverAll({ attempt, next })
      clock.advance(1000)
    }
    const next = { status: 'failed' as const, reason: 'exhausted' as const, at: clock.now() }
    const [delivery] = await samples.deliverAll({ next })
    assert.ok(delivery)
    const attempts = await storage.listAttempts(delivery.id)
    assert.deepEqual(
      attempts.map(({ number }) => number),
      [1, 2, 3],
    )
    failures.forEach((attempt, index) => {
      assert.deepEqual(attempts[index], { ...attempt, number: index + 1 })
    })
    const failed = await storage.getDelivery(project.id, delivery.id)
    assert.equal(failed?.status, 'failed')
    assert.equal(failed?.failureReason, 'exhausted')
    assert.equal(failed?.attemptCount, 3)
    assert.equal(failed?.lastStatusCode, 204)
    assert.deepEqual(await storage.listAttempts('dlv_other'), [])
  })

  test('ends a delivery without an attempt', async ({ storage, samples, clock }) => {
    const { project } = await samples.addPair()
    await samples.publish(project.id)
    await samples.deliverAll({
      attempt: samples.attempt({ response: null, error: 'timeout' }),
      next: { status: 'pending', dueAt: clock.now() },
    })
    const next = { status: 'skipped' as const, at: clock.now() }
    const [delivery] = await samples.deliverAll({ attempt: null, next })
    const skipped = await storage.getDelivery(project.id, delivery?.id ?? '')
    assert.equal(skipped?.status, 'skipped')
    assert.equal(skipped?.completedAt, clock.now())
    assert.equal(skipped?.attemptCount, 1)
    assert.equal(skipped?.lastError, 'timeout')
    assert.equal((await storage.listAttempts(delivery?.id ?? '')).length, 1)
  })

  test('retries a finished delivery with a fresh schedule', async (store) => {
    const { storage, samples, clock } = store
    const { project } = await samples.addPair()
    await samples.publish(project.id)
    const next = { status: 'failed' as const, reason: 'gone' as const, at: clock.now() }
    const [delivery] = await samples.deliverAll({ next })
    assert.ok(delivery)
    const at = clock.now() + 50
    assert.equal(await storage.transact((tx) => tx.retryDelivery(delivery.id, at)), true)
    const read = await storage.getDelivery(project.id, delivery.id)
    assert.equal(read?.status, 'pending')
    assert.equal(read?.failureReason, null)
    assert.equal(read?.completedAt, null)
    assert.equal(read?.nextAttemptAt, at)
    assert.deepEqual([read?.attemptCount, read?.seriesAttemptCount], [1, 0])
    assert.deepEqual(await samples.claimAll(), [])
    clock.advance(50)
    const [claimed] = await samples.claimAll()
    assert.deepEqual([claimed?.attemptCount, claimed?.seriesAttemptCount], [1, 0])
    // Leased now: the attempt under way goes on.
    const again = storage.transact((tx) => tx.retryDelivery(delivery.id, clock.now()))
    assert.equal(await again, false)
  })

  test('retries what was finished in the same transaction', async (store) => {
    const { storage, samples, clock } = store
    const { project } = await samples.addPair()
    await samples.publish(project.id)
    const [delivery] = await samples.claimAll()
    assert.ok(delivery)
    const next = { status: 'failed' as const, reason: 'exhausted' as const, at: clock.now() }
    const isRetried = await storage.transact(async (tx) => {
      await tx.recordAttempts([samples.result(delivery, { next })])
      return tx.retryDelivery(delivery.id, clock.now())
    })
    assert.equal(isRetried, true)
    const [claimed] = await samples.claimAll()
    assert.deepEqual([claimed?.attemptCount, claimed?.seriesAttemptCount], [1, 0])
  })

  test('brings a scheduled retry forward', async ({ storage, samples, clock }) => {
    const { project } = await samples.addPair()
    await samples.publish(project.id)
    const later = clock.now() + 60_000
    const [delivery] = await samples.deliverAll({ next: { status: 'pending', dueAt: later } })
    assert.equal(await storage.nextDueAt(), later)
    await storage.transact((tx) => tx.retryDelivery(delivery?.id ?? '', clock.now()))
    assert.equal(await storage.nextDueAt(), clock.now())
    assert.equal((await samples.claimAll())[0]?.id, delivery?.id)
  })

  test('lists by every filter, newest first, page by page', async (store) => {
    const { storage, clock } = store
    const { project, endpoints, types } = await addMixture(store)
    const all = await readPages(7, (page) => storage.listDeliveries(project.id, {}, page))
    assert.equal(all.length, 120)
    assertNewestFirst(all)
    const now = clock.now()
    const eventId = all[50]?.eventId ?? ''
    const times = [
      {},
      { since: now - 30, until: now - 10 },
      { until: now - 25 },
      { since: now - 5 },
    ]
    const statuses = [undefined, 'pending', 'delivered', 'failed', 'skipped'] as const
    let matched = 0
    for (const endpointId of [undefined, endpoints[0]?.id, endpoints[2]?.id, 'ep_other']) {
      for (const eventType of [undefined, types[0], 'not.there']) {
        for (const status of statuses) {
          for (const time of [...times, { eventId }]) {
            const filter: DeliveryFilter = { ...time }
            if (endpointId !== undefined) filter.endpointId = endpointId
            if (eventType !== undefined) filter.eventType = eventType
            if (status !== undefined) filter.status = status
            const expected = all.filter((delivery) => matches(delivery, filter))
            const listed = await readPages(5, (page) =>
              storage.listDeliveries(project.id, filter, page),
            )
            assert.deepEqual(listed, expected, JSON.stringify(filter))
            matched += listed.length
          }
        }
      }
    }
    assert.ok(matched > 500, `the filters found only ${matched}`)
  })

  test('lists deliveries stable under inserts', async ({ storage, samples, clock }) => {
    const { project } = await samples.addPair()
    for (let index = 0; index < 6; index += 1) {
      await samples.publish(project.id)
      clock.advance(index % 2)
    }
    const before = (await storage.listDeliveries(project.id, {}, onePage)).items
    const first = await storage.listDeliveries(project.id, {}, { limit: 2, after: null })
    await samples.publish(project.id, {}, {})
    const rest = await readPages(3, ({ limit, after }) =>
      storage.listDeliveries(project.id, {}, { limit, after: after ?? first.nextKey }),
    )
    assert.deepEqual([...first.items, ...rest], before)
  })

  test('shows the deliveries of a deleted endpoint', async ({ storage, samples, clock }) => {
    const { project, endpoint } = await samples.addPair()
    await samples.publish(project.id)
    await storage.transact((tx) => tx.deleteEndpoint(endpoint.id, clock.now()))
    const { items } = await storage.listDeliveries(project.id, { status: 'pending' }, onePage)
    assert.equal(items[0]?.endpointId, endpoint.id)
  })
}

function assertNewestFirst(deliveries: readonly Delivery[]): void {
  deliveries.forEach((delivery, index) => {
    const next = deliveries[index + 1]
    assert.ok(next === undefined || delivery.createdAt >= next.createdAt)
  })
  assert.equal(new Set(deliveries.map(({ id }) => id)).size, deliveries.length)
}

/** Deliveries of three endpoints, three types, all statuses and many times, in two projects. */
async function addMixture({ storage, samples, clock }: StoreUnderTest) {
  const project = await samples.addProject()
  const other = await samples.addPair()
  const types = ['order.created', 'order.paid', 'user.created']
  const endpoints = [
    await samples.addEndpoint(project.id),
    await samples.addEndpoint(project.id, { eventTypes: ['order.*'] }),
    await samples.addEndpoint(project.id, { state: 'disabled' }),
  ]
  for (let index = 0; index < 45; index += 1) {
    await samples.publish(project.id, { type: types[index % 3] ?? '' })
    await samples.publish(other.project.id, { type: types[index % 3] ?? '' })
    if (index % 2 === 0) clock.advance(2)
  }
  const claimed = await samples.claimAll()
  const at = clock.now()
  const results = claimed.flatMap((delivery, index): AttemptResult[] => {
    if (index % 4 === 0) return []
    if (index % 4 === 1) return [samples.result(delivery)]
    if (index % 4 === 2) {
      return [samples.result(delivery, { next: { status: 'failed', reason: 'exhausted', at } })]
    }
    return [samples.result(delivery, { next: { status: 'pending', dueAt: at + index * 10 } })]
  })
  await storage.transact((tx) => tx.recordAttempts(results))
  return { project, endpoints, types }
}

function matches(delivery: Delivery, filter: DeliveryFilter): boolean {
  return (
    (filter.endpointId === undefined || delivery.endpointId === filter.endpointId) &&
    (filter.eventId === undefined || delivery.eventId === filter.eventId) &&
    (filter.eventType === undefined || delivery.eventType === filter.eventType) &&
    (filter.status === undefined || delivery.status === filter.status) &&
    (filter.since === undefined || delivery.createdAt >= filter.since) &&
    (filter.until === undefined || delivery.createdAt < filter.until)
  )
}
