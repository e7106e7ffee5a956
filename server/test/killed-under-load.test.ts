import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Countersign } from '@countersign/sdk'
import { checkInvariants, type StoreFigures } from './support/check-invariants.ts'
import { type Receiver, startReceiver } from './support/hostile-receivers.ts'
import { startPublisher } from './support/publisher.ts'
import { seededRandom } from './support/seeded-random.ts'
import { type ServerProcess, startServerProcess } from './support/start-server-process.ts'
import { isOnPostgres } from './support/test-database.ts'
import { until } from './support/until.ts'

const killsMax = process.env.COUNTERSIGN_TEST_LONG ? 50 : isOnPostgres ? 2 : 5
/**
 * What piles up between the kills, on a machine that is busy with other things as well. What a dead
 * process had leased in a database comes free after 20 s.
 */
const drainMsMax = 20_000 + killsMax * 12_000

/**
 * Goal: what delivery.md promises holds after SIGKILL at any moment under load. Method: three
 * receivers that take their time, one of which fails now and then; the store is looked at right
 * after each kill, as the next start will find it. A request that reached a receiver by then and is
 * not recorded is an attempt whose outcome was lost: only for those may a receiver get an event that
 * it had accepted before.
 */
test('killed at random moments under load, it loses nothing and repeats only what it could not record', async (t) => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
  t.diagnostic(`seed ${seed}`)
  const random = seededRandom(seed)
  await using quick = await startSlowReceiver({ random, answerMsMax: 5, failureShare: 0 })
  await using slow = await startSlowReceiver({ random, answerMsMax: 40, failureShare: 0 })
  await using failing = await startSlowReceiver({ random, answerMsMax: 30, failureShare: 0.2 })
  const server = await startServerProcess({
    COUNTERSIGN_CONCURRENCY: '64',
    COUNTERSIGN_ATTEMPT_TIMEOUT: '5s',
    COUNTERSIGN_RETRY_SCHEDULE: Array(20).fill('300ms').join(','),
    COUNTERSIGN_LOG_LEVEL: 'warn',
  })
  t.after(() => server.dispose())
  const { client, store } = server
  const project = (await client.projects.create({ name: 'killed' })).id
  const receivers = new Map<string, SlowReceiver>()
  for (const receiver of [quick, slow, failing]) {
    const { id } = await client.endpoints.create(project, { url: receiver.url })
    receivers.set(id, receiver)
  }

  // With an Idempotency-Key the answer is kept beside the event, which is another way in the code.
  const publishers = [client, withoutIdempotencyKeys(server)].map((from, index) =>
    startPublisher({
      client: from,
      project,
      type: 'load.test',
      perSecond: 60,
      idPrefix: `e${index}`,
    }),
  )
  const stopPublishers = () => Promise.all(publishers.map((publisher) => publisher.stop()))
  const acceptedIds = () => new Set(publishers.flatMap((publisher) => [...publisher.acceptedIds]))
  t.after(stopPublishers)
  const lostPerKill: number[] = []
  let lost: LostOutcomes = new Map()
  const killAndLook = async () => {
    await server.kill()
    await store.settled()
    // What the dead process had sent may still lie in a socket; it is read before that closes.
    await until('all that was sent has arrived', () =>
      [...receivers.values()].every(({ connectionsOpen }) => connectionsOpen === 0),
    )
    const figures = await checkInvariants(store, { acceptedIds: acceptedIds() })
    const lostNow = lostOutcomes(figures, receivers)
    checkNewlyLost(figures, lost, lostNow)
    lostPerKill.push(sum(lostNow) - sum(lost))
    lost = lostNow
  }
  for (let kill = 0; kill < killsMax; kill++) {
    await pause(100 + random() * 1_200)
    await killAndLook()
    // At times it is killed again on its way up: recovery has to survive that as well.
    if (random() < 0.3) {
      const interrupted = server.start()
      await pause(random() * 700)
      await killAndLook()
      await Promise.all([interrupted, server.start()])
    } else {
      await server.start()
    }
  }
  await stopPublishers()
  const isDelivered = (id: string) => [...receivers.values()].every((each) => each.accepted.has(id))
  await until(
    'every accepted event is delivered everywhere',
    () => publishers.every((each) => [...each.acceptedIds].every(isDelivered)),
    drainMsMax,
  )
  await until('nothing is pending', async () => {
    const { data } = await client.deliveries.list(project, { status: 'pending' }).page()
    return data.length === 0
  })
  assert.equal(await server.terminate(), 0)

  const accepted = acceptedIds()
  const figures = await checkInvariants(store, { acceptedIds: accepted })
  const duplicates = countDuplicates(receivers, lost)
  t.diagnostic(`${accepted.size} events, ${figures.attemptCount} attempts recorded`)
  t.diagnostic(`lost per kill: ${lostPerKill.join(' ')}; duplicates: ${duplicates}`)
  assert.deepEqual(lostOutcomes(figures, receivers), lost, 'Only the kills lost outcomes')
  assert.equal(figures.pendingCount, 0)
  assert.ok(accepted.size > killsMax * 20, 'there was load')
  assert.ok(sum(lost) > 0, 'The kills hit attempts in flight, or this test shows nothing')
})

/** The event's own id makes publishing again safe, so it needs no key. */
function withoutIdempotencyKeys({ url, rootKey }: ServerProcess): Countersign {
  return new Countersign({
    baseUrl: url,
    apiKey: rootKey,
    retriesMax: 0,
    fetch(target, { headers: { 'idempotency-key': _dropped, ...headers }, ...init }) {
      return fetch(target, { ...init, headers })
    },
  })
}

interface SlowReceiver extends AsyncDisposable {
  url: string
  readonly connectionsOpen: number
  /** Requests that arrived, by event id. */
  arrived: Map<string, number>
  /** Requests that were answered with 2xx, by event id. */
  accepted: Map<string, number>
}

async function startSlowReceiver(options: {
  random: () => number
  answerMsMax: number
  failureShare: number
}): Promise<SlowReceiver> {
  const arrived = new Map<string, number>()
  const accepted = new Map<string, number>()
  const receiver: Receiver = await startReceiver({
    onRequest(socket, { headers }) {
      const id = headers['webhook-id'] ?? ''
      count(arrived, id)
      const isFailure = options.random() < options.failureShare
      setTimeout(() => {
        // A socket that the kill has closed gets no answer, so the event was not accepted.
        if (!socket.writable) return
        if (!isFailure) count(accepted, id)
        const status = isFailure ? '500 No' : '200 OK'
        socket.write(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\n\r\n`)
      }, options.random() * options.answerMsMax)
    },
  })
  return {
    url: receiver.url,
    get connectionsOpen() {
      return receiver.connectionsOpen
    },
    arrived,
    accepted,
    [Symbol.asyncDispose]: () => receiver.close(),
  }
}

/** Requests that reached a receiver and of which no attempt tells, under `endpoint id/event id`. */
type LostOutcomes = Map<string, number>

function lostOutcomes(
  { deliveries }: StoreFigures,
  receivers: ReadonlyMap<string, SlowReceiver>,
): LostOutcomes {
  const lost: LostOutcomes = new Map()
  for (const [endpointId, { arrived }] of receivers) {
    for (const [eventId, arrivedCount] of arrived) {
      const name = `${endpointId}/${eventId}`
      const recordedCount = deliveries.get(name)?.attemptCount
      assert.ok(recordedCount !== undefined, 'What is sent is in the store')
      assert.ok(recordedCount <= arrivedCount, 'What is recorded was sent')
      if (recordedCount < arrivedCount) lost.set(name, arrivedCount - recordedCount)
    }
  }
  return lost
}

/** What a kill may cost: for each delivery that was in flight, the outcome of one attempt. */
function checkNewlyLost(figures: StoreFigures, before: LostOutcomes, now: LostOutcomes): void {
  for (const [name, lost] of now) {
    const lostByThisKill = lost - (before.get(name) ?? 0)
    if (lostByThisKill === 0) continue
    assert.equal(lostByThisKill, 1, `${name} was under way twice at a time`)
    assert.equal(figures.deliveries.get(name)?.status, 'pending', `${name} was sent when final`)
  }
}

/** How often an event was accepted again: each time an earlier outcome of that delivery was lost. */
function countDuplicates(receivers: ReadonlyMap<string, SlowReceiver>, lost: LostOutcomes): number {
  let duplicates = 0
  for (const [endpointId, { accepted }] of receivers) {
    for (const [eventId, acceptedCount] of accepted) {
      const name = `${endpointId}/${eventId}`
      const isExplained = acceptedCount - 1 <= (lost.get(name) ?? 0)
      assert.ok(isExplained, `${name} was repeated though its outcome was known`)
      duplicates += acceptedCount - 1
    }
  }
  return duplicates
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, each) => total + each, 0)
}

function count(counts: Map<string, number>, id: string): void {
  counts.set(id, (counts.get(id) ?? 0) + 1)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
