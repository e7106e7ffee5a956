import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Delivery, type DeliveryStatus, deliveryStatuses } from '../../core/delivery.ts'
import { type Endpoint, type EndpointCondition, endpointConditions } from '../../core/endpoint.ts'
import type { AttemptResult, DeliveryFilter, EndpointFilter, Stretch } from '../storage.ts'
import type { OpenedStore, OpenStore } from '../storage-suite.ts'
import { readPages } from './pages-suite.ts'
import { createSamples } from './samples-suite.ts'

/** Stretches and counts say what the pages of the same list say, whatever is in it. */
export function stretchesModelSuite(open: OpenStore, numRuns: number): void {
  // On a failure fast-check prints the seed and the smallest case that shows it.
  const runs = { numRuns }

  test('endpoints by position are slices of the whole list, for any filter and order', async () => {
    const property = fc.asyncProperty(endpointKinds, endpointReads, async (kinds, reads) => {
      const store = await open()
      try {
        const world = await addEndpoints(store, kinds)
        for (const read of reads) await compareEndpoints(store, world, read)
      } finally {
        await store.dispose()
      }
    })
    await fc.assert(property, runs)
  })

  test('deliveries by position are slices of the whole list, and counts are its sums', async () => {
    const property = fc.asyncProperty(rounds, deliveryReads, async (life, reads) => {
      const store = await open()
      try {
        const world = await addDeliveries(store, life)
        for (const read of reads) await compareDeliveries(store, world, read)
      } finally {
        await store.dispose()
      }
    })
    await fc.assert(property, runs)
  })
}

const dialects = ['composio', 'dinie'] as const
const creators = ['key_1', 'key_2'] as const
const any = fc.nat({ max: 1000 })
const stretches: fc.Arbitrary<Stretch> = fc.record({
  skip: fc.nat({ max: 12 }),
  limit: fc.integer({ min: 1, max: 12 }),
})

/** Null half of the time. */
function orNull<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
  return fc.option(arbitrary, { freq: 2 })
}

type EndpointKind = Pick<Endpoint, 'health' | 'state' | 'dialect' | 'url'> & {
  createdById: string
  isDeleted: boolean
}

const healths = ['healthy', 'failing', 'blocked'] as const
const states = ['active', 'disabled'] as const

const endpointKinds: fc.Arbitrary<EndpointKind[]> = fc.array(
  fc.record({
    health: fc.constantFrom(...healths),
    state: fc.constantFrom(...states),
    dialect: orNull(fc.constantFrom(...dialects)),
    url: fc.constantFrom('https://a.example.com/', 'https://b.example.com/'),
    createdById: fc.constantFrom(...creators),
    isDeleted: fc.boolean(),
  }),
  { maxLength: 12 },
)

interface EndpointRead {
  filter: EndpointFilter
  stretch: Stretch
  isOldestFirst: boolean
  /** Chooses the endpoint, deleted or not, after which the stretch begins. */
  after: number | null
}

const endpointFilterMembers = fc.record({
  state: fc.constantFrom(...states),
  health: fc.constantFrom(...healths),
  search: fc.constantFrom('B.EXAMPLE', 'a.example', 'nowhere'),
  condition: fc.constantFrom(...endpointConditions),
  createdById: fc.constantFrom(...creators),
  dialect: fc.constantFrom(...dialects),
  notDialect: fc.constantFrom(...dialects),
})

// No more than two at once: nearly nothing passes them all.
const endpointFilters: fc.Arbitrary<EndpointFilter> = endpointFilterMembers.chain((members) =>
  fc.subarray(Object.entries(members), { maxLength: 2 }).map(Object.fromEntries),
)

const endpointReads: fc.Arbitrary<EndpointRead[]> = fc.array(
  fc.record({
    filter: endpointFilters,
    stretch: stretches,
    isOldestFirst: fc.boolean(),
    after: orNull(any),
  }),
  { minLength: 1, maxLength: 10 },
)

interface EndpointWorld {
  projectId: string
  /** Newest first. */
  endpoints: { endpoint: Endpoint; isDeleted: boolean }[]
}

async function addEndpoints(store: OpenedStore, kinds: EndpointKind[]): Promise<EndpointWorld> {
  const samples = createSamples(store)
  const project = await samples.addProject()
  await samples.addPair()
  const endpoints: EndpointWorld['endpoints'] = []
  for (const { createdById, isDeleted, ...values } of kinds) {
    const createdBy: Endpoint['createdBy'] = { type: 'key', id: createdById, name: 'a key' }
    const endpoint = await samples.addEndpoint(project.id, { ...values, createdBy })
    endpoints.unshift({ endpoint, isDeleted })
    if (isDeleted) await store.storage.transact((tx) => tx.deleteEndpoint(endpoint.id, 1))
  }
  return { projectId: project.id, endpoints }
}

async function compareEndpoints(
  { storage }: OpenedStore,
  { projectId, endpoints }: EndpointWorld,
  { filter, stretch, isOldestFirst, after }: EndpointRead,
): Promise<void> {
  const isListed = ({ endpoint, isDeleted }: (typeof endpoints)[number]) =>
    !isDeleted && passesEndpoint(endpoint, filter)
  const toEndpoints = (list: typeof endpoints) => list.filter(isListed).map((each) => each.endpoint)
  const whole = toEndpoints(endpoints)
  const pages = await readPages(5, (page) => storage.listEndpoints(projectId, filter, page))
  assert.deepEqual(pages, whole)
  assert.equal(await storage.countEndpoints(projectId, filter), whole.length)

  const inOrder = isOldestFirst ? endpoints.toReversed() : endpoints
  const mark = after === null ? undefined : inOrder[after % inOrder.length]
  const rest = toEndpoints(mark === undefined ? inOrder : inOrder.slice(inOrder.indexOf(mark) + 1))
  const afterMark = mark === undefined ? {} : { afterId: mark.endpoint.id }
  const request = { ...stretch, isOldestFirst, ...afterMark }
  const listed = await storage.listEndpointsAt(projectId, filter, request)
  assert.deepEqual(listed, sliceOf(rest, stretch))

  const counts = { active: 0, failing: 0, blocked: 0, disabled: 0 }
  for (const { endpoint, isDeleted } of endpoints) {
    if (!isDeleted) counts[conditionOf(endpoint)] += 1
  }
  assert.deepEqual(await storage.countEndpointsByCondition(projectId), counts)
}

function passesEndpoint(endpoint: Endpoint, filter: EndpointFilter): boolean {
  const { state, health, search, condition, createdById, dialect, notDialect } = filter
  return (
    (state === undefined || endpoint.state === state) &&
    (health === undefined || endpoint.health === health) &&
    (search === undefined || endpoint.url.includes(search.toLowerCase())) &&
    (condition === undefined || conditionOf(endpoint) === condition) &&
    (createdById === undefined || endpoint.createdBy.id === createdById) &&
    (dialect === undefined || endpoint.dialect === dialect) &&
    (notDialect === undefined || endpoint.dialect !== notDialect)
  )
}

function conditionOf({ health, state }: Endpoint): EndpointCondition {
  if (health === 'blocked') return 'blocked'
  if (state === 'disabled') return 'disabled'
  return health === 'failing' ? 'failing' : 'active'
}

function sliceOf<T>(list: readonly T[], { skip, limit }: Stretch): T[] {
  return list.slice(skip, skip + limit)
}

/** Some time passes, events are published, and something becomes of some that are due. */
interface Round {
  passesMs: number
  types: string[]
  outcome: DeliveryStatus
  claimed: number
}

const eventTypes = ['order.created', 'user.created'] as const

const rounds: fc.Arbitrary<Round[]> = fc.array(
  fc.record({
    passesMs: fc.nat({ max: 3 }),
    types: fc.array(fc.constantFrom(...eventTypes), { maxLength: 4 }),
    outcome: fc.constantFrom(...deliveryStatuses),
    claimed: fc.nat({ max: 6 }),
  }),
  { maxLength: 8 },
)

interface DeliveryRead {
  /** Times count from the start; numbers choose among what there is. */
  endpoint: number | null
  event: number | null
  since: number | null
  until: number | null
  status: DeliveryStatus | null
  eventType: string | null
  stretch: Stretch
}

const time = orNull(fc.nat({ max: 16 }))

const deliveryReads: fc.Arbitrary<DeliveryRead[]> = fc.array(
  fc.record({
    endpoint: orNull(any),
    event: orNull(any),
    since: time,
    until: time,
    status: orNull(fc.constantFrom(...deliveryStatuses)),
    eventType: orNull(fc.constantFrom(...eventTypes)),
    stretch: stretches,
  }),
  { minLength: 1, maxLength: 10 },
)

interface DeliveryWorld {
  projectId: string
  endpointIds: string[]
  eventIds: string[]
  startedAt: number
}

async function addDeliveries(store: OpenedStore, life: Round[]): Promise<DeliveryWorld> {
  const { storage, clock } = store
  const samples = createSamples(store)
  const project = await samples.addProject()
  const endpoints = [
    await samples.addEndpoint(project.id),
    await samples.addEndpoint(project.id, { eventTypes: ['order.*'] }),
    await samples.addEndpoint(project.id, { state: 'disabled' }),
  ]
  const other = await samples.addPair()
  const startedAt = clock.now()
  const eventIds: string[] = []
  for (const { passesMs, types, outcome, claimed: limit } of life) {
    clock.advance(passesMs)
    const values = types.map((type) => ({ type }))
    if (values.length > 0) {
      const events = await samples.publish(project.id, ...values)
      eventIds.push(...events.map(({ id }) => id))
      await samples.publish(other.project.id, ...values)
    }
    if (limit === 0) continue
    const request = { limit, perEndpointMax: limit, fullEndpointIds: new Set<string>() }
    const claimed = await storage.claimDue(request)
    const next = nextOf(outcome, clock.now())
    const results = claimed.map((delivery) => samples.result(delivery, { next }))
    await storage.transact((tx) => tx.recordAttempts(results))
  }
  return { projectId: project.id, endpointIds: endpoints.map(({ id }) => id), eventIds, startedAt }
}

function nextOf(status: DeliveryStatus, at: number): AttemptResult['next'] {
  if (status === 'pending') return { status, dueAt: at + 2 }
  if (status === 'failed') return { status, reason: 'exhausted', at }
  return { status, at }
}

async function compareDeliveries(
  { storage }: OpenedStore,
  { projectId, endpointIds, eventIds, startedAt }: DeliveryWorld,
  { endpoint, event, since, until, status, eventType, stretch }: DeliveryRead,
): Promise<void> {
  const eventId = event === null ? undefined : eventIds[event % eventIds.length]
  const endpointId = endpoint === null ? undefined : endpointIds[endpoint % endpointIds.length]
  const counted: DeliveryFilter = {
    ...(endpointId === undefined ? {} : { endpointId }),
    ...(eventId === undefined ? {} : { eventId }),
    ...(since === null ? {} : { since: startedAt + since }),
    ...(until === null ? {} : { until: startedAt + until }),
  }
  const filter: DeliveryFilter = {
    ...counted,
    ...(status === null ? {} : { status }),
    ...(eventType === null ? {} : { eventType }),
  }
  const readAll = (by: DeliveryFilter) =>
    readPages(5, (page) => storage.listDeliveries(projectId, by, page))
  const everything = await readAll({})

  const whole = everything.filter((delivery) => passesDelivery(delivery, filter))
  assert.deepEqual(await readAll(filter), whole)
  const listed = await storage.listDeliveriesAt(projectId, filter, stretch)
  assert.deepEqual(listed, sliceOf(whole, stretch))

  const counts = { pending: 0, delivered: 0, failed: 0, skipped: 0 }
  for (const delivery of everything) {
    if (passesDelivery(delivery, counted)) counts[delivery.status] += 1
  }
  assert.deepEqual(await storage.countDeliveries(projectId, counted), counts)
}

function passesDelivery(delivery: Delivery, filter: DeliveryFilter): boolean {
  const { endpointId, eventId, eventType, status, since, until } = filter
  return (
    (endpointId === undefined || delivery.endpointId === endpointId) &&
    (eventId === undefined || delivery.eventId === eventId) &&
    (eventType === undefined || delivery.eventType === eventType) &&
    (status === undefined || delivery.status === status) &&
    (since === undefined || delivery.createdAt >= since) &&
    (until === undefined || delivery.createdAt < until)
  )
}
