import assert from 'node:assert/strict'
import type { ClaimedDelivery, ClaimRelease, ClaimRequest } from '../storage.ts'
import type { StoreTest } from '../storage-suite.ts'

const everything: ClaimRequest = { limit: 1000, perEndpointMax: 1000, fullEndpointIds: new Set() }

export function claimsSuite(test: StoreTest): void {
  test('claims what is due once, oldest first', async ({ storage, samples, clock }) => {
    const { project, endpoint } = await samples.addPair()
    const published = []
    for (let index = 0; index < 5; index += 1) {
      published.push(...(await samples.publish(project.id)))
      clock.advance(1)
    }
    const claimed = await storage.claimDue({ ...everything, limit: 3 })
    const [first] = published
    assert.deepEqual(
      claimed.map(({ event }) => event.id),
      published.slice(0, 3).map(({ id }) => id),
    )
    assert.deepEqual(claimed[0], {
      id: claimed[0]?.id,
      projectId: project.id,
      endpointId: endpoint.id,
      event: {
        id: first?.id,
        type: first?.type,
        timestamp: first?.timestamp,
        data: first?.data,
        metadata: '{}',
        createdAt: first?.createdAt,
      },
      attemptCount: 0,
      seriesAttemptCount: 0,
      isTest: false,
      isEndpointDeleted: false,
      leaseToken: claimed[0]?.leaseToken,
      leaseUntilMonotonic: claimed[0]?.leaseUntilMonotonic,
    })
    assert.equal((await storage.claimDue(everything)).length, 2)
    assert.deepEqual(await storage.claimDue(everything), [])
    assert.equal(await storage.nextDueAt(), null)
  })

  test('gives no endpoint more than its share, and none to a full one', async (store) => {
    const { storage, samples } = store
    const project = await samples.addProject()
    const [a, b, c] = [
      await samples.addEndpoint(project.id),
      await samples.addEndpoint(project.id),
      await samples.addEndpoint(project.id),
    ]
    await samples.publish(project.id, {}, {}, {}, {})
    const claimed = await storage.claimDue({
      limit: 100,
      perEndpointMax: 2,
      fullEndpointIds: new Set([b.id]),
    })
    const countOf = (id: string) => claimed.filter(({ endpointId }) => endpointId === id).length
    assert.deepEqual([countOf(a.id), countOf(b.id), countOf(c.id)], [2, 0, 2])
    assert.equal((await storage.claimDue(everything)).length, 8)
  })

  test('brings less of endpoints that are held back, and not again at once', async (store) => {
    const { storage, samples, clock } = store
    const project = await samples.addProject()
    const [slow, other] = [
      await samples.addEndpoint(project.id),
      await samples.addEndpoint(project.id),
    ]
    await samples.publish(project.id, {}, {}, {}, {}, {})
    const endpointIds = new Set([slow.id])
    const claim = async () => {
      const pace = { endpointIds, perEndpointMax: 2, holdMs: 400 }
      const claimed = await storage.claimDue({ ...everything, pace })
      const countOf = (id: string) => claimed.filter(({ endpointId }) => endpointId === id).length
      return [countOf(slow.id), countOf(other.id)]
    }
    const now = clock.now()
    assert.deepEqual(await claim(), [2, 5])
    assert.deepEqual(await claim(), [0, 0])
    assert.equal(await storage.nextDueAt(), now + 400)
    clock.advance(399)
    assert.deepEqual(await claim(), [0, 0])
    clock.advance(1)
    assert.deepEqual(await claim(), [2, 0])
    clock.advance(400)
    endpointIds.clear()
    assert.deepEqual(await claim(), [1, 0])
  })

  test('does not hold back what a deleted endpoint left behind: none of it is sent', async (store) => {
    const { storage, samples, clock } = store
    const { project, endpoint } = await samples.addPair()
    await samples.publish(project.id, {}, {}, {})
    await storage.transact((tx) => tx.deleteEndpoint(endpoint.id, clock.now()))
    const pace = { endpointIds: new Set([endpoint.id]), perEndpointMax: 1, holdMs: 400 }
    assert.equal((await storage.claimDue({ ...everything, pace })).length, 3)
  })

  test('claims of the endpoints that are named only', async ({ storage, samples }) => {
    const project = await samples.addProject()
    const [a, b] = [await samples.addEndpoint(project.id), await samples.addEndpoint(project.id)]
    await samples.publish(project.id, {}, {}, {})
    const onlyEndpointIds = new Set([b.id, 'ep_unknown'])
    const claim = (limit: number) => storage.claimDue({ ...everything, limit, onlyEndpointIds })
    const claimed = [...(await claim(2)), ...(await claim(2))]
    assert.deepEqual(
      claimed.map(({ endpointId }) => endpointId),
      [b.id, b.id, b.id],
    )
    assert.deepEqual(await claim(2), [])
    const rest = await storage.claimDue(everything)
    assert.deepEqual(new Set(rest.map(({ endpointId }) => endpointId)), new Set([a.id]))
    assert.equal(rest.length, 3)
  })

  test('shares the event between the deliveries of a claim', async (store) => {
    const { storage, samples } = store
    const { project } = await samples.addPair()
    await samples.addEndpoint(project.id)
    await samples.publish(project.id)
    const [first, second] = await storage.claimDue(everything)
    assert.ok(first && second)
    assert.equal(first.event, second.event)
  })

  test('claims a retry when its time has come', async ({ storage, samples, clock }) => {
    const { project } = await samples.addPair()
    await samples.publish(project.id)
    const dueAt = clock.now() + 5_000
    await samples.deliverAll({ next: { status: 'pending', dueAt } })
    assert.equal(await storage.nextDueAt(), dueAt)
    clock.advance(4_999)
    assert.deepEqual(await samples.claimAll(), [])
    clock.advance(1)
    const [claimed] = await samples.claimAll()
    assert.deepEqual([claimed?.attemptCount, claimed?.seriesAttemptCount], [1, 1])
    assert.equal(await storage.nextDueAt(), null)
  })

  test('takes a released claim again, not before its time', async (store) => {
    const { storage, samples, clock } = store
    const { project } = await samples.addPair()
    await samples.publish(project.id, {}, {})
    const release = async (notBefore: number | null) => {
      const releases = (await samples.claimAll()).map((claimed) => toRelease(claimed, notBefore))
      await storage.releaseClaims(releases)
      return releases
    }
    assert.equal((await release(null)).length, 2)
    const releases = await release(clock.now() + 500)
    assert.equal(releases.length, 2)
    assert.equal(await storage.nextDueAt(), clock.now() + 500)
    await samples.publish(project.id)
    assert.deepEqual(await samples.claimAll(), [])
    clock.advance(500)
    assert.equal((await samples.claimAll()).length, 3)
    // A token of before releases nothing.
    await storage.releaseClaims(releases)
    assert.deepEqual(await samples.claimAll(), [])
  })

  test(
    'lets an expired lease be claimed again and fences its result',
    async (store) => {
      const { storage, samples, clock } = store
      const { project } = await samples.addPair()
      await samples.publish(project.id)
      const claimedAt = clock.monotonic()
      const [lost] = await samples.claimAll()
      assert.ok(lost)
      assert.ok(lost.leaseUntilMonotonic <= claimedAt + 1_000)
      clock.advance(1_000)
      const late = await storage.transact((tx) => tx.recordAttempts([samples.result(lost)]))
      assert.deepEqual(late.fencedDeliveryIds, [lost.id])
      const [held] = await samples.claimAll()
      assert.ok(held)
      assert.equal(held.id, lost.id)
      assert.notEqual(held.leaseToken, lost.leaseToken)
      const fenced = await storage.transact((tx) =>
        tx.recordAttempts([samples.result(lost), samples.result(held), samples.result(held)]),
      )
      assert.deepEqual(fenced.fencedDeliveryIds, [lost.id, lost.id])
      assert.equal((await storage.getDelivery(project.id, held.id))?.attemptCount, 1)
      assert.equal((await storage.listAttempts(held.id)).length, 1)
    },
    { leaseMs: 1_000 },
  )

  test('keeps the lease when the recording is undone', async ({ storage, samples }) => {
    const { project } = await samples.addPair()
    await samples.publish(project.id)
    const [claimed] = await samples.claimAll()
    assert.ok(claimed)
    const undone = () =>
      storage.transact(async (tx) => {
        await tx.recordAttempts([samples.result(claimed)])
        throw new Error('on purpose')
      })
    await assert.rejects(undone(), /on purpose/)
    assert.deepEqual(await samples.claimAll(), [])
    assert.deepEqual(await storage.listAttempts(claimed.id), [])
    // Also where the two share a commit.
    const [failed, recorded] = await Promise.allSettled([
      undone(),
      storage.transact((tx) => tx.recordAttempts([samples.result(claimed)])),
    ])
    assert.equal(failed.status, 'rejected')
    assert.deepEqual(recorded, { status: 'fulfilled', value: { fencedDeliveryIds: [] } })
    assert.equal((await storage.listAttempts(claimed.id))[0]?.number, 1)
  })

  test('claims deliveries of a deleted endpoint at once', async (store) => {
    const { storage, samples, clock } = store
    const { project, endpoint } = await samples.addPair()
    await samples.publish(project.id, {}, {}, {})
    const later = { status: 'pending' as const, dueAt: clock.now() + 60_000 }
    const claimed = await samples.claimAll()
    const [first, second, third] = claimed
    assert.ok(first && second && third)
    assert.ok(claimed.every(({ isEndpointDeleted }) => !isEndpointDeleted))
    await storage.transact((tx) =>
      tx.recordAttempts(
        [first, second].map((delivery) => samples.result(delivery, { next: later })),
      ),
    )
    await storage.transact((tx) => tx.deleteEndpoint(endpoint.id, clock.now()))
    await storage.releaseClaims([toRelease(third, clock.now() + 60_000)])
    assert.ok(((await storage.nextDueAt()) ?? Infinity) <= clock.now())
    const left = await samples.claimAll()
    assert.deepEqual(
      left.map(({ isEndpointDeleted }) => isEndpointDeleted),
      [true, true, true],
    )
    assert.equal(await storage.nextDueAt(), null)
  })

  test('leases a test delivery to its creator', async ({ storage, samples }) => {
    const project = await samples.addProject()
    const endpoint = await samples.addEndpoint(project.id, { state: 'disabled', eventTypes: ['x'] })
    const event = samples.event(project.id, { type: 'countersign.test' })
    const delivery = await storage.transact((tx) => tx.createTestDelivery(event, endpoint.id))
    assert.equal(delivery.isTest, true)
    assert.equal(delivery.event.data, event.data)
    assert.deepEqual(await samples.claimAll(), [])
    const recorded = await storage.transact((tx) => tx.recordAttempts([samples.result(delivery)]))
    assert.deepEqual(recorded.fencedDeliveryIds, [])
    const read = await storage.getDelivery(project.id, delivery.id)
    assert.deepEqual([read?.isTest, read?.status, read?.eventId], [true, 'delivered', event.id])
    assert.equal((await storage.getEvent(project.id, event.id))?.deliveryCount, 1)
  })

  test(
    'after a restart, what was in flight is due and retries keep their time',
    async (store) => {
      const { samples, clock } = store
      const { project, endpoint } = await samples.addPair()
      const gone = await samples.addEndpoint(project.id)
      await samples.publish(project.id)
      const dueAt = clock.now() + 60_000
      await samples.deliverAll({ next: { status: 'pending', dueAt } })
      await store.storage.transact((tx) => tx.deleteEndpoint(gone.id, clock.now()))
      await samples.publish(project.id, {}, {})
      const inFlight = await samples.claimAll()
      await store.reopen()
      const due = await samples.claimAll()
      assert.deepEqual(idsOf(due), idsOf(inFlight))
      assert.equal(due.filter(({ endpointId }) => endpointId === gone.id).length, 1)
      assert.equal(await store.storage.nextDueAt(), dueAt)
      clock.advance(60_000)
      const [retry] = await samples.claimAll()
      assert.deepEqual([retry?.endpointId, retry?.attemptCount], [endpoint.id, 1])
    },
    { leaseMs: 120_000 },
  )

  test('counts the backlog', async (store) => {
    const { samples, clock } = store
    const { project } = await samples.addPair()
    assert.deepEqual(await store.storage.backlog(), { pending: 0, oldestDueAt: null })
    const publishedAt = clock.now()
    await samples.publish(project.id, {}, {}, {})
    clock.advance(10)
    assert.deepEqual(await store.storage.backlog(), { pending: 3, oldestDueAt: publishedAt })
    const [delivered, retried] = await samples.claimAll()
    assert.ok(delivered && retried)
    const dueAt = clock.now() + 99
    await store.storage.transact((tx) =>
      tx.recordAttempts([
        samples.result(delivered),
        samples.result(retried, { next: { status: 'pending', dueAt } }),
      ]),
    )
    assert.deepEqual(await store.storage.backlog(), { pending: 2, oldestDueAt: dueAt })
    await store.reopen()
    assert.deepEqual(await store.storage.backlog(), { pending: 2, oldestDueAt: publishedAt })
    await store.storage.transact((tx) => tx.retryDelivery(delivered.id, dueAt))
    assert.equal((await store.storage.backlog()).pending, 3)
  })
}

function toRelease(claimed: ClaimedDelivery, notBefore: number | null): ClaimRelease {
  const { id: deliveryId, endpointId, leaseToken } = claimed
  return { deliveryId, endpointId, leaseToken, notBefore }
}

function idsOf(deliveries: readonly ClaimedDelivery[]): string[] {
  return deliveries.map(({ id }) => id).sort()
}
