import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import type { ClaimedDelivery, HandOff } from '../storage.ts'
import type { StoreTest } from '../storage-suite.ts'

export function handOffSuite(test: StoreTest): void {
  test('hands new deliveries over, leased, before the answer', async (store) => {
    const { storage, samples } = store
    const { project, endpoint } = await samples.addPair()
    const handOff = createHandOff()
    storage.connect({ handOff })
    const data = '{"text":"zwölf 😀"}'
    const [event] = await samples.publish(project.id, { data })
    const [taken] = handOff.taken
    assert.ok(taken && event)
    assert.equal(handOff.taken.length, 1)
    assert.deepEqual(handOff.reserved, [
      { endpointId: endpoint.id, dataBytes: Buffer.byteLength(data) },
    ])
    assert.equal(taken.event.data, data)
    assert.equal(taken.event.id, event.id)
    assert.deepEqual(await samples.claimAll(), [])
    const recorded = await storage.transact((tx) => tx.recordAttempts([samples.result(taken)]))
    assert.deepEqual(recorded.fencedDeliveryIds, [])
    assert.equal((await storage.getDelivery(project.id, taken.id))?.status, 'delivered')
  })

  test('leaves due what finds no room, and says so', async ({ storage, samples }) => {
    const { project } = await samples.addPair()
    const handOff = createHandOff(2)
    const told: boolean[] = []
    storage.connect({
      handOff,
      onCommitted: ({ hasDueDeliveries }) => void told.push(hasDueDeliveries),
    })
    const published = await samples.publish(project.id, {}, {}, {})
    assert.equal(handOff.taken.length, 2)
    assert.deepEqual(told, [true])
    const claimed = await samples.claimAll()
    assert.deepEqual(
      claimed.map(({ event }) => event.id),
      [published[2]?.id],
    )
  })

  test('hands nothing over that would overtake older ones that are due', async (store) => {
    const { storage, samples } = store
    const project = await samples.addProject()
    await samples.addEndpoint(project.id, { eventTypes: ['slow.one'] })
    await samples.addEndpoint(project.id, { eventTypes: ['other.one'] })
    const handOff = createHandOff(1)
    storage.connect({ handOff })
    const publish = (...types: string[]) => {
      return samples.publish(project.id, ...types.map((type) => ({ type })))
    }
    const idsOf = (items: readonly { id: string }[]) => items.map(({ id }) => id)
    const [first, second] = await publish('slow.one', 'slow.one')
    handOff.room = Number.POSITIVE_INFINITY
    const [third, other] = await publish('slow.one', 'other.one')
    assert.ok(first && second && third && other)
    assert.deepEqual(idsOf(handOff.taken.map(({ event }) => event)), idsOf([first, other]))
    const claimed = await samples.claimAll()
    assert.deepEqual(idsOf(claimed.map(({ event }) => event)), idsOf([second, third]))
    const [latest] = await publish('slow.one')
    assert.equal(handOff.taken.at(-1)?.event.id, latest?.id, 'nothing waits any more')
  })

  test('asks for no room for what is skipped', async ({ storage, samples }) => {
    const project = await samples.addProject()
    await samples.addEndpoint(project.id, { state: 'disabled' })
    const handOff = createHandOff()
    storage.connect({ handOff })
    await samples.publish(project.id)
    assert.deepEqual(handOff.reserved, [])
  })

  test('gives reservations back when the unit is undone', async ({ storage, samples }) => {
    const { project, endpoint } = await samples.addPair()
    const handOff = createHandOff()
    storage.connect({ handOff })
    const outcomes = await Promise.allSettled([
      storage.acceptEvents([samples.event(project.id, { data: '{"kept":true}' })]),
      storage.transact(async (tx) => {
        await tx.acceptEvents([samples.event(project.id, { data: '{}' })])
        throw new Error('on purpose')
      }),
    ])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    )
    assert.deepEqual(handOff.cancelled, [{ endpointId: endpoint.id, dataBytes: 2 }])
    assert.deepEqual(
      handOff.taken.map(({ event }) => event.data),
      ['{"kept":true}'],
    )
    assert.deepEqual(await samples.claimAll(), [])
  })

  test(
    'makes a delivery claimable again that was handed over and forgotten',
    async ({ storage, samples, clock }) => {
      const { project } = await samples.addPair()
      const handOff = createHandOff()
      storage.connect({ handOff })
      await samples.publish(project.id)
      clock.advance(1_000)
      const [claimed] = await samples.claimAll()
      assert.equal(claimed?.id, handOff.taken[0]?.id)
    },
    { leaseMs: 1_000 },
  )

  test('shares one event between its deliveries', async ({ storage, samples }) => {
    const { project } = await samples.addPair()
    await samples.addEndpoint(project.id)
    const handOff = createHandOff()
    storage.connect({ handOff })
    await samples.publish(project.id)
    assert.equal(handOff.taken.length, 2)
    assert.equal(handOff.taken[0]?.event, handOff.taken[1]?.event)
  })
}

interface RecordingHandOff extends HandOff {
  room: number
  reserved: { endpointId: string; dataBytes: number }[]
  cancelled: { endpointId: string; dataBytes: number }[]
  taken: ClaimedDelivery[]
}

function createHandOff(room = Number.POSITIVE_INFINITY): RecordingHandOff {
  const handOff: RecordingHandOff = {
    room,
    reserved: [],
    cancelled: [],
    taken: [],
    reserve(endpointId, dataBytes) {
      if (handOff.reserved.length >= handOff.room) return false
      handOff.reserved.push({ endpointId, dataBytes })
      return true
    },
    take: (deliveries) => void handOff.taken.push(...deliveries),
    cancel: (reservations) => void handOff.cancelled.push(...reservations),
  }
  return handOff
}
