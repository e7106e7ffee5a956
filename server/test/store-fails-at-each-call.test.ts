import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ApiError, Countersign } from '@countersign/sdk'
import type { Storage } from '../src/storage/storage.ts'
import { checkInvariants, readDeliveries, readState } from './support/check-invariants.ts'
import { createFailingStorage, type FailingStorage } from './support/failing-storage.ts'
import { type Received, type Receiver, startReceiver } from './support/receiver.ts'
import { startTestApp, type TestApp } from './support/start-test-app.ts'
import { until } from './support/until.ts'

/** Far more than the flow takes: reaching it means that a round never runs clean. */
const callsMax = 1_000

describe('a store that fails', () => {
  let server: TestApp
  let client: Countersign
  let receiver: Receiver
  let store: SwitchableStore

  before(async () => {
    store = createSwitchableStore()
    server = await startTestApp({
      environment: { COUNTERSIGN_RETRY_SCHEDULE: '1h,1h', COUNTERSIGN_ATTEMPT_TIMEOUT: '5s' },
      wrapStorage: store.wrap,
    })
    client = new Countersign({
      baseUrl: server.app.url,
      apiKey: server.rootKey,
      // Each refusal is to be seen.
      retriesMax: 0,
    })
    receiver = await startReceiver()
  })
  after(async () => {
    await server.dispose()
    await receiver.close()
  })

  /**
   * Goal: wherever the store fails, the caller gets a 503, nothing is half-done, and the same call
   * works afterwards. Method: the whole life of a project, again and again, with the n-th call of
   * the store failing, until a round needs fewer calls than n.
   */
  test('at call 1, 2, 3 … refuses with 503, leaves nothing half-done, and goes on', async (t) => {
    const failed = new Map<string, number>()
    let refusals = 0
    let failAt = 1
    for (; failAt < callsMax; failAt++) {
      const failing = store.failAt(failAt)
      const round = createRound({ client, server, receiver, failing, name: `round-${failAt}` })
      await live(round)
      refusals += round.refusalCount()
      checkInvariants(server.dataDir)
      const member = failing.failedAt()
      if (member === null) break
      failed.set(member, (failed.get(member) ?? 0) + 1)
    }
    t.diagnostic(`${failAt - 1} calls, ${refusals} refusals`)
    t.diagnostic([...failed].map(([member, times]) => `${member} ${times}`).join(', '))
    assert.ok(failAt < callsMax, 'a round ran clean')
    assert.ok(refusals > 50, 'callers were refused')
    for (const member of mustHaveFailed) assert.ok(failed.has(member), `${member} has failed`)
  })

  test('for a while delays what was accepted and repeats nothing', async () => {
    const project = (await client.projects.create({ name: 'outage' })).id
    await client.endpoints.create(project, { url: receiver.url })
    const publish = () => client.events.publish(project, { type: 'in.flight', data: {} })
    const seenBefore = receiver.received.length
    const published = await Promise.all(Array.from({ length: 50 }, publish))
    // From here on nothing can be recorded: results have to wait in memory.
    store.failAlways()
    await refused(publish())
    await refused(client.endpoints.list(project).page())
    assert.equal((await fetch(`${server.app.url}/readyz`)).status, 503)
    assert.equal((await fetch(`${server.app.url}/healthz`)).status, 200)
    await until('the receiver has them all', () =>
      published.every(({ id }) => receiver.deliveredIds.has(id)),
    )
    store.failNever()
    const isDelivered = (id: string) => readDeliveries(server.dataDir, id)[0]?.status === 'delivered'
    await until('every outcome is recorded', () => published.every(({ id }) => isDelivered(id)))
    assert.equal(receiver.received.length - seenBefore, published.length, 'none came twice')
    assert.equal((await fetch(`${server.app.url}/readyz`)).status, 200)
  })

  test('has kept nothing that a restart brings up', async () => {
    await server.restart()
    await server.app.stop(5_000)
    assert.equal(checkInvariants(server.dataDir).pendingCount, 0)
  })
})

/** The parts of the port that the flow cannot do without; each has to have failed once. */
const mustHaveFailed = [
  'transact',
  'commit',
  'acceptEvents',
  'claimDue',
  'nextDueAt',
  'releaseClaims',
  'getProject',
  'getEndpoint',
  'getEndpointById',
  'listSecrets',
  'latestRotation',
  'findIdempotentAnswer',
  'getDelivery',
  'listAttempts',
  'getEvent',
  'listAuditRows',
  'tx.insertProject',
  'tx.insertEndpoint',
  'tx.insertSecret',
  'tx.insertRotation',
  'tx.insertAuditRow',
  'tx.insertIdempotentAnswer',
  'tx.acceptEvents',
  'tx.recordAttempts',
  'tx.updateEndpointHealth',
  'tx.updateRotation',
  'tx.createTestDelivery',
  'tx.retryDelivery',
  'tx.deleteEndpoint',
  'tx.deleteProject',
  'tx.replaceAnnouncements',
]

/** Create, publish, deliver, test, rotate, complete, retry, pause, delete. */
async function live(round: Round): Promise<void> {
  const { client, receiver, call, publish, delivered } = round
  const { id: project } = await call('', (options) =>
    client.projects.create({ name: round.name }, options),
  )
  const endpoint = await call(project, (options) =>
    client.endpoints.create(project, { url: receiver.url }, options),
  )
  receiver.secrets = [endpoint.secret]
  const first = await publish(project, 'plain')
  assert.deepEqual(secretIdsOf(await delivered(first)), [endpoint.secretId])

  const tested = await call(project, (options) =>
    client.endpoints.test(project, endpoint.id, {}, options),
  )
  assert.equal(tested.success, true)

  const rotated = await call(
    project,
    (options) =>
      client.endpoints.rotateSecret(project, endpoint.id, { expireCurrentIn: 3600 }, options),
    async () => {
      const between = await publish(project, 'plain')
      const request = await delivered(between)
      assert.deepEqual(secretIdsOf(request), [endpoint.secretId], 'a refused rotate changed nothing')
    },
  )
  receiver.secrets = [rotated.secret]
  const both = await delivered(await publish(project, 'plain'))
  assert.deepEqual(secretIdsOf(both), [rotated.secretId, endpoint.secretId])
  assert.ok(both.isVerified, 'the answered secret signs')

  await call(
    project,
    (options) => client.rotations.complete(project, endpoint.id, rotated.rotation.id, {}, options),
    async () => {
      const between = await delivered(await publish(project, 'plain'))
      assert.deepEqual(secretIdsOf(between), [rotated.secretId, endpoint.secretId])
    },
  )
  const alone = await delivered(await publish(project, 'plain'))
  assert.deepEqual(secretIdsOf(alone), [rotated.secretId])
  assert.ok(alone.isVerified)

  await retryAfterFailure(round, project)
  await readEverything(round, project, endpoint.id, first)
  await call(project, (options) =>
    client.endpoints.update(project, endpoint.id, { description: 'changed' }, options),
  )
  await pauseAndDelete(round, project, endpoint.id)
  await call(project, (options) => client.projects.delete(project, options))
}

async function retryAfterFailure(round: Round, project: string): Promise<void> {
  const { client, call, publish, delivered, becomes } = round
  const event = await publish(project, 'fails.once')
  await becomes(event, { status: 'pending', attemptCount: 1, failureReason: null })
  const { data } = await call(project, (options) =>
    client.deliveries.list(project, { event }, options).page(),
  )
  const delivery = data[0]?.id ?? ''
  await call(project, (options) => client.deliveries.retry(project, delivery, options))
  await delivered(event)
  const { attempts } = await call(project, (options) =>
    client.deliveries.get(project, delivery, options),
  )
  assert.deepEqual(
    attempts.map(({ number, error }) => [number, error]),
    [
      [1, 'http_status'],
      [2, null],
    ],
  )
}

async function readEverything(
  { client, call }: Round,
  project: string,
  endpoint: string,
  event: string,
): Promise<void> {
  await call(project, (options) => client.projects.get(project, options))
  await call(project, (options) => client.endpoints.get(project, endpoint, options))
  await call(project, (options) => client.endpoints.list(project, {}, options).page())
  await call(project, (options) => client.endpoints.listSecrets(project, endpoint, {}, options).page())
  await call(project, (options) => client.rotations.list(project, endpoint, {}, options).page())
  await call(project, (options) => client.events.get(project, event, options))
  await call(project, (options) => client.events.list(project, {}, options).page())
  await call(project, (options) => client.auditLog.list(project, {}, options).page())
}

/** A receiver that asks for patience makes the dispatcher give back what it was handed. */
async function pauseAndDelete(round: Round, project: string, endpoint: string): Promise<void> {
  const { client, call, publish, becomes } = round
  const asked = await publish(project, 'asks.for.patience')
  await becomes(asked, { status: 'pending', attemptCount: 1, failureReason: null })
  const waiting = await publish(project, 'plain')
  await round.settled()
  await call(project, (options) => client.endpoints.delete(project, endpoint, options))
  const failureReason = 'endpoint_deleted'
  await becomes(asked, { status: 'failed', attemptCount: 1, failureReason })
  await becomes(waiting, { status: 'failed', attemptCount: 0, failureReason })
}

interface Round {
  name: string
  client: Countersign
  receiver: Receiver
  /**
   * Calls; where the store's failure makes it a 503, checks that nothing was stored and calls
   * again, under the same Idempotency-Key.
   */
  call<T>(
    project: string,
    send: (options: { idempotencyKey: string }) => Promise<T>,
    onRefused?: () => Promise<void>,
  ): Promise<T>
  publish(project: string, type: string): Promise<string>
  /** Waits for the request that was answered with 2xx and for its record. */
  delivered(event: string): Promise<Received>
  becomes(event: string, delivery: ReturnType<typeof readDeliveries>[number]): Promise<void>
  /** Waits until the store is not asked any more. */
  settled(): Promise<void>
  refusalCount(): number
}

function createRound(options: {
  name: string
  client: Countersign
  server: TestApp
  receiver: Receiver
  failing: FailingStorage
}): Round {
  const { name, client, receiver, failing } = options
  const { dataDir } = options.server
  let callCount = 0
  let refusalCount = 0
  const failingOnce = new Set<string>()
  receiver.answer = ({ id, body }) => {
    const { type } = JSON.parse(body) as { type: string }
    if (type === 'asks.for.patience') return { statusCode: 429, headers: { 'retry-after': '3600' } }
    const isFirst = !failingOnce.has(id)
    failingOnce.add(id)
    return { statusCode: type === 'fails.once' && isFirst ? 500 : 204 }
  }

  const round: Round = {
    name,
    client,
    receiver,
    async call(project, send, onRefused) {
      const idempotencyKey = `${name}-${callCount++}`
      const before = readState(dataDir, project)
      try {
        return await send({ idempotencyKey })
      } catch (error) {
        assertUnavailable(error, failing.failedAt())
        refusalCount++
        const refused = `refused at ${failing.failedAt()}: ${callCount}`
        assert.deepEqual(readState(dataDir, project), before, `half-done, though ${refused}`)
        await onRefused?.()
        return send({ idempotencyKey })
      }
    },
    async publish(project, type) {
      const { id } = await round.call(project, (post) =>
        client.events.publish(project, { type, data: { round: name } }, post),
      )
      return id
    },
    async delivered(event) {
      await until(`${event} is delivered`, () => receiver.deliveredIds.has(event))
      await until('the outcome is recorded', () =>
        readDeliveries(dataDir, event).every(({ status }) => status === 'delivered'),
      )
      const requests = receiver.received.filter(({ id }) => id === event)
      const request = requests.at(-1)
      assert.ok(request)
      return request
    },
    async becomes(event, delivery) {
      const isSo = () => JSON.stringify(readDeliveries(dataDir, event)) === JSON.stringify([delivery])
      await until(`${event} becomes ${JSON.stringify(delivery)}`, isSo)
    },
    async settled() {
      let seen = -1
      await until('the store is left alone', async () => {
        const before = seen
        seen = failing.callCount()
        await new Promise((resolve) => setTimeout(resolve, 10))
        return seen === before
      })
    },
    refusalCount: () => refusalCount,
  }
  return round
}

interface SwitchableStore {
  wrap: (inner: Storage) => Storage
  /** From here on, counting from 1. */
  failAt(call: number): FailingStorage
  failAlways(): void
  failNever(): void
}

/** What the server holds stays the same; what stands behind it changes. */
function createSwitchableStore(): SwitchableStore {
  let inner: Storage | null = null
  let current: () => Storage
  const connected = () => {
    assert.ok(inner !== null, 'the server has started')
    return inner
  }
  const failNever = () => {
    current = connected
  }
  failNever()
  return {
    wrap(opened) {
      inner = opened
      const members = Object.keys(opened).map((name) => {
        const member = name as keyof Storage
        const call = (...parameters: never[]) =>
          (current()[member] as (...given: never[]) => unknown)(...parameters)
        return [name, call]
      })
      return Object.fromEntries(members) as unknown as Storage
    },
    failAt(call) {
      const failing = createFailingStorage(connected(), call)
      current = () => failing.storage
      return failing
    },
    failAlways() {
      current = () => createFailingStorage(connected(), 1).storage
    },
    failNever,
  }
}

async function refused(call: Promise<unknown>): Promise<void> {
  await assert.rejects(call, (error) => {
    assertUnavailable(error, 'every call')
    return true
  })
}

/** The client takes a `code` from a problem document only. */
function assertUnavailable(error: unknown, failedAt: string | null): void {
  if (!(error instanceof ApiError)) throw error
  assert.equal(error.status, 503, `${error.message}, as ${failedAt} failed`)
  assert.equal(error.code, 'storage_unavailable')
}

function secretIdsOf(request: Received): string[] {
  return String(request.headers['webhook-secret-ids']).split(',')
}
