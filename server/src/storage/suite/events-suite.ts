import assert from 'node:assert/strict'
import type { StoreTest } from '../storage-suite.ts'
import { onePage, readPages } from './pages-suite.ts'

/** JSON texts whose bytes a careless store would change. */
const delicateData = [
  '{"escape":"\\u0000","surrogate":"\\ud800","emoji":"😀","bom":"\ufeff"}',
  '{ "n": 12345678901234567890.000, "e": 1E400, "spaces" : [ ] }\n',
  `{"quote":"it's","line":"\\n","null":null,"text":"${'ä'.repeat(70_000)}"}`,
]

export function eventsSuite(test: StoreTest): void {
  test('stores events and answers in order', async ({ storage, samples }) => {
    const { project, endpoint } = await samples.addPair()
    const events = [1, 2, 3].map((n) => samples.event(project.id, { data: `{"n":${n}}` }))
    const accepted = await storage.acceptEvents(events)
    assert.deepEqual(
      accepted,
      events.map(({ id, type, createdAt }) => ({
        status: 'accepted',
        id,
        type,
        createdAt,
        deliveryCount: 1,
      })),
    )
    const [first] = events
    assert.ok(first)
    const { hasCallerId, ...stored } = first
    assert.deepEqual(await storage.getEvent(project.id, first.id), { ...stored, deliveryCount: 1 })
    assert.equal(await storage.getEvent((await samples.addProject()).id, first.id), null)
    const deliveries = await storage.listDeliveries(project.id, { eventId: first.id }, onePage)
    assert.equal(deliveries.items.length, 1)
    assert.equal(deliveries.items[0]?.endpointId, endpoint.id)
    assert.deepEqual(await storage.acceptEvents([]), [])
  })

  test('keeps data byte for byte', async ({ storage, samples }) => {
    const { project } = await samples.addPair()
    for (const data of delicateData) {
      const metadata = { text: 'a\u0000b\ud83d😀', n: 1.5 }
      const [event] = await samples.publish(project.id, { data, metadata })
      const stored = await storage.getEvent(project.id, event?.id ?? '')
      assert.equal(stored?.data, data)
      assert.deepEqual(stored?.metadata, metadata)
    }
    const claimed = await samples.claimAll()
    assert.deepEqual(claimed.map(({ event }) => event.data).sort(), [...delicateData].sort())
  })

  test('lists events newest first and without data', async ({ storage, samples, clock }) => {
    const project = await samples.addProject()
    const other = await samples.addProject()
    const made = []
    for (let index = 0; index < 7; index += 1) {
      made.unshift(...(await samples.publish(project.id)))
      await samples.publish(other.id)
      if (index % 2 === 0) clock.advance(1)
    }
    const first = await storage.listEvents(project.id, { limit: 3, after: null })
    await samples.publish(project.id)
    const rest = await readPages(2, ({ limit, after }) =>
      storage.listEvents(project.id, { limit, after: after ?? first.nextKey }),
    )
    const listed = [...first.items, ...rest]
    assert.deepEqual(
      listed.map(({ id }) => id),
      made.map(({ id }) => id),
    )
    assert.ok(listed.every(({ data }) => data === null))
  })

  test('delivers to the endpoints that want the type', async ({ storage, samples }) => {
    const project = await samples.addProject()
    const all = await samples.addEndpoint(project.id)
    const orders = await samples.addEndpoint(project.id, { eventTypes: ['order.*'] })
    const users = await samples.addEndpoint(project.id, { eventTypes: ['user.created'] })
    const other = await samples.addPair()
    const receivers = async (type: string) => {
      const [event] = await samples.publish(project.id, { type })
      const filter = { eventId: event?.id ?? '' }
      const { items } = await storage.listDeliveries(project.id, filter, onePage)
      assert.equal(
        (await storage.getEvent(project.id, filter.eventId))?.deliveryCount,
        items.length,
      )
      return items.map(({ endpointId }) => endpointId).sort()
    }
    assert.deepEqual(await receivers('order.created'), [all.id, orders.id].sort())
    assert.deepEqual(await receivers('user.created'), [all.id, users.id].sort())
    assert.deepEqual(await receivers('x'), [all.id])
    // Changes count from the next event on, deletions too.
    await storage.transact((tx) => tx.updateEndpoint({ ...all, eventTypes: ['x'] }))
    await storage.transact((tx) => tx.deleteEndpoint(orders.id, 1))
    assert.deepEqual(await receivers('order.created'), [])
    const added = await samples.addEndpoint(project.id)
    assert.deepEqual(await receivers('order.created'), [added.id])
    assert.deepEqual((await storage.listDeliveries(other.project.id, {}, onePage)).items, [])
  })

  test('skips what a disabled or blocked endpoint would get', async (store) => {
    const { storage, samples, clock } = store
    const project = await samples.addProject()
    await samples.addEndpoint(project.id, { state: 'disabled' })
    const blocked = await samples.addEndpoint(project.id)
    const { health: _, ...healthy } = blocked
    await samples.publish(project.id)
    await samples.deliverAll()
    await storage.transact((tx) =>
      tx.updateEndpointHealth(blocked.id, { ...healthy, health: 'blocked' }),
    )
    clock.advance(10)
    const accepted = await storage.acceptEvents([samples.event(project.id)])
    assert.equal(accepted[0]?.deliveryCount, 2)
    const filter = { eventId: accepted[0]?.id ?? '' }
    const { items } = await storage.listDeliveries(project.id, filter, onePage)
    assert.equal(items.length, 2)
    for (const delivery of items) {
      assert.equal(delivery.status, 'skipped')
      assert.equal(delivery.completedAt, clock.now())
      assert.equal(delivery.nextAttemptAt, null)
      assert.equal(delivery.failureReason, null)
    }
    assert.deepEqual(await samples.claimAll(), [])
  })

  test('answers a caller’s id again, or says that it conflicts', async (store) => {
    const { storage, samples, clock } = store
    const { project } = await samples.addPair()
    const other = await samples.addPair()
    const caller = { id: 'order-1', hasCallerId: true, data: '{"a":1}' }
    const event = samples.event(project.id, caller)
    await storage.acceptEvents([event])
    clock.advance(100)
    const again = { ...event, createdAt: clock.now(), metadata: { other: true } }
    const answers = await storage.acceptEvents([
      again,
      { ...again, data: '{"a": 1}' },
      { ...again, type: 'order.paid' },
      samples.event(other.project.id, caller),
    ])
    assert.deepEqual(
      answers.map(({ status }) => status),
      ['duplicate', 'conflict', 'conflict', 'accepted'],
    )
    assert.deepEqual(answers[0], {
      status: 'duplicate',
      id: 'order-1',
      type: event.type,
      createdAt: event.createdAt,
      deliveryCount: 1,
    })
    assert.equal((await storage.listEvents(project.id, onePage)).items.length, 1)
    assert.equal((await storage.listDeliveries(project.id, {}, onePage)).items.length, 1)
  })

  test('sees a repeated id within one call and between calls of one turn', async (store) => {
    const { storage, samples } = store
    const { project } = await samples.addPair()
    const event = samples.event(project.id, { id: 'twice', hasCallerId: true })
    const calls = await Promise.all([
      storage.acceptEvents([event, event, { ...event, data: '{}' }]),
      storage.acceptEvents([event]),
    ])
    assert.deepEqual(
      calls.flat().map(({ status }) => status),
      ['accepted', 'duplicate', 'conflict', 'duplicate'],
    )
    assert.equal((await storage.listDeliveries(project.id, {}, onePage)).items.length, 1)
  })

  test('gives nothing to a project that was deleted', async (store) => {
    const { storage, samples } = store
    const { project } = await samples.addPair()
    await storage.transact((tx) => tx.deleteProject(project.id, 1))
    const [accepted] = await storage.acceptEvents([samples.event(project.id)])
    assert.equal(accepted?.deliveryCount, 0)
    assert.deepEqual(await samples.claimAll(), [])
  })

  test('leaves nothing to send where a project is deleted meanwhile', async (store) => {
    const { storage, samples } = store
    const { project } = await samples.addPair()
    const [, [accepted]] = await Promise.all([
      storage.transact((tx) => tx.deleteProject(project.id, 1)),
      storage.acceptEvents([samples.event(project.id)]),
    ])
    // Either may come first; a delivery that was before the deletion is only there to be ended.
    const claimed = await samples.claimAll()
    assert.equal(claimed.length, accepted?.deliveryCount)
    assert.ok(claimed.every(({ isEndpointDeleted }) => isEndpointDeleted))
  })

  test('keeps events, ids and deliveries over a restart', async (store) => {
    const { samples } = store
    const { project } = await samples.addPair()
    const event = samples.event(project.id, { id: 'kept', hasCallerId: true })
    await store.storage.acceptEvents([event])
    await store.reopen()
    assert.equal((await store.storage.getEvent(project.id, 'kept'))?.data, event.data)
    const [again] = await store.storage.acceptEvents([event])
    assert.equal(again?.status, 'duplicate')
    await samples.publish(project.id)
    assert.equal((await samples.claimAll()).length, 2)
  })
}
