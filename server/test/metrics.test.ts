import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Environment } from '../src/config.ts'
import { neverAnswers, startReceiver as startRawReceiver } from './support/hostile-receivers.ts'
import { startReceiver } from './support/receiver.ts'
import { startTestApp, type TestApp } from './support/start-test-app.ts'
import { until } from './support/until.ts'

test('the port without a key listens on an address of its own, loopback unless told otherwise', async (t) => {
  const urlsOf = async (environment: Environment) => {
    const server = await startTestApp({
      environment: { COUNTERSIGN_METRICS_PORT: '0', ...environment },
    })
    t.after(() => server.dispose())
    const { url, metricsUrl } = server.app
    assert.ok(metricsUrl)
    assert.equal((await fetch(`${metricsUrl}/metrics`)).status, 200)
    return [url, metricsUrl].map((each) => new URL(each).hostname)
  }
  assert.deepEqual(await urlsOf({ COUNTERSIGN_HOST: '127.0.0.2' }), ['127.0.0.2', '127.0.0.1'])
  assert.deepEqual(await urlsOf({ COUNTERSIGN_METRICS_HOST: '127.0.0.3' }), [
    '127.0.0.1',
    '127.0.0.3',
  ])
})

test('every metric is there from the first look on', async (t) => {
  const { text } = await start(t)
  const described = (await text()).matchAll(/^# TYPE countersign_(\w+) (\w+)$/gm)
  const types = Object.fromEntries([...described].map(([, name, type]) => [name, type]))
  for (const [name, type] of Object.entries({
    events_accepted_total: 'counter',
    deliveries_total: 'counter',
    attempts_total: 'counter',
    attempts_fenced_total: 'counter',
    first_attempt_delay_seconds: 'histogram',
    attempt_duration_seconds: 'histogram',
    backlog: 'gauge',
    oldest_due_seconds: 'gauge',
    rotations_open: 'gauge',
    rotations_held: 'gauge',
    secrets_over_age: 'gauge',
    event_loop_lag_seconds: 'gauge',
    store_duration_seconds: 'histogram',
  })) {
    assert.equal(types[name], type, name)
  }
})

test('the metrics follow an event from its acceptance to its delivery', async (t) => {
  const { server, read } = await start(t)
  await using receiver = await startRawReceiver({
    onRequest: (socket) =>
      setTimeout(() => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'), 120),
  })
  const before = await read()
  assert.equal(before('countersign_events_accepted_total'), 0)
  const project = (await server.client.projects.create({ name: 'Measured' })).id
  const endpoint = await server.client.endpoints.create(project, {
    url: receiver.url,
    rateLimitPerSecond: 4,
  })
  for (let count = 0; count < 3; count += 1) {
    await server.client.events.publish(project, { type: 'a.b', data: {}, id: `own-${count}` })
  }
  await server.client.events.publish(project, { type: 'a.b', data: {}, id: 'own-0' })
  await server.client.endpoints.rotateSecret(project, endpoint.id, { expireCurrentIn: 60 })
  await until('all are delivered', async () => {
    return (await read())('countersign_deliveries_total{status="delivered"}') === 3
  })
  const after = await read()
  assert.equal(after('countersign_events_accepted_total'), 3, 'one was published twice')
  assert.equal(after('countersign_attempts_total{outcome="success"}'), 3)
  assert.equal(after('countersign_first_attempt_delay_seconds_count'), 3)
  // The limit makes the third one wait for half a second.
  assert.ok(after('countersign_first_attempt_delay_seconds_sum') >= 0.45)
  assert.ok(after('countersign_first_attempt_delay_seconds_bucket{le="0.25"}') < 3)
  assert.equal(after('countersign_attempt_duration_seconds_count'), 3)
  assert.ok(after('countersign_attempt_duration_seconds_sum') >= 3 * 0.11)
  assert.equal(after('countersign_attempt_duration_seconds_bucket{le="0.1"}'), 0)
  assert.equal(after('countersign_backlog'), 0)
  assert.equal(after('countersign_oldest_due_seconds'), 0)
  assert.equal(after('countersign_attempts_fenced_total'), 0)
  assert.equal(after('countersign_rotations_open'), 1)
  assert.ok(after('countersign_store_duration_seconds_count') >= 5, 'commits were timed')
  assert.ok(after('countersign_store_duration_seconds_sum') > 0)
})

test('secrets over their age are counted, until they are rotated', async (t) => {
  const { server, read } = await start(t, { COUNTERSIGN_SECRET_MAX_AGE_DAYS: '1' })
  const { client, clock } = server
  const project = (await client.projects.create({ name: 'old' })).id
  const { id } = await client.endpoints.create(project, { url: 'http://127.0.0.1:1/' })
  await client.endpoints.create(project, { url: 'http://127.0.0.1:1/' })
  const overAge = async () => (await read())('countersign_secrets_over_age')
  assert.equal(await overAge(), 0)
  clock.adjust(86_400_000)
  assert.equal(await overAge(), 2)
  await client.endpoints.rotateSecret(project, id)
  assert.equal(await overAge(), 1)
  assert.equal((await read())('countersign_rotations_held'), 0)
})

test('deliveries and attempts are counted as the store has them, however they ended', async (t) => {
  const { server, read } = await start(t, {
    COUNTERSIGN_RETRY_SCHEDULE: '1h',
    COUNTERSIGN_ATTEMPT_TIMEOUT: '1s',
  })
  const receiver = await startReceiver()
  await using silent = await neverAnswers()
  t.after(() => receiver.close())
  const { client } = server
  const project = (await client.projects.create({ name: 'ends' })).id
  const statusCodes: Record<string, number> = { fine: 204, gone: 410, down: 500 }
  receiver.answer = ({ headers }) => ({ statusCode: statusCodes[String(headers['x-kind'])] ?? 200 })
  const create = async (kind: string, url = receiver.url) => {
    const given = { url, eventTypes: [`${kind}.*`], headers: { 'x-kind': kind } }
    return client.endpoints.create(project, given)
  }
  const publish = (kind: string) =>
    client.events.publish(project, { type: `${kind}.happened`, data: {} })
  const ids = new Map<string, string>()
  for (const kind of ['fine', 'gone', 'down', 'off', 'deleted']) {
    ids.set(kind, (await create(kind)).id)
  }
  await create('refused', 'http://127.0.0.1:1/')
  await create('silent', silent.url)
  await client.endpoints.update(project, ids.get('off') ?? '', { state: 'disabled' })
  for (const kind of ['fine', 'fine', 'gone', 'down', 'off', 'off', 'refused']) await publish(kind)
  statusCodes.deleted = 500
  await publish('deleted')
  await until('they were tried', async () => {
    return (await read())('countersign_first_attempt_delay_seconds_count') === 6
  })
  await client.endpoints.delete(project, ids.get('deleted') ?? '')
  // An event that is expunged while it is being sent: its result finds no lease.
  const { id: secretEvent } = await publish('silent')
  await until('it is being sent', () => silent.requests.length === 1)
  const expunged = await fetch(
    `${server.app.url}/v1/projects/${project}/events/${secretEvent}/payload`,
    { method: 'DELETE', headers: { authorization: `Bearer ${server.rootKey}` } },
  )
  assert.equal(expunged.status, 204)
  await until(
    'its result came',
    async () => (await read())('countersign_attempts_fenced_total') === 1,
  )

  const counts = await storeCounts(server)
  assert.deepEqual(counts.deliveries, { delivered: 2, failed: 3, pending: 2, skipped: 2 })
  await until('the deleted one is counted', async () => {
    return (await read())('countersign_deliveries_total{status="failed"}') === 3
  })
  const after = await read()
  for (const status of ['delivered', 'failed', 'skipped'] as const) {
    const count = after(`countersign_deliveries_total{status="${status}"}`)
    assert.equal(count, counts.deliveries[status], status)
  }
  for (const [outcome, count] of Object.entries(counts.attempts)) {
    assert.equal(after(`countersign_attempts_total{outcome="${outcome}"}`), count, outcome)
  }
  assert.deepEqual(Object.keys(counts.attempts), ['connect', 'http_status', 'success'])
  assert.equal(after('countersign_backlog'), counts.deliveries.pending)
})

test('the oldest due is told at the first look, also while its receiver asked for patience', async (t) => {
  const { server, read } = await start(t, { COUNTERSIGN_RETRY_SCHEDULE: '30m,30m' })
  const receiver = await startReceiver()
  t.after(() => receiver.close())
  const { client, clock } = server
  const project = (await client.projects.create({ name: 'late' })).id
  const paused = { url: receiver.url, eventTypes: ['paused.*'] }
  await client.endpoints.create(project, paused)
  await client.endpoints.create(project, { url: receiver.url, eventTypes: ['down.*'] })
  const publishAndTry = async (type: string) => {
    const before = receiver.received.length
    await client.events.publish(project, { type, data: {} })
    await until(`${type} was tried`, () => receiver.received.length > before)
  }
  receiver.answer = () => ({ statusCode: 429, headers: { 'retry-after': '7200' } })
  await publishAndTry('paused.one')
  await until('what the receiver asked for is known', async () => {
    return (await read())('countersign_attempts_total{outcome="http_status"}') === 1
  })
  receiver.answer = () => ({ statusCode: 500 })
  await client.events.publish(project, { type: 'paused.two', data: {} })
  await publishAndTry('down.one')
  clock.adjust(10 * 60_000)
  await until('it waits in the store', async () => {
    const lateSeconds = (await read())('countersign_oldest_due_seconds')
    assert.ok(lateSeconds === 0 || (lateSeconds >= 600 && lateSeconds < 660), `${lateSeconds} s`)
    return lateSeconds > 0
  })
})

test('the lag of the event loop is that of the worst moment since the last look', async (t) => {
  const { read } = await start(t)
  await read()
  const lookedAt = performance.now()
  await until('the next moment is watched', () => performance.now() - lookedAt > 200)
  const blockedUntil = performance.now() + 400
  while (performance.now() < blockedUntil);
  const lagSeconds = (await read())('countersign_event_loop_lag_seconds')
  assert.ok(lagSeconds >= 0.25 && lagSeconds < 10, `${lagSeconds} s`)
})

async function start(t: TestContext, environment = {}) {
  const server = await startTestApp({ environment })
  t.after(() => server.dispose())
  const text = async () => {
    const response = await fetch(`${server.app.url}/metrics`, {
      headers: { authorization: `Bearer ${server.rootKey}` },
    })
    assert.equal(response.status, 200)
    return response.text()
  }
  const read = async () => {
    const lines = (await text()).split('\n').filter((line) => !line.startsWith('#'))
    return (name: string) => {
      const line = lines.find((each) => each.startsWith(`${name} `))
      // A label that has not been counted yet has no line.
      return line === undefined ? 0 : Number(line.slice(name.length + 1))
    }
  }
  return { server, text, read }
}

/** How many there are of each status, and of each outcome, in the store itself. */
function storeCounts({ store }: TestApp) {
  return store.read(async (select) => {
    const count = async (sql: string): Promise<Record<string, number>> => {
      const rows = await select(sql)
      return Object.fromEntries(rows.map(({ name, count }) => [String(name), Number(count)]))
    }
    return {
      deliveries: await count(
        'select status as name, count(*) as count from deliveries group by 1 order by 1',
      ),
      attempts: await count(
        `select coalesce(error, 'success') as name, count(*) as count from attempts
         group by 1 order by 1`,
      ),
    }
  })
}
