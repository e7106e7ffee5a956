import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { AttemptError, DeliveryWithAttempts } from '@countersign/sdk'
import { checkInvariants } from './support/check-invariants.ts'
import {
  answersBeforeBody,
  answersWith,
  closesKeepAliveAtWorstMoment,
  drips,
  endlessBody,
  endlessHeaders,
  liesAboutContentLength,
  neverAnswers,
  ok,
  type Receiver,
  redirectsTo,
  resets,
} from './support/hostile-receivers.ts'
import { startReceiver } from './support/receiver.ts'
import { startTestApp, type TestApp } from './support/start-test-app.ts'
import { isOnPostgres } from './support/test-database.ts'
import { until } from './support/until.ts'

const attemptTimeoutMs = 1_000
/** An endpoint may take a tenth of them while another one waits, and never the last tenth. */
const concurrency = 20
const keptBodyBytesMax = 16 * 1024

/** What becomes of the first attempt; `statusCode` null: no response is recorded. */
interface Expected {
  error: AttemptError | null
  /** Which of the two depends on the system. */
  orError?: AttemptError
  statusCode: number | null
  isTruncated?: boolean
  /** Only the deadline ends the attempt. */
  takesItsTime?: boolean
  /** The receiver reads nothing, so it does not notice that the connection is closed. */
  isBlind?: boolean
}

const hostile: Record<string, { start: () => Promise<Receiver> } & Expected> = {
  'never answers': {
    start: neverAnswers,
    error: 'timeout',
    statusCode: null,
    takesItsTime: true,
  },
  'drips its head': {
    start: () => drips({ part: 'head' }),
    error: 'timeout',
    statusCode: null,
    takesItsTime: true,
  },
  'drips its body': {
    start: () => drips({ part: 'body' }),
    error: 'timeout',
    statusCode: 200,
    takesItsTime: true,
  },
  'resets each connection': {
    start: () => resets({ when: 'on_connect' }),
    error: 'reset',
    orError: 'connect',
    statusCode: null,
  },
  'resets after the request': {
    start: () => resets({ when: 'after_request' }),
    error: 'reset',
    statusCode: null,
  },
  'resets inside the response': {
    start: () => resets({ when: 'in_body' }),
    error: 'reset',
    statusCode: 200,
  },
  'sends a body without end': {
    start: () => endlessBody(),
    error: 'response_too_large',
    statusCode: 200,
    isTruncated: true,
  },
  'sends chunks without end': {
    start: () => endlessBody({ chunked: true }),
    error: 'response_too_large',
    statusCode: 200,
    isTruncated: true,
  },
  'sends headers without end': {
    start: () => endlessHeaders({ kind: 'headers' }),
    error: 'response_too_large',
    statusCode: null,
  },
  'sends a status line without end': {
    start: () => endlessHeaders({ kind: 'status_line' }),
    error: 'response_too_large',
    statusCode: null,
  },
  'sends interim responses without end': {
    start: () => endlessHeaders({ kind: 'interim' }),
    error: 'response_too_large',
    statusCode: null,
  },
  'sends a chunk extension without end': {
    start: () => endlessHeaders({ kind: 'chunk_extension' }),
    error: 'response_too_large',
    statusCode: 200,
  },
  'sends less than it announced': {
    start: () => liesAboutContentLength({ actual: 'shorter' }),
    error: 'reset',
    statusCode: 200,
  },
  'sends more than it announced': {
    start: () => liesAboutContentLength({ actual: 'longer' }),
    // Its announced part is a whole response; what follows costs it the connection.
    error: null,
    statusCode: 200,
  },
  'refuses before it reads the body': {
    start: answersBeforeBody,
    error: 'http_status',
    statusCode: 413,
    isBlind: true,
  },
  'speaks another protocol': {
    start: () => answersWith('SSH-2.0-OpenSSH_9.9\r\n'),
    error: 'reset',
    statusCode: null,
  },
  'answers bytes that are no text': {
    start: () => answersWith('HTTP/1.1 500 \xff\xfe\r\ncontent-length: 3\r\n\r\n\x00\xff\xfe'),
    error: 'http_status',
    statusCode: 500,
  },
}

describe('hostile receivers', () => {
  let server: TestApp
  const receivers = new Map<string, Receiver>()
  const endpoints = new Map<string, string>()
  let project: string

  before(async () => {
    server = await startTestApp({
      environment: {
        COUNTERSIGN_ATTEMPT_TIMEOUT: `${attemptTimeoutMs}ms`,
        COUNTERSIGN_RETRY_SCHEDULE: '1h',
        COUNTERSIGN_CONCURRENCY: String(concurrency),
      },
    })
    project = (await server.client.projects.create({ name: 'hostile' })).id
    for (const [name, { start }] of Object.entries(hostile)) {
      const receiver = await start()
      receivers.set(name, receiver)
      const { id } = await server.client.endpoints.create(project, { url: receiver.url })
      endpoints.set(name, id)
    }
  })
  after(async () => {
    await server.dispose()
    for (const receiver of receivers.values()) await receiver.close()
  })

  const publish = (to = project) =>
    server.client.events.publish(to, { type: 'a.b', data: { filler: 'x'.repeat(100_000) } })
  const deliveriesOf = async (to: string, query: Parameters<typeof list>[1]) =>
    (await list(to, { ...query, limit: 100 }).page()).data
  const list = (...args: Parameters<TestApp['client']['deliveries']['list']>) =>
    server.client.deliveries.list(...args)

  test('each costs one attempt, which is bounded and says what went wrong', async (t) => {
    const event = await publish()
    await until('every endpoint was tried', async () => {
      const deliveries = await deliveriesOf(project, { event: event.id })
      return deliveries.every(({ attemptCount }) => attemptCount === 1)
    })
    const deliveries = await deliveriesOf(project, { event: event.id })
    for (const [name, expected] of Object.entries(hostile)) {
      await t.test(`one that ${name}`, async () => {
        const found = deliveries.find(({ endpointId }) => endpointId === endpoints.get(name))
        assert.ok(found)
        assertAttempt(await server.client.deliveries.get(project, found.id), expected)
        const receiver = receivers.get(name)
        assert.ok(receiver)
        // What a node has read may expire while it connects: then it connects again, and sends once.
        assert.ok(isOnPostgres || receiver.connectionsAccepted === 1, 'one connection')
        assert.ok(receiver.requests.length <= 1, 'one request')
        if (expected.isBlind) return
        await until('the connection is closed', () => receiver.connectionsOpen === 0)
      })
    }
  })

  test('those that hang leave the others their slots', async (t) => {
    const eventsMax = 30
    const shared = (await server.client.projects.create({ name: 'shared' })).id
    const healthy = await startReceiver()
    const hanging = await Promise.all([neverAnswers(), drips({ part: 'head' }), drips()])
    t.after(async () => {
      await server.client.projects.delete(shared)
      await healthy.close()
      for (const receiver of hanging) await receiver.close()
    })
    for (const { url } of hanging) await server.client.endpoints.create(shared, { url })
    await Promise.all(Array.from({ length: eventsMax }, () => publish(shared)))
    const shareMax = concurrency / 10
    await until('they fill their slots', () => openOf(hanging) >= shareMax * hanging.length)

    let openMax = 0
    const { id } = await server.client.endpoints.create(shared, { url: healthy.url })
    healthy.answer = () => {
      openMax = Math.max(openMax, openOf(hanging))
      return { statusCode: 200 }
    }
    const published = await Promise.all(Array.from({ length: eventsMax }, () => publish(shared)))
    await until('the healthy one has everything', () =>
      published.every((event) => healthy.deliveredIds.has(event.id)),
    )
    const waiting = await deliveriesOf(shared, { status: 'pending' })
    assert.ok(
      waiting.some(({ attemptCount }) => attemptCount === 0),
      'it did not wait until the others were through',
    )
    assert.ok(openMax > 0, 'they hung meanwhile')
    assert.ok(openMax <= shareMax * hanging.length, 'an attempt costs one slot, of a few')
    const { health } = await server.client.endpoints.get(shared, id)
    assert.equal(health, 'healthy')
  })

  test('a redirect to a private address is recorded and never followed', async () => {
    await using secret = await ok()
    const own = (await server.client.projects.create({ name: 'redirects' })).id
    for (const statusCode of [301, 302, 303, 307, 308]) {
      await using receiver = await redirectsTo(secret.url, { statusCode })
      const endpoint = await server.client.endpoints.create(own, { url: receiver.url })
      const event = await publish(own)
      const delivery = await attempted(own, event.id)
      assertAttempt(delivery, { error: 'redirect', statusCode })
      assert.equal(delivery.status, 'pending', 'it is tried again: the receiver may be mended')
      assert.equal(delivery.attempts[0]?.response?.headers.location, secret.url)
      assert.equal(receiver.requests.length, 1)
      await server.client.endpoints.delete(own, endpoint.id)
    }
    assert.equal(secret.connectionsAccepted, 0)
  })

  for (const how of ['close', 'reset', 'after_response'] as const) {
    test(`a kept connection that ends at the worst moment (${how}) costs no attempt`, async () => {
      await using receiver = await closesKeepAliveAtWorstMoment({ how })
      const own = (await server.client.projects.create({ name: how })).id
      const endpoint = await server.client.endpoints.create(own, { url: receiver.url })
      for (let round = 1; round <= 4; round++) {
        const event = await publish(own)
        const delivery = await attempted(own, event.id)
        assertAttempt(delivery, { error: null, statusCode: 200 })
        assert.equal(delivery.status, 'delivered')
        assert.equal(delivery.attemptCount, 1, 'the receiver has not failed')
      }
      if (how !== 'after_response') {
        const sentAgain = receiver.requests.filter(({ ordinal }) => ordinal === 2)
        assert.ok(sentAgain.length > 0, 'requests did meet a connection that was ending')
      }
      const { consecutiveFailures } = await server.client.endpoints.get(own, endpoint.id)
      assert.equal(consecutiveFailures, 0)
    })
  }

  test('leave the store as whole as it was', async () => {
    await server.app.stop(5_000)
    await checkInvariants(server.store)
  })

  const attempted = async (to: string, event: string): Promise<DeliveryWithAttempts> => {
    await until('the attempt is recorded', async () => {
      const [delivery] = await deliveriesOf(to, { event })
      return delivery?.attemptCount === 1
    })
    const [delivery] = await deliveriesOf(to, { event })
    return server.client.deliveries.get(to, delivery?.id ?? '')
  }
})

function assertAttempt(delivery: DeliveryWithAttempts, expected: Expected): void {
  assert.equal(delivery.attempts.length, 1)
  const [attempt] = delivery.attempts
  assert.ok(attempt)
  if (attempt.error !== expected.orError) assert.equal(attempt.error, expected.error)
  assert.equal(attempt.response?.statusCode ?? null, expected.statusCode)
  assert.equal(delivery.lastError, attempt.error)
  assert.equal(delivery.lastStatusCode, expected.statusCode)
  assert.equal(delivery.status, expected.error === null ? 'delivered' : 'pending')
  assert.equal(attempt.response?.bodyTruncated ?? false, expected.isTruncated ?? false)
  assert.ok(Buffer.byteLength(attempt.response?.body ?? '') <= keptBodyBytesMax)
  assert.ok(JSON.stringify(attempt.response?.headers ?? {}).length <= keptBodyBytesMax * 2)
  // With room for a machine that is busy: what must not be is an attempt that goes on for long.
  assert.ok(attempt.durationMs < attemptTimeoutMs * 3, `it took ${attempt.durationMs} ms`)
  if (expected.takesItsTime) assert.ok(attempt.durationMs >= attemptTimeoutMs * 0.9)
}

function openOf(receivers: readonly Receiver[]): number {
  return receivers.reduce((open, { connectionsOpen }) => open + connectionsOpen, 0)
}
