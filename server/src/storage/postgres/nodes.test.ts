import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openNode, realClock, type StorageNode } from '../../../test/support/postgres-nodes.ts'
import {
  findPostgres,
  noPostgres,
  type PostgresServer,
  startPostgres,
} from '../../../test/support/postgres-server.ts'
import { until } from '../../../test/support/until.ts'
import {
  type ClaimedDelivery,
  type CommittedChanges,
  type StorageConsumers,
  StorageUnavailableError,
} from '../storage.ts'

const everything = { limit: 500, perEndpointMax: 500, fullEndpointIds: new Set<string>() }
const skip = findPostgres() === null ? noPostgres : false

let server: PostgresServer

before(async () => {
  if (!skip) server = await startPostgres()
})
after(() => server?.dispose())

test('two nodes never claim the same delivery', { skip }, async () => {
  const { url } = await server.createDatabase()
  await using a = await openNode(url)
  await using b = await openNode(url)
  const { project } = await a.samples.addPair()
  for (let batch = 0; batch < 4; batch += 1) {
    await a.samples.publish(project.id, ...Array.from({ length: 250 }, () => ({})))
  }
  const claimed: ClaimedDelivery[] = []
  for (let round = 0; round < 20 && claimed.length < 1000; round += 1) {
    const step = { ...everything, limit: 60 }
    const both = await Promise.all([a.storage.claimDue(step), b.storage.claimDue(step)])
    claimed.push(...both.flat())
  }
  assert.equal(claimed.length, 1000)
  assert.equal(new Set(claimed.map(({ id }) => id)).size, 1000)
  assert.equal(new Set(claimed.map(({ leaseToken }) => leaseToken)).size, 1000)
})

test('a lease ends by the clock of the store, and its result is fenced', { skip }, async () => {
  const { url } = await server.createDatabase()
  // A node whose own clocks stand still would hold its lease for ever.
  const still = { now: realClock.now, monotonic: () => 0 }
  await using slow = await openNode(url, { leaseMs: 300, clock: still })
  await using quick = await openNode(url, { leaseMs: 60_000 })
  const { project } = await slow.samples.addPair()
  await slow.samples.publish(project.id)
  const [lost] = await slow.samples.claimAll()
  assert.ok(lost)
  quick.storage.connect({ handOff: handOffTo([]) })
  const held = await claimOne(quick)
  assert.equal(held.id, lost.id)
  const late = await slow.storage.transact((tx) => tx.recordAttempts([slow.samples.result(lost)]))
  assert.deepEqual(late.fencedDeliveryIds, [lost.id])
  const recorded = await quick.storage.transact((tx) =>
    tx.recordAttempts([quick.samples.result(held)]),
  )
  assert.deepEqual(recorded.fencedDeliveryIds, [])
  assert.equal((await quick.storage.listAttempts(held.id)).length, 1)
})

test('nodes tell each other of changes and of what is due', { skip }, async () => {
  const { url } = await server.createDatabase()
  await using a = await openNode(url)
  await using b = await openNode(url)
  const told: CommittedChanges[] = []
  const own: CommittedChanges[] = []
  a.storage.connect({ onCommitted: (changes) => void own.push(changes) })
  b.storage.connect({ onCommitted: (changes) => void told.push(changes) })
  const { project, endpoint } = await a.samples.addPair()
  await until('the other node is told of the endpoint', () =>
    told.some(({ endpointIds }) => endpointIds.has(endpoint.id)),
  )
  assert.ok(told.some(({ projectIds }) => projectIds.has(project.id)))
  assert.equal(await b.storage.nextDueAt(), null)
  await a.samples.publish(project.id)
  await until('the other node is told of what is due', () =>
    told.some(({ hasDueDeliveries }) => hasDueDeliveries),
  )
  assert.equal((await b.samples.claimAll()).length, 1)
  // A node is not told of its own changes twice.
  assert.equal(own.filter(({ endpointIds }) => endpointIds.has(endpoint.id)).length, 1)
})

test('thousands of changed ids are told in several messages', { skip }, async () => {
  const { url } = await server.createDatabase()
  await using a = await openNode(url)
  await using b = await openNode(url)
  const told = new Set<string>()
  b.storage.connect({
    onCommitted: ({ endpointIds }) => {
      for (const id of endpointIds) told.add(id)
    },
  })
  const project = await a.samples.addProject()
  const endpoints = Array.from({ length: 600 }, () => a.samples.endpoint(project.id))
  await a.storage.transact(async (tx) => {
    for (const endpoint of endpoints) await tx.insertEndpoint(endpoint)
  })
  await until('each endpoint is told of', () => told.size === endpoints.length)
})

test('answers to changes wait until other nodes read anew; others do not', { skip }, async () => {
  const { url } = await server.createDatabase()
  const cacheTtlMs = 400
  await using node = await openNode(url, { cacheTtlMs })
  assert.equal(node.storage.cacheTtlMs, cacheTtlMs)
  const { project, endpoint } = await node.samples.addPair()
  const took = async (work: () => Promise<unknown>) => {
    const startedAt = performance.now()
    await work()
    return performance.now() - startedAt
  }
  assert.ok((await took(() => node.samples.publish(project.id))) < cacheTtlMs)
  const claimed = await node.samples.claimAll()
  const results = claimed.map((delivery) => node.samples.result(delivery))
  const record = () =>
    node.storage.transact(
      async (tx) => {
        await tx.recordAttempts(results)
        const { id } = endpoint
        const health = { ...endpoint, health: 'failing' as const, consecutiveFailures: 1 }
        await tx.updateEndpointHealth(id, health)
      },
      { isInterleaved: true },
    )
  assert.ok((await took(record)) < cacheTtlMs)
  const { storage, samples } = node
  const changes = [
    () => storage.transact((tx) => tx.updateEndpoint({ ...endpoint, description: 'changed' })),
    () => storage.transact((tx) => tx.insertSecret(samples.secret(endpoint))),
    () => storage.transact((tx) => tx.insertApiKey(samples.apiKey(project.id))),
  ]
  for (const change of changes) assert.ok((await took(change)) >= cacheTtlMs)
  const unanswered = () =>
    storage.transact((tx) => tx.insertSecret(samples.secret(endpoint)), { isUnanswered: true })
  assert.ok((await took(unanswered)) < cacheTtlMs, 'nobody is answered, so nobody need wait')
})

test('an endpoint made on one node receives what another accepts next', { skip }, async () => {
  const { url } = await server.createDatabase()
  await using a = await openNode(url)
  await using b = await openNode(url)
  const project = await a.samples.addProject()
  for (let count = 0; count < 20; count += 1) {
    const [accepted] = await b.storage.acceptEvents([b.samples.event(project.id)])
    assert.equal(accepted?.deliveryCount, count)
    await a.samples.addEndpoint(project.id)
  }
})

test('what a node held when it ended is found by the others, untold', { skip }, async () => {
  const { url } = await server.createDatabase()
  await using dead = await openNode(url, { leaseMs: 300 })
  await using other = await openNode(url)
  const { project } = await dead.samples.addPair()
  const taken: ClaimedDelivery[] = []
  dead.storage.connect({ handOff: handOffTo(taken) })
  await dead.samples.publish(project.id)
  assert.equal(taken.length, 1)
  // It never records a result, and never says so: as after SIGKILL.
  let isWoken = false
  const onCommitted = ({ hasDueDeliveries }: CommittedChanges) => {
    isWoken ||= hasDueDeliveries
  }
  other.storage.connect({ handOff: handOffTo([]), onCommitted })
  await until('the other node looks', () => isWoken)
  assert.deepEqual(
    (await other.samples.claimAll()).map(({ id }) => id),
    taken.map(({ id }) => id),
  )
})

test('a node that closes gives back what it holds', { skip }, async () => {
  const { url } = await server.createDatabase()
  await using a = await openNode(url)
  await using b = await openNode(url)
  const { project } = await a.samples.addPair()
  await a.samples.publish(project.id, {}, {})
  assert.equal((await a.samples.claimAll()).length, 2)
  assert.deepEqual(await b.samples.claimAll(), [])
  await a.storage.close()
  b.storage.connect({ handOff: handOffTo([]) })
  const claimed: ClaimedDelivery[] = []
  await until('both are claimed again', async () => {
    claimed.push(...(await b.samples.claimAll()))
    return claimed.length === 2
  })
})

test('the same caller id sent to two nodes at once is one event', { skip }, async () => {
  const { url } = await server.createDatabase()
  await using first = await openNode(url)
  await using second = await openNode(url)
  const nodes = [first, second]
  const { project } = await first.samples.addPair()
  for (let round = 0; round < 20; round += 1) {
    const values = { id: `order-${round}`, hasCallerId: true }
    const answers = await Promise.all(
      nodes.flatMap(({ storage, samples }) =>
        Array.from({ length: 3 }, () => storage.acceptEvents([samples.event(project.id, values)])),
      ),
    )
    const statuses = answers.flat().map(({ status }) => status)
    assert.equal(statuses.filter((status) => status === 'accepted').length, 1)
    assert.equal(statuses.filter((status) => status === 'duplicate').length, 5)
  }
  assert.equal((await first.storage.backlog()).pending, 20)
})

async function claimOne({ samples }: StorageNode): Promise<ClaimedDelivery> {
  let claimed: ClaimedDelivery | undefined
  await until('something can be claimed', async () => {
    claimed = (await samples.claimAll())[0]
    return claimed !== undefined
  })
  assert.ok(claimed)
  return claimed
}

for (const isInterleaved of [false, true]) {
  const kind = isInterleaved ? 'results' : 'a unit'
  test(`${kind} that met with a verb of another node sees what it did`, { skip }, async () => {
    const { url } = await server.createDatabase()
    await using a = await openNode(url)
    await using b = await openNode(url)
    const { endpoint } = await a.samples.addPair()
    const [old, fresh] = [a.samples.secret(endpoint), a.samples.secret(endpoint)]
    const rotation = a.samples.rotation(old, fresh)
    await a.storage.transact(async (tx) => {
      await tx.insertSecret(old)
      await tx.insertSecret(fresh)
      await tx.insertRotation(rotation)
    })
    const outcome = { status: 'completed', completedBy: 'manual', closedAt: 5 } as const
    let runs = 0
    const seen = await a.storage.transact(
      async (tx) => {
        runs += 1
        const read = await tx.getRotation(endpoint.id, rotation.id)
        assert.ok(read)
        if (runs === 1) {
          await b.storage.transact((other) => other.updateRotation({ ...rotation, outcome }))
        }
        await tx.updateRotation({ ...read, attention: 'claim_disputed' })
        return read
      },
      { isInterleaved },
    )
    assert.equal(runs, 2)
    assert.deepEqual(seen.outcome, outcome)
    const kept = await b.storage.getRotation(endpoint.id, rotation.id)
    assert.deepEqual([kept?.outcome, kept?.attention], [outcome, 'claim_disputed'])
  })
}

test('a long unit comes through beside many short ones', { skip }, async () => {
  const { url } = await server.createDatabase()
  await using a = await openNode(url)
  await using b = await openNode(url)
  const { endpoint } = await a.samples.addPair()
  let isOver = false
  const short = async (worker: number) => {
    for (let count = 0; !isOver; count += 1) {
      await b.storage.transact(async (tx) => {
        await tx.listSecrets(endpoint.id)
        await tx.insertSecret(b.samples.secret(endpoint, { hint: `${worker}-${count}` }))
      })
    }
  }
  const shorts = Array.from({ length: 4 }, (_, worker) => short(worker))
  let runs = 0
  await a.storage.transact(async (tx) => {
    runs += 1
    for (let count = 0; count < 50; count += 1) await tx.listSecrets(endpoint.id)
    await tx.insertSecret(a.samples.secret(endpoint))
  })
  isOver = true
  await Promise.all(shorts)
  assert.ok(runs <= 2, `it was run ${runs} times`)
})

test('a node that is suspended in a transaction holds others up for seconds at most', {
  skip,
}, async () => {
  const { url } = await server.createDatabase()
  await using a = await openNode(url)
  await using b = await openNode(url)
  const { project, endpoint } = await a.samples.addPair()
  const resumed = Promise.withResolvers<void>()
  const reached = Promise.withResolvers<void>()
  const suspended = a.storage.transact(async (tx) => {
    await tx.updateEndpoint({ ...endpoint, description: 'half done' })
    reached.resolve()
    await resumed.promise
    await tx.updateEndpoint({ ...endpoint, description: 'too late' })
  })
  await reached.promise
  await b.storage.transact((tx) => tx.updateEndpoint({ ...endpoint, description: 'whole' }))
  resumed.resolve()
  await assert.rejects(suspended, StorageUnavailableError)
  assert.equal((await b.storage.getEndpoint(project.id, endpoint.id))?.description, 'whole')
})

test('two nodes that record at once lose none of an endpoint its failures', { skip }, async () => {
  const { url } = await server.createDatabase()
  await using a = await openNode(url)
  await using b = await openNode(url)
  const { endpoint } = await a.samples.addPair()
  const fail = ({ storage }: StorageNode) =>
    storage.transact(
      async (tx) => {
        const read = await tx.getEndpointById(endpoint.id)
        assert.ok(read)
        const { consecutiveFailures } = read
        await tx.updateEndpointHealth(endpoint.id, {
          ...read,
          consecutiveFailures: consecutiveFailures + 1,
        })
      },
      { isInterleaved: true },
    )
  await Promise.all(Array.from({ length: 20 }, (_, index) => fail(index % 2 === 0 ? a : b)))
  assert.equal((await a.storage.getEndpointById(endpoint.id))?.consecutiveFailures, 20)
})

function handOffTo(taken: ClaimedDelivery[]): NonNullable<StorageConsumers['handOff']> {
  return { reserve: () => true, take: (given) => void taken.push(...given), cancel() {} }
}
