import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Endpoint } from '../../core/endpoint.ts'
import type { ClaimedDelivery, ClaimPace, HandOff } from '../storage.ts'
import type { OpenedStore, OpenStore } from '../storage-suite.ts'
import { createSamples, type Samples } from './samples-suite.ts'

/** A random life of a store. Numbers choose among what is there, modulo how much there is. */
type Step =
  | { do: 'publish'; endpoint: number; count: number; room: number }
  | { do: 'claim'; limit: number; perEndpointMax: number; full: number; pace: PaceStep | null }
  | { do: 'record'; lease: number; outcome: 'delivered' | 'failed' | number }
  | { do: 'recordStale'; delivery: number }
  | { do: 'release'; lease: number; holdMs: number | null }
  | { do: 'retry'; delivery: number; delayMs: number }
  | { do: 'advance'; ms: number }
  | { do: 'deleteEndpoint'; endpoint: number }
  | { do: 'restart' }

interface PaceStep {
  endpoints: number
  perEndpointMax: number
  holdMs: number
}

const endpointCount = 3
const leaseMs = 1_000
const any = fc.nat({ max: 1000 })
const delay = fc.nat({ max: 3_000 })

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: record('publish', { endpoint: any, count: small(5), room: small(3) }) },
    {
      weight: 4,
      arbitrary: record('claim', {
        limit: small(8),
        perEndpointMax: small(4),
        full: any,
        pace: fc.option(
          fc.record({ endpoints: fc.nat({ max: 7 }), perEndpointMax: small(2), holdMs: delay }),
        ),
      }),
    },
    {
      weight: 4,
      arbitrary: record('record', {
        lease: any,
        outcome: fc.oneof(fc.constantFrom('delivered' as const, 'failed' as const), delay),
      }),
    },
    { weight: 1, arbitrary: record('recordStale', { delivery: any }) },
    { weight: 2, arbitrary: record('release', { lease: any, holdMs: fc.option(delay) }) },
    { weight: 2, arbitrary: record('retry', { delivery: any, delayMs: delay }) },
    { weight: 3, arbitrary: record('advance', { ms: delay }) },
    { weight: 1, arbitrary: record('deleteEndpoint', { endpoint: any }) },
    { weight: 1, arbitrary: record('restart', {}) },
  ),
  { minLength: 10, maxLength: 80, size: 'max' },
)

/** Everything about leases and due times, against a model so simple that it must be right. */
export function claimModelSuite(open: OpenStore, numRuns: number): void {
  test('claims, results, releases, retries and restarts agree with the model', async () => {
    const live = async (life: Step[]) => {
      const store = await open({ leaseMs })
      try {
        const world = await createWorld(store)
        for (const step of life) {
          await take(world, step)
          await compareNextDueAt(world)
        }
      } finally {
        await store.dispose()
      }
    }
    // On a failure fast-check prints the seed and the shortest life that shows it.
    await fc.assert(fc.asyncProperty(steps, live), { numRuns })
  })
}

interface ModelDelivery {
  id: string
  endpointId: string
  isPending: boolean
  dueAt: number
  attemptCount: number
  lease: { token: number; until: number; claimed: ClaimedDelivery } | null
}

interface World {
  store: OpenedStore
  samples: Samples
  endpoints: Endpoint[]
  deliveries: Map<string, ModelDelivery>
  notBefore: Map<string, number>
  deletedIds: Set<string>
  /** How many deliveries the dispatcher takes from the next publish. */
  room: number
  connect(): void
}

async function createWorld(store: OpenedStore): Promise<World> {
  const samples = createSamples(store)
  const project = await samples.addProject()
  const endpoints: Endpoint[] = []
  for (let index = 0; index < endpointCount; index += 1) {
    endpoints.push(await samples.addEndpoint(project.id, { eventTypes: [`type.${index}`] }))
  }
  const world: World = {
    store,
    samples,
    endpoints,
    deliveries: new Map(),
    notBefore: new Map(),
    deletedIds: new Set(),
    room: 0,
    connect() {
      const handOff: HandOff = {
        reserve: () => world.room-- > 0,
        take: (taken) => {
          for (const claimed of taken) addDelivery(world, claimed.id, claimed, claimed)
        },
        cancel: () => assert.fail('Nothing is undone here.'),
      }
      store.storage.connect({ handOff })
    },
  }
  world.connect()
  return world
}

async function take(world: World, step: Step): Promise<void> {
  if (step.do === 'publish') await publish(world, step)
  else if (step.do === 'claim') await claim(world, step)
  else if (step.do === 'record') await recordResult(world, step)
  else if (step.do === 'recordStale') await recordStale(world, step.delivery)
  else if (step.do === 'release') await release(world, step)
  else if (step.do === 'retry') await retry(world, step)
  else if (step.do === 'advance') world.store.clock.advance(step.ms)
  else if (step.do === 'deleteEndpoint') await deleteEndpoint(world, step.endpoint)
  else await restart(world)
}

async function publish(world: World, step: Extract<Step, { do: 'publish' }>): Promise<void> {
  const { samples, store } = world
  const index = step.endpoint % endpointCount
  const { projectId } = pick(world.endpoints, index) ?? assert.fail()
  world.room = step.room
  const values = Array.from({ length: step.count + 1 }, () => ({ type: `type.${index}` }))
  const events = await samples.publish(projectId, ...values)
  for (const event of events) {
    const filter = { eventId: event.id }
    const page = { limit: 10, after: null }
    const { items } = await store.storage.listDeliveries(projectId, filter, page)
    for (const { id, endpointId } of items) {
      if (!world.deliveries.has(id)) addDelivery(world, id, { endpointId, event }, null)
    }
  }
}

function addDelivery(
  world: World,
  id: string,
  { endpointId, event }: { endpointId: string; event: { createdAt: number } },
  claimed: ClaimedDelivery | null,
): void {
  world.deliveries.set(id, {
    id,
    endpointId,
    isPending: true,
    dueAt: event.createdAt,
    attemptCount: 0,
    lease: claimed === null ? null : toLease(claimed),
  })
}

async function claim(world: World, step: Extract<Step, { do: 'claim' }>): Promise<void> {
  const limit = step.limit + 1
  const perEndpointMax = step.perEndpointMax + 1
  const fullEndpointIds = new Set(
    world.endpoints.filter((_, index) => ((step.full >> index) & 3) === 3).map(({ id }) => id),
  )
  const due = claimable(world)
  const pace = paceOf(world, step.pace)
  const request = { limit, perEndpointMax, fullEndpointIds, ...(pace ? { pace } : {}) }
  const claimed = await world.store.storage.claimDue(request)
  let room = 0
  for (const { id } of world.endpoints) {
    const ready = due.filter(({ endpointId }) => endpointId === id).map(({ dueAt }) => dueAt)
    const got = claimed.filter(({ endpointId }) => endpointId === id)
    const held = world.deletedIds.has(id) ? null : pace
    const ownMax = held?.endpointIds.has(id) ? held.perEndpointMax : perEndpointMax
    const share = fullEndpointIds.has(id) ? 0 : Math.min(ownMax, ready.length)
    room += share
    assert.ok(got.length <= share, 'an endpoint was given more than its share')
    const dueAts = got.map((delivery) => world.deliveries.get(delivery.id)?.dueAt)
    const oldest = ready.sort((a, b) => a - b).slice(0, got.length)
    assert.deepEqual(dueAts, oldest, 'the oldest come first')
  }
  assert.equal(claimed.length, Math.min(limit, room))
  for (const delivery of claimed) {
    const known = world.deliveries.get(delivery.id)
    assert.ok(known !== undefined && due.includes(known), 'it was not to be claimed')
    assert.equal(delivery.attemptCount, known.attemptCount)
    known.lease = toLease(delivery)
    if (pace?.endpointIds.has(delivery.endpointId)) {
      hold(world, delivery.endpointId, world.store.clock.now() + pace.holdMs)
    }
  }
}

/** Those that keep something whatever is claimed: it is what is left that is held. */
function paceOf(world: World, step: PaceStep | null): ClaimPace | null {
  if (step === null) return null
  const perEndpointMax = step.perEndpointMax + 1
  const waiting = unleased(world)
  const endpointIds = world.endpoints
    .filter((_, index) => ((step.endpoints >> index) & 1) === 1)
    .map(({ id }) => id)
    .filter((id) => waiting.filter((own) => own.endpointId === id).length > perEndpointMax)
  return { endpointIds: new Set(endpointIds), perEndpointMax, holdMs: step.holdMs }
}

function hold(world: World, endpointId: string, until: number): void {
  world.notBefore.set(endpointId, Math.max(until, world.notBefore.get(endpointId) ?? 0))
}

async function recordResult(world: World, step: Extract<Step, { do: 'record' }>): Promise<void> {
  const delivery = pick(held(world), step.lease)
  if (delivery === undefined) return
  const { clock, storage } = world.store
  const { outcome } = step
  const at = clock.now()
  const next =
    outcome === 'delivered'
      ? { status: outcome, at }
      : outcome === 'failed'
        ? { status: outcome, reason: 'exhausted' as const, at }
        : { status: 'pending' as const, dueAt: at + outcome }
  const { claimed } = delivery.lease
  const isFenced = delivery.lease.until <= clock.monotonic()
  const result = world.samples.result(claimed, { next })
  const recorded = await storage.transact((tx) => tx.recordAttempts([result]))
  assert.deepEqual(recorded.fencedDeliveryIds, isFenced ? [delivery.id] : [])
  const known = world.deliveries.get(delivery.id) ?? assert.fail()
  known.lease = null
  const attempts = await storage.listAttempts(delivery.id)
  if (!isFenced) {
    known.attemptCount += 1
    known.isPending = next.status === 'pending'
    if (next.status === 'pending') known.dueAt = next.dueAt
  }
  const numbers = Array.from({ length: known.attemptCount }, (_, index) => index + 1)
  assert.deepEqual(
    attempts.map(({ number }) => number),
    numbers,
  )
}

/** A result under a token that was never given, or was given to another delivery. */
async function recordStale(world: World, choice: number): Promise<void> {
  const delivery = pick([...world.deliveries.values()], choice)
  if (delivery === undefined) return
  const { id: deliveryId, endpointId } = delivery
  const { storage, clock } = world.store
  const { fencedDeliveryIds } = await storage.transact((tx) =>
    tx.recordAttempts([
      {
        deliveryId,
        endpointId,
        projectId: world.endpoints[0]?.projectId ?? '',
        leaseToken: (delivery.lease?.token ?? 0) + 1_000_000,
        attempt: world.samples.attempt(),
        next: { status: 'delivered', at: clock.now() },
      },
    ]),
  )
  assert.deepEqual(fencedDeliveryIds, [deliveryId])
}

async function release(world: World, step: Extract<Step, { do: 'release' }>): Promise<void> {
  const delivery = pick(held(world), step.lease)
  if (delivery === undefined) return
  const { id: deliveryId, endpointId, lease } = delivery
  const { clock, storage } = world.store
  const notBefore = step.holdMs === null ? null : clock.now() + step.holdMs
  await storage.releaseClaims([{ deliveryId, endpointId, leaseToken: lease.token, notBefore }])
  const isInForce = lease.until > clock.monotonic()
  const known = world.deliveries.get(deliveryId) ?? assert.fail()
  known.lease = null
  if (!isInForce || notBefore === null) return
  hold(world, endpointId, notBefore)
}

async function retry(world: World, step: Extract<Step, { do: 'retry' }>): Promise<void> {
  const delivery = pick([...world.deliveries.values()], step.delivery)
  if (delivery === undefined) return
  const { clock, storage } = world.store
  const at = clock.now() + step.delayMs
  const isRetried = await storage.transact((tx) => tx.retryDelivery(delivery.id, at))
  assert.equal(isRetried, !isLeased(world, delivery))
  if (!isRetried) return
  delivery.isPending = true
  delivery.dueAt = at
  delivery.lease = null
}

async function deleteEndpoint(world: World, choice: number): Promise<void> {
  const endpoint = pick(world.endpoints, choice) ?? assert.fail()
  if (world.deletedIds.size === endpointCount - 1) return
  const { clock, storage } = world.store
  await storage.transact((tx) => tx.deleteEndpoint(endpoint.id, clock.now()))
  world.deletedIds.add(endpoint.id)
}

async function restart(world: World): Promise<void> {
  await world.store.reopen()
  world.connect()
  world.notBefore.clear()
  for (const delivery of world.deliveries.values()) delivery.lease = null
}

async function compareNextDueAt(world: World): Promise<void> {
  const { storage, clock } = world.store
  const times = unleased(world).map((delivery) => readyAt(world, delivery))
  const expected = times.length === 0 ? null : Math.min(...times)
  // Whatever lies in the past is due now, be it since when it may.
  const sinceNow = (at: number | null) => (at === null ? null : Math.max(at, clock.now()))
  assert.equal(sinceNow(await storage.nextDueAt()), sinceNow(expected))
  const { pending } = await storage.backlog()
  const isPending = [...world.deliveries.values()].filter((delivery) => delivery.isPending)
  assert.equal(pending, isPending.length)
}

function readyAt(world: World, { endpointId, dueAt }: ModelDelivery): number {
  if (world.deletedIds.has(endpointId)) return 0
  return Math.max(dueAt, world.notBefore.get(endpointId) ?? 0)
}

function isLeased(world: World, { lease }: ModelDelivery): boolean {
  return lease !== null && lease.until > world.store.clock.monotonic()
}

function unleased(world: World): ModelDelivery[] {
  return [...world.deliveries.values()].filter(
    (delivery) => delivery.isPending && !isLeased(world, delivery),
  )
}

function claimable(world: World): ModelDelivery[] {
  const now = world.store.clock.now()
  return unleased(world).filter((delivery) => readyAt(world, delivery) <= now)
}

/** What the dispatcher believes to hold, leases that have run out included. */
function held(world: World) {
  return [...world.deliveries.values()].flatMap(({ id, endpointId, lease }) =>
    lease === null ? [] : [{ id, endpointId, lease }],
  )
}

function toLease(claimed: ClaimedDelivery): NonNullable<ModelDelivery['lease']> {
  return { token: claimed.leaseToken, until: claimed.leaseUntilMonotonic, claimed }
}

function pick<T>(items: readonly T[], choice: number): T | undefined {
  return items[choice % Math.max(1, items.length)]
}

function small(max: number) {
  return fc.nat({ max })
}

function record<Kind extends Step['do']>(
  kind: Kind,
  values: { [Key in keyof Omit<Extract<Step, { do: Kind }>, 'do'>]: fc.Arbitrary<unknown> },
): fc.Arbitrary<Step> {
  return fc.record<unknown>({ do: fc.constant(kind), ...values }) as fc.Arbitrary<Step>
}
