import assert from 'node:assert/strict'
import type { DeliveryStatus } from '../../core/delivery.ts'
import type { StoreTest, StoreUnderTest } from '../storage-suite.ts'
import { onePage } from './pages-suite.ts'

/** Sending again what was missed, and taking away what is old or must not be kept. */
export function removalsSuite(test: StoreTest): void {
  test('recovers what was missed in a span, in steps, across a restart', async (store) => {
    const { samples, clock } = store
    const { project, endpoint } = await samples.addPair()
    const times: number[] = []
    for (let count = 0; count < 6; count += 1) {
      clock.advance(1000)
      times.push(clock.now())
      await samples.publish(project.id)
      const next =
        count === 2
          ? ({ status: 'delivered', at: clock.now() } as const)
          : count === 3
            ? ({ status: 'skipped', at: clock.now() } as const)
            : ({ status: 'failed', reason: 'exhausted', at: clock.now() } as const)
      await samples.deliverAll({ next })
    }
    await store.storage.transact((tx) =>
      tx.insertRecovery({
        endpointId: endpoint.id,
        since: times[1] ?? 0,
        until: times[5] ?? 0,
        statuses: ['failed', 'skipped'],
      }),
    )
    const go = () => store.storage.transact((tx) => tx.continueRecoveries(clock.now(), 2))
    assert.equal(await go(), 2)
    await store.reopen()
    assert.equal(await go(), 1)
    assert.equal(await go(), null)
    assert.deepEqual(await statusesOf(store, project.id), [
      ...['failed', 'pending', 'delivered', 'pending', 'pending', 'failed'],
    ])
    assert.equal((await store.storage.backlog()).pending, 3)
    const claimed = await samples.claimAll()
    assert.equal(claimed.length, 3)
    assert.ok(claimed.every(({ attemptCount }) => attemptCount === 1))
    assert.ok(claimed.every(({ seriesAttemptCount }) => seriesAttemptCount === 0))
  })

  test('a recovery of an endpoint that is gone ends by itself', async (store) => {
    const { storage, samples, clock } = store
    const { project, endpoint } = await samples.addPair()
    await samples.publish(project.id)
    await samples.deliverAll({ next: { status: 'skipped', at: clock.now() } })
    const span = { since: 0, until: clock.now() + 1, statuses: ['skipped'] as const }
    await storage.transact(async (tx) => {
      await tx.insertRecovery({ endpointId: endpoint.id, ...span })
      await tx.deleteEndpoint(endpoint.id, clock.now())
    })
    const go = () => storage.transact((tx) => tx.continueRecoveries(clock.now(), 10))
    assert.equal(await go(), 0)
    assert.equal(await go(), null)
  })

  test('expunges an event, its answers, and what is still to be sent', async (store) => {
    const { storage, samples, clock } = store
    const { project } = await samples.addPair()
    await samples.addEndpoint(project.id)
    const [event] = await samples.publish(project.id, { metadata: { name: 'Ada' } })
    assert.ok(event)
    const [first, second] = await samples.claimAll()
    assert.ok(first && second)
    const echo = { statusCode: 200, headers: { x: 'Ada' }, body: 'Ada', bodyTruncated: false }
    const answered = samples.result(first, { attempt: samples.attempt({ response: echo }) })
    await storage.transact((tx) => tx.recordAttempts([answered]))

    const expunge = (id: string) =>
      storage.transact((tx) => tx.expungeEvent(project.id, id, clock.now()))
    assert.equal(await expunge('evt_none'), false)
    assert.equal(await expunge(event.id), true)
    const kept = await storage.getEvent(project.id, event.id)
    assert.equal(kept?.data, null)
    assert.deepEqual(kept?.metadata, {})
    const [attempt] = await storage.listAttempts(first.id)
    assert.deepEqual(attempt?.response, { ...echo, headers: {}, body: '' })
    const failed = await storage.getDelivery(project.id, second.id)
    assert.equal(failed?.status, 'failed')
    assert.equal(failed?.failureReason, 'refused')
    assert.equal((await storage.backlog()).pending, 0)
    // What was on its way is not recorded: its answer might repeat what was expunged.
    const late = await storage.transact((tx) => tx.recordAttempts([samples.result(second)]))
    assert.deepEqual(late.fencedDeliveryIds, [second.id])
    const span = { since: 0, until: clock.now() + 1, statuses: ['failed'] as const }
    await storage.transact((tx) => tx.insertRecovery({ endpointId: second.endpointId, ...span }))
    assert.equal(await storage.transact((tx) => tx.continueRecoveries(clock.now(), 10)), 0)
  })

  test('removes old events in steps, and nothing that is young or on its way', async (store) => {
    const { storage, samples, clock } = store
    const { project, endpoint } = await samples.addPair()
    const other = await samples.addPair()
    await samples.publish(other.project.id)
    await samples.publish(project.id, {}, {}, {})
    await samples.deliverAll()
    const [waiting] = await samples.publish(project.id)
    clock.advance(10_000)
    const before = clock.now()
    const [young] = await samples.publish(project.id)
    const [old] = (await storage.listEvents(project.id, onePage)).items.slice(-1)
    const [delivery] = (
      await storage.listDeliveries(project.id, { eventId: old?.id ?? '' }, onePage)
    ).items
    assert.ok(waiting && young && old && delivery)

    const clean = () => storage.transact((tx) => tx.deleteOldEvents(project.id, before, 2))
    assert.deepEqual([await clean(), await clean(), await clean()], [2, 1, 0])
    const left = (await storage.listEvents(project.id, onePage)).items.map(({ id }) => id)
    assert.deepEqual(left, [young.id, waiting.id])
    assert.equal(await storage.getDelivery(project.id, delivery.id), null)
    assert.deepEqual(await storage.listAttempts(delivery.id), [])
    const { items } = await storage.listDeliveries(project.id, { endpointId: endpoint.id }, onePage)
    assert.equal(items.length, 2)
    assert.equal((await storage.listEvents(other.project.id, onePage)).items.length, 1)
    assert.equal((await samples.claimAll()).length, 2)
  })

  test('tells what became of an endpoint, how long it took, and when', async (store) => {
    const { storage, samples, clock } = store
    const { project, endpoint } = await samples.addPair()
    const other = await samples.addEndpoint(project.id, { eventTypes: ['never'] })
    clock.advance(60_000 - (clock.now() % 60_000))
    const start = clock.now()
    for (let count = 1; count <= 10; count += 1) {
      await samples.publish(project.id)
      const next =
        count === 10
          ? ({ status: 'failed', reason: 'exhausted', at: clock.now() } as const)
          : ({ status: 'delivered', at: clock.now() } as const)
      const attempt = samples.attempt({ durationMs: count * 10 })
      await samples.deliverAll({ attempt, next })
      if (count === 4) clock.advance(120_000)
    }
    await samples.publish(project.id)
    const request = {
      endpointId: endpoint.id,
      since: start,
      until: clock.now() + 1,
      bucketMs: 60_000,
      deliveriesMax: 1000,
    }
    assert.deepEqual(await storage.deliveryStats(project.id, request), {
      counts: { pending: 1, delivered: 9, failed: 1, skipped: 0 },
      durations: { p50: 50, p95: 100, p99: 100 },
      buckets: [
        { at: start, counts: { pending: 0, delivered: 4, failed: 0, skipped: 0 } },
        { at: start + 120_000, counts: { pending: 1, delivered: 5, failed: 1, skipped: 0 } },
      ],
      isPartial: false,
    })
    const newest = { ...request, deliveriesMax: 3, bucketMs: null }
    assert.deepEqual(await storage.deliveryStats(project.id, newest), {
      counts: { pending: 1, delivered: 1, failed: 1, skipped: 0 },
      durations: { p50: 90, p95: 100, p99: 100 },
      buckets: [],
      isPartial: true,
    })
    const all = await storage.deliveryStats(project.id, { ...request, deliveriesMax: 11 })
    assert.equal(all.isPartial, false)
    const none = await storage.deliveryStats(project.id, { ...request, endpointId: other.id })
    assert.equal(none.durations, null)
    const { endpointId: _, ...whole } = request
    const another = await samples.addEndpoint(project.id)
    const foreign = await samples.addPair()
    await samples.publish(project.id)
    await samples.publish(foreign.project.id)
    await storage.transact((tx) => tx.deleteEndpoint(another.id, clock.now()))
    const ofProject = await storage.deliveryStats(project.id, { ...whole, until: clock.now() + 1 })
    assert.equal(ofProject.counts.delivered, 9)
    assert.equal(sumOf(ofProject.counts), 13)
    assert.equal(sumOf(ofProject.buckets[1]?.counts), 9)
    assert.deepEqual(ofProject.durations, { p50: 50, p95: 100, p99: 100 })
    const unknown = await storage.deliveryStats('prj_none', whole)
    assert.deepEqual(unknown.buckets, [])
    const early = { ...request, until: start + 60_000 }
    assert.equal((await storage.deliveryStats(project.id, early)).counts.delivered, 4)
  })
}

function sumOf(counts: Record<DeliveryStatus, number> | undefined): number {
  return Object.values(counts ?? {}).reduce((sum, count) => sum + count, 0)
}

/** Oldest first. */
async function statusesOf(
  { storage }: StoreUnderTest,
  projectId: string,
): Promise<DeliveryStatus[]> {
  const { items } = await storage.listDeliveries(projectId, {}, onePage)
  return items.map(({ status }) => status).reverse()
}
