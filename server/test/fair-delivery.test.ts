import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { checkInvariants } from './support/check-invariants.ts'
import { neverAnswers, ok } from './support/hostile-receivers.ts'
import { type Receiver, startReceiver } from './support/receiver.ts'
import { startTestApp, type TestApp } from './support/start-test-app.ts'
import { until } from './support/until.ts'

const concurrency = 50

test('a dead endpoint with thousands pending does not starve a healthy one', async (t) => {
  const server = await startTestApp({
    environment: {
      COUNTERSIGN_CONCURRENCY: String(concurrency),
      COUNTERSIGN_ATTEMPT_TIMEOUT: '1s',
      COUNTERSIGN_RETRY_SCHEDULE: '1h',
    },
  })
  await using dead = await neverAnswers()
  await using healthy = await ok()
  t.after(() => server.dispose())
  const { client } = server
  const project = (await client.projects.create({ name: 'fair' })).id
  const createEndpoint = (url: string, eventTypes: string[]) =>
    client.endpoints.create(project, { url, eventTypes })
  const deadEndpoint = await createEndpoint(dead.url, ['dead.*'])
  await createEndpoint(healthy.url, ['healthy.*'])
  const publishBatches = async (type: string, batchesMax: number, batchSize: number) => {
    const ids: string[] = []
    for (let batch = 0; batch < batchesMax; batch++) {
      const events = Array.from({ length: batchSize }, (_, n) => ({ type, data: { batch, n } }))
      const results = await client.events.publishBatch(project, events)
      ids.push(...results.map(({ id }) => id ?? ''))
    }
    return ids
  }
  // More than is handed over in memory for one endpoint, so that the store holds some as well.
  const deadIds = await publishBatches('dead.letter', 3, 1_000)
  const healthyIds = await publishBatches('healthy.letter', 10, 100)
  await until('the healthy one has everything', () => healthy.requests.length === healthyIds.length)

  const figures = await checkInvariants(server.store)
  assert.ok(figures.pendingCount > deadIds.length / 2, 'the backlog of the dead one is still there')
  await assertOrder(server, healthyIds)
  await until('the dead one was tried too', () => dead.requests.length >= concurrency)
  assertRoughOrder(deadIds, dead.requests)
  assert.ok(dead.connectionsOpen < concurrency, 'some slots are always left for others')

  await client.endpoints.delete(project, deadEndpoint.id)
  await until('what was pending has failed', async () => {
    const { data } = await client.deliveries.list(project, { status: 'pending' }).page()
    return data.length === 0
  })
  const failed = client.deliveries.list(project, { endpoint: deadEndpoint.id, limit: 100 })
  let failedCount = 0
  for await (const { status, failureReason } of failed) {
    assert.equal(status, 'failed')
    assert.equal(failureReason, 'endpoint_deleted')
    failedCount++
  }
  assert.equal(failedCount, deadIds.length)
  await server.app.stop(5_000)
  await checkInvariants(server.store)
})

describe('Retry-After', () => {
  let server: TestApp
  let receiver: Receiver
  let others: Receiver
  let project: string

  before(async () => {
    server = await startTestApp({ environment: { COUNTERSIGN_RETRY_SCHEDULE: '1m,1m,1m' } })
    receiver = await startReceiver()
    others = await startReceiver()
    project = (await server.client.projects.create({ name: 'patience' })).id
    await server.client.endpoints.create(project, { url: receiver.url, eventTypes: ['asked.*'] })
    await server.client.endpoints.create(project, { url: others.url, eventTypes: ['other.*'] })
  })
  after(async () => {
    await receiver.close()
    await others.close()
    await server.dispose()
  })

  const publish = (type: string) => server.client.events.publish(project, { type, data: {} })
  const deliveryOf = async (event: string) => {
    const { data } = await server.client.deliveries.list(project, { event }).page()
    assert.ok(data[0])
    return data[0]
  }
  const tried = async (event: string) => {
    await until('the attempt is recorded', async () => (await deliveryOf(event)).attemptCount === 1)
    return deliveryOf(event)
  }
  /** A failure elsewhere makes the dispatcher look at what is due; then nothing is left to do. */
  const passTime = async (ms: number) => {
    server.clock.adjust(ms)
    others.answer = () => ({ statusCode: 500 })
    await tried((await publish('other.failing')).id)
    others.answer = () => ({ statusCode: 204 })
    await tried((await publish('other.barrier')).id)
  }

  test('puts off the next try, and everything else for that endpoint', async () => {
    receiver.answer = () => ({ statusCode: 429, headers: { 'retry-after': '600' } })
    const asked = await publish('asked.first')
    const delivery = await tried(asked.id)
    const waitMs = Date.parse(delivery.nextAttemptAt ?? '') - server.clock.now()
    assert.ok(waitMs > 590_000 && waitMs <= 600_000, `it waits ${waitMs} ms`)

    receiver.answer = () => ({ statusCode: 204 })
    const second = await publish('asked.second')
    await passTime(5 * 60_000)
    assert.equal(receiver.received.length, 1, 'nothing is sent before its time')
    assert.equal((await deliveryOf(second.id)).status, 'pending')
    await passTime(5 * 60_000 + 1_000)
    await until('both arrive', () => receiver.deliveredIds.size === 2)
    assert.deepEqual([...receiver.deliveredIds].sort(), [asked.id, second.id].sort())
    assert.equal(receiver.received.length, 3)
  })

  const hour = 3_600_000
  for (const { name, statusCode, value, waitMsMin, waitMsMax } of [
    {
      name: 'may be a date',
      statusCode: 503,
      value: () => new Date(server.clock.now() + hour).toUTCString(),
      waitMsMin: hour - 10_000,
      waitMsMax: hour,
    },
    {
      name: 'never shortens the schedule',
      statusCode: 429,
      value: () => '0',
      waitMsMin: 50_000,
      waitMsMax: 72_000,
    },
    {
      name: 'is obeyed for a day at most',
      statusCode: 429,
      value: () => '99999999',
      waitMsMin: 24 * hour - 10_000,
      waitMsMax: 24 * hour,
    },
    {
      name: 'means nothing on other answers',
      statusCode: 500,
      value: () => '7200',
      waitMsMin: 50_000,
      waitMsMax: 72_000,
    },
  ]) {
    test(name, async () => {
      const own = await startReceiver()
      own.answer = () => ({ statusCode, headers: { 'retry-after': value() } })
      const { id } = await server.client.endpoints.create(project, {
        url: own.url,
        eventTypes: ['date.*'],
      })
      const { nextAttemptAt } = await tried((await publish('date.now')).id)
      const waitMs = Date.parse(nextAttemptAt ?? '') - server.clock.now()
      assert.ok(waitMs >= waitMsMin && waitMs <= waitMsMax, `it waits ${waitMs} ms`)
      await server.client.endpoints.delete(project, id)
      await own.close()
    })
  }
})

/**
 * First attempts begin in the order of acceptance. They need not arrive in it: one for which a
 * connection is still being made is overtaken by those that find one.
 */
async function assertOrder({ store }: TestApp, publishedIds: readonly string[]): Promise<void> {
  const read = () =>
    store.read((select) =>
      select(`select e.id, a.started_at from attempts a
              join deliveries d on d.seq = a.delivery_seq join events e on e.seq = d.event_seq
              where a.number = 1`),
    )
  let times: number[] = []
  await until('all attempts are recorded', async () => {
    const startedAt = new Map((await read()).map(({ id, started_at }) => [id, Number(started_at)]))
    times = publishedIds.map((id) => startedAt.get(id)).filter((time) => time !== undefined)
    return times.length === publishedIds.length
  })
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  )
}

/** As far as the slots allow: what is not answered leaves no connection to those behind it. */
function assertRoughOrder(
  publishedIds: readonly string[],
  requests: readonly { headers: Record<string, string> }[],
): void {
  const places = new Map(publishedIds.map((id, place) => [id, place]))
  requests.forEach(({ headers }, position) => {
    const place = places.get(headers['webhook-id'] ?? '')
    assert.ok(place !== undefined)
    assert.ok(Math.abs(place - position) <= concurrency, `event ${place} came as ${position}`)
  })
}
