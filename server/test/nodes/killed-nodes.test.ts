import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertSound, signedAt, unrecorded } from '../support/cluster-records.ts'
import { findPostgres, noPostgres } from '../support/postgres-server.ts'
import { type Publisher, startPublisher } from '../support/publisher.ts'
import { type Received, type Receiver, startReceiver } from '../support/receiver.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { type Cluster, startCluster } from '../support/start-cluster.ts'
import type { ServerProcess } from '../support/start-server-process.ts'
import { until } from '../support/until.ts'

const skip = findPostgres() === null && noPostgres
const loadMs = process.env.COUNTERSIGN_TEST_LONG ? 300_000 : 30_000
/** Of each secret; load and faults go on until then, for a node that is suspended answers nobody. */
const rotationsMin = 3
const rotationsMsMax = 120_000
const attemptTimeoutMs = 1_000
const eventsPerSecond = 150
/** Of receiving: what is further off was signed by a clock that is wrong. */
const toleranceSeconds = 10
/** Timestamps are whole seconds. */
const timestampMs = 1_000
/** Longer than a lease: what the node then records comes too late. */
const longStopMs = 18_000
const readinessEveryMs = 200
/** How long before a fault of its node a request may have been made whose outcome the fault hid. */
const unrecordedMsMax = attemptTimeoutMs + 500
/** Of all nodes, some one answers within this, counted while they have a database. */
const answerMsMax = 30_000

/**
 * Goal: three nodes under load and every kind of fault lose no accepted event, record nothing under
 * a lost lease, and send no signature that is rejected, while secrets rotate all the time. Every
 * request is in the record, but for those that a fault of the very node that made them explains.
 * Method: 150 events a second, each to two receivers that verify; each takes the old secret beside
 * the new one from the answer of a rotation on, and drops it before the window is over.
 */
test('nodes are killed and suspended, the database restarts and is cut off', {
  skip,
  timeout: loadMs + rotationsMsMax + 150_000,
}, async (t) => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
  t.diagnostic(`seed ${seed}`)
  const random = seededRandom(seed)
  const publishers: Publisher[] = []
  const receivers = [await startReceiver(), await startReceiver()]
  const cluster = await startCluster({
    count: 3,
    wallOffsetMs: 30_000,
    environment: {
      COUNTERSIGN_ATTEMPT_TIMEOUT: `${attemptTimeoutMs}ms`,
      COUNTERSIGN_RETRY_SCHEDULE: Array(50).fill('1s').join(','),
      COUNTERSIGN_LOG_LEVEL: 'warn',
      COUNTERSIGN_SECRET_CACHE_TTL: '1s',
    },
  })
  const work: Promise<unknown>[] = []
  let isOver = false
  t.after(async () => {
    isOver = true
    isWatching = false
    if (!t.passed) for (const node of cluster.nodes) t.diagnostic(node.output().slice(-3_000))
    await Promise.all(publishers.map((publisher) => publisher.stop()))
    await Promise.allSettled([...work, ...watching])
    await cluster.dispose()
    await Promise.all(receivers.map((receiver) => receiver.close()))
  })
  const { project, endpointIds } = await prepare(cluster, receivers)
  for (const [n, { client }] of cluster.nodes.entries()) {
    const perSecond = eventsPerSecond / cluster.nodes.length
    publishers.push(
      startPublisher({ client, project, type: 'load.test', perSecond, idPrefix: `e${n}` }),
    )
  }
  const isRunning = () => !isOver
  const faults: Fault[] = []
  const faulting = makeFaults(cluster, { faults, random, isRunning })
  const rotationCounts = receivers.map(() => 0)
  const rotations = receivers.map((receiver, n) =>
    rotateAllTheTime({
      cluster,
      faults,
      project,
      receiver,
      random,
      isRunning,
      id: endpointIds[n] ?? '',
      onRotated(count) {
        rotationCounts[n] = count
      },
    }),
  )
  let isWatching = true
  const watching = cluster.nodes.map((node) => noteOutages(node, faults, () => isWatching))
  work.push(faulting, ...rotations)
  await pause(loadMs)
  await until(
    'every secret has been rotated some times',
    () => Math.min(...rotationCounts) >= rotationsMin,
    rotationsMsMax,
  )
  isOver = true
  await faulting
  await Promise.all(rotations)
  await Promise.all(publishers.map((publisher) => publisher.stop()))
  const accepted = publishers.flatMap(({ acceptedIds }) => [...acceptedIds])
  for (const receiver of receivers) {
    await until(
      'every accepted event is delivered',
      () => accepted.every((id) => receiver.deliveredIds.has(id)),
      60_000,
    )
    assert.deepEqual(rejected(receiver), [], 'no signature was rejected')
  }
  assert.ok(accepted.length > (loadMs / 1_000) * eventsPerSecond * 0.3, `${accepted.length} events`)
  // What arrived while its outcome could not be recorded is sent again when its lease is over.
  await until(
    'every outcome is recorded',
    async () => (await cluster.query('select id from due_deliveries limit 1')).length === 0,
    60_000,
  )
  // An outage without an end would explain everything.
  await until('every node has got over every fault', () =>
    faults.every(({ to }) => Number.isFinite(to)),
  )
  isWatching = false
  await Promise.all(watching)
  await assertSound(cluster)
  const lost = (await Promise.all(receivers.map((to) => unrecorded(cluster, to)))).flat()
  t.diagnostic(
    `${accepted.length} events, ${rotationCounts} rotations, ${faults.length} faults, ${lost.length} requests not recorded`,
  )
  const unexplained = lost.filter((request) => !explains(faults, cluster, request))
  assert.deepEqual(
    unexplained.map(({ id, from, headers }) => [id, from, signedAt(headers)]),
    [],
    `every request is recorded but where a fault of its node hid the outcome: ${describe(faults, cluster)}`,
  )
})

/** A project with one endpoint for each receiver, which takes its secret. */
async function prepare({ nodes }: Cluster, receivers: readonly Receiver[]) {
  const client = nodes[0]?.client
  assert.ok(client)
  const { id: project } = await client.projects.create({ name: 'faults' })
  const endpointIds: string[] = []
  for (const receiver of receivers) {
    receiver.toleranceSeconds = toleranceSeconds
    const endpoint = await client.endpoints.create(project, { url: receiver.url })
    receiver.secrets = [endpoint.secret]
    endpointIds.push(endpoint.id)
  }
  return { project, endpointIds }
}

/** Outcomes of this time may have been lost: those of one node, or of all. */
interface Fault {
  node: ServerProcess | 'all'
  from: number
  to: number
}

/** One fault after the other, with a while of peace after each. */
async function makeFaults(
  cluster: Cluster,
  {
    faults,
    random,
    isRunning,
  }: { faults: Fault[]; random: () => number; isRunning: () => boolean },
): Promise<void> {
  const [first, second, third] = cluster.nodes
  assert.ok(first && second && third)
  const during = async (node: Fault['node'], work: () => Promise<unknown>) => {
    const fault = { node, from: Date.now() - unrecordedMsMax, to: Number.POSITIVE_INFINITY }
    faults.push(fault)
    await work()
    fault.to = Date.now() + attemptTimeoutMs
  }
  const kinds = [
    () => {
      const node = cluster.nodes[Math.floor(random() * 3)] ?? first
      return during(node, async () => {
        await node.kill()
        await node.start()
      })
    },
    () => during(second, () => suspend(second, 200 + random() * 2_000)),
    () =>
      during(third, async () => {
        cluster.proxy.cut()
        await pause(500 + random() * 2_000)
        cluster.proxy.restore()
      }),
    () =>
      during('all', async () => {
        await cluster.postgres.stop()
        await cluster.postgres.start()
      }),
    // Until its leases are over, others have sent what it had, and it comes back with its results.
    () => during(first, () => suspend(first, longStopMs)),
  ]
  for (let n = 0; isRunning(); n++) {
    await pause(500 + random() * 1_000)
    await kinds[n % kinds.length]?.()
  }
}

/** A node gets over a fault in its own time: until it is ready, outcomes may be lost as well. */
async function noteOutages(
  node: ServerProcess,
  faults: Fault[],
  isWatching: () => boolean,
): Promise<void> {
  let outage: Fault | null = null
  let readyAt = Date.now()
  while (isWatching()) {
    const askedAt = Date.now()
    if (await isReady(node)) {
      if (outage !== null) outage.to = Date.now() + attemptTimeoutMs
      outage = null
      readyAt = askedAt
    } else if (outage === null) {
      outage = { node, from: readyAt - attemptTimeoutMs, to: Number.POSITIVE_INFINITY }
      faults.push(outage)
    }
    await pause(readinessEveryMs)
  }
}

async function isReady(node: ServerProcess): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(attemptTimeoutMs)
    return (await fetch(`${node.url}/readyz`, { signal })).status === 200
  } catch {
    return false
  }
}

async function suspend(node: ServerProcess, ms: number): Promise<void> {
  const pid = node.pid()
  assert.ok(pid !== null)
  process.kill(pid, 'SIGSTOP')
  await pause(ms)
  process.kill(pid, 'SIGCONT')
}

async function rotateAllTheTime(options: {
  cluster: Cluster
  faults: readonly Fault[]
  project: string
  id: string
  receiver: Receiver
  random: () => number
  isRunning: () => boolean
  /** Told how often it has rotated. */
  onRotated: (count: number) => void
}): Promise<void> {
  const { project, id, receiver, random, isRunning } = options
  for (let count = 1; isRunning(); count++) {
    const { secret, rotation } = await onAnyNode(options, ({ client }) =>
      client.endpoints.rotateSecret(
        project,
        id,
        { expireCurrentIn: 120 },
        { idempotencyKey: `${id}-${count}` },
      ),
    )
    receiver.secrets = [...receiver.secrets, secret]
    // What was signed before the answer is on its way for one attempt at most.
    await pause(attemptTimeoutMs + random() * 500)
    receiver.secrets = [secret]
    await onAnyNode(options, ({ client }) => client.rotations.complete(project, id, rotation.id))
    options.onRotated(count)
  }
}

/** Again and again, on one node after the other, until one answers. */
async function onAnyNode<T>(
  options: { cluster: Cluster; faults: readonly Fault[]; random: () => number },
  call: (node: ServerProcess) => Promise<T>,
): Promise<T> {
  const { cluster, faults, random } = options
  const { nodes } = cluster
  const startedAt = Date.now()
  // How long a database takes to stop and to start is the machine's affair.
  const isOverdue = () => {
    const ends = faults.filter(({ node }) => node === 'all').map(({ to }) => to)
    return Date.now() > Math.max(startedAt, ...ends) + answerMsMax
  }
  for (;;) {
    const node = nodes[Math.floor(random() * nodes.length)]
    assert.ok(node)
    try {
      return await withinTime(call(node))
    } catch (error) {
      const { status, code } = error as { status?: number; code?: string }
      const isFinal = status !== undefined && status < 500 && code !== 'idempotency_in_flight'
      if (isFinal || isOverdue()) throw error
      await pause(50)
    }
  }
}

/** A node that is suspended answers late; another one is asked meanwhile. */
function withinTime<T>(work: Promise<T>): Promise<T> {
  const late = pause(4_000).then(() => Promise.reject(new Error('No answer in time.')))
  return Promise.race([work, late])
}

/**
 * What was rejected although a receiver in time had to take it. What was signed before the answer
 * and is read when its attempt is long over is not: nobody waits for it any more, and it is sent
 * again.
 */
function rejected({ received }: Receiver) {
  return received
    .filter(({ isVerified }) => !isVerified)
    .map(({ at, headers }) => ({
      ageMs: at - signedAt(headers),
      secretIds: headers['webhook-secret-ids'],
    }))
    .filter(({ ageMs }) => ageMs <= attemptTimeoutMs + timestampMs)
}

/**
 * By when it was signed, not by when it arrived: on a busy machine the receiver reads seconds later
 * what its sender has long given up.
 */
function explains(
  faults: readonly Fault[],
  { addressOf }: Cluster,
  { from, headers }: Received,
): boolean {
  const isOf = (node: Fault['node']) =>
    node === 'all' || addressOf(node) === null || addressOf(node) === from
  const at = signedAt(headers)
  return faults.some((fault) => {
    return isOf(fault.node) && at + timestampMs > fault.from && at < fault.to
  })
}

function describe(faults: readonly Fault[], { addressOf }: Cluster): string {
  return faults
    .map(({ node, from, to }) => `${node === 'all' ? node : addressOf(node)} ${from}–${to}`)
    .join(', ')
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
