import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { ApiError, type CreatedEndpoint } from '@countersign/sdk'
import { checkInvariants } from './support/check-invariants.ts'
import { type Receiver, startReceiver } from './support/receiver.ts'
import { startTestApp, type TestApp } from './support/start-test-app.ts'
import { until } from './support/until.ts'

const HOUR_MS = 3_600_000

describe('what becomes of deliveries when an endpoint changes', () => {
  let server: TestApp
  let receiver: Receiver
  /** Subscribed to `endpoint.*`. */
  let operator: Receiver
  /** Subscribed to `*`, and always well. */
  let customer: Receiver
  let project: string
  let endpoint: CreatedEndpoint

  before(async () => {
    server = await startTestApp({
      environment: { COUNTERSIGN_RETRY_SCHEDULE: '24h,24h', COUNTERSIGN_BLOCK_AFTER: '1h' },
    })
  })
  beforeEach(async () => {
    await closeAll()
    ;[receiver, operator, customer] = await Promise.all([
      startReceiver(),
      startReceiver(),
      startReceiver(),
    ])
    project = (await server.client.projects.create({ name: 'states' })).id
    const create = (url: string, eventTypes: string[]) =>
      server.client.endpoints.create(project, { url, eventTypes })
    endpoint = await create(receiver.url, ['order.*'])
    await create(operator.url, ['endpoint.*'])
    await create(customer.url, ['*'])
  })
  after(async () => {
    await server.dispose()
    await closeAll()
  })

  const closeAll = () =>
    Promise.all([receiver, operator, customer].map((each) => each?.close())).catch(() => {})
  const publish = () =>
    server.client.events.publish(project, { type: 'order.paid', data: { n: 1 } })
  const deliveryOf = async (event: string, to = endpoint.id) => {
    const { data } = await server.client.deliveries.list(project, { event, endpoint: to }).page()
    assert.ok(data[0])
    return data[0]
  }
  const becomes = (event: string, status: string) =>
    until(`the delivery is ${status}`, async () => (await deliveryOf(event)).status === status)
  const tried = (event: string, attemptCount = 1) =>
    until(
      'the attempt is recorded',
      async () => (await deliveryOf(event)).attemptCount === attemptCount,
    )
  const readEndpoint = () => server.client.endpoints.get(project, endpoint.id)
  const update = (changes: { state: 'active' | 'disabled' }) =>
    server.client.endpoints.update(project, endpoint.id, changes)
  const operationalEvents = (type: string) =>
    operator.received
      .map(({ body }) => JSON.parse(body) as { type: string; data: Record<string, unknown> })
      .filter((event) => event.type === type)
  const announced = async (type: string, count = 1) => {
    await until(`${type} is announced`, () => operationalEvents(type).length >= count)
    const events = operationalEvents(type)
    assert.equal(events.length, count)
    return events.at(-1)
  }
  const failOnce = async () => {
    const { id } = await publish()
    await tried(id)
    return id
  }
  /** The result of an attempt that fails makes the dispatcher look at what is due. */
  const passTime = async (ms: number) => {
    server.clock.adjust(ms)
    const failing = await startReceiver()
    failing.answer = () => ({ statusCode: 500 })
    const { id: other } = await server.client.projects.create({ name: 'the passing of time' })
    await server.client.endpoints.create(other, { url: failing.url })
    await server.client.events.publish(other, { type: 'wake.up', data: {} })
    await until('the dispatcher is awake', () => failing.received.length === 1)
    await failing.close()
  }
  const refused = async (call: Promise<unknown>, code: string) => {
    await assert.rejects(call, (error) => {
      assert.ok(error instanceof ApiError)
      assert.equal(error.status, 409)
      assert.equal(error.code, code)
      return true
    })
  }

  test('disabled: events are kept as skipped, and a retry delivers them once it is back', async () => {
    receiver.answer = () => ({ statusCode: 500 })
    const waiting = await failOnce()
    await update({ state: 'disabled' })
    assert.equal((await announced('endpoint.disabled'))?.data.endpoint_id, endpoint.id)
    const event = await publish()
    assert.equal(event.deliveryCount, 2, 'a skipped delivery counts')
    const skipped = await deliveryOf(event.id)
    assert.equal(skipped.status, 'skipped')
    assert.equal(skipped.nextAttemptAt, null)
    await refused(server.client.deliveries.retry(project, skipped.id), 'endpoint_disabled')

    await passTime(30 * HOUR_MS)
    await becomes(waiting, 'skipped')
    assert.equal(receiver.received.length, 1, 'nothing was sent while it was disabled')

    receiver.answer = () => ({ statusCode: 204 })
    await update({ state: 'active' })
    for (const id of [event.id, waiting]) {
      const retried = await server.client.deliveries.retry(project, (await deliveryOf(id)).id)
      assert.equal(retried.status, 'pending')
      await becomes(id, 'delivered')
    }
    assert.deepEqual([...receiver.deliveredIds].sort(), [event.id, waiting].sort())
  })

  test('410: the delivery has failed as gone, and the endpoint is disabled and says why', async () => {
    receiver.answer = () => ({ statusCode: 500 })
    const waiting = await failOnce()
    receiver.answer = () => ({ statusCode: 410, body: 'no more' })
    const { id } = await publish()
    await becomes(id, 'failed')
    const delivery = await deliveryOf(id)
    assert.equal(delivery.failureReason, 'gone')
    assert.equal(delivery.attemptCount, 1, 'it is not tried again')
    const { state, blockedAt, blockedReason } = await readEndpoint()
    assert.equal(state, 'disabled')
    assert.ok(blockedAt !== null)
    assert.match(blockedReason ?? '', /410/)
    assert.equal((await announced('endpoint.disabled'))?.data.reason, blockedReason)
    const { data: rows } = await server.client.auditLog
      .list(project, { action: 'endpoint.disabled' })
      .page()
    assert.equal(rows.length, 1)
    assert.equal(rows[0]?.actor.type, 'system')
    await passTime(30 * HOUR_MS)
    await becomes(waiting, 'skipped')
  })

  test('blocked: after ten failures and an hour without success, and not on either alone', async () => {
    receiver.answer = () => ({ statusCode: 500 })
    for (let failures = 1; failures <= 12; failures++) await failOnce()
    const early = await readEndpoint()
    assert.equal(early.health, 'failing', 'twelve failures within a minute')
    assert.equal(early.state, 'active')

    receiver.answer = () => ({ statusCode: 204 })
    await becomes((await publish()).id, 'delivered')
    assert.equal((await readEndpoint()).health, 'healthy')
    assert.equal((await announced('endpoint.recovered'))?.data.endpoint_id, endpoint.id)

    receiver.answer = () => ({ statusCode: 500 })
    await failOnce()
    server.clock.adjust(2 * HOUR_MS)
    for (let failures = 2; failures <= 9; failures++) await failOnce()
    assert.equal((await readEndpoint()).state, 'active', 'nine failures over two hours')
    await failOnce()
    const blocked = await readEndpoint()
    assert.equal(blocked.health, 'blocked')
    assert.equal(blocked.state, 'disabled')
    assert.ok(blocked.blockedAt !== null && blocked.blockedReason !== null)
    assert.equal(blocked.consecutiveFailures, 10)
    const { data } = (await announced('endpoint.disabled')) ?? {}
    assert.deepEqual(data, { endpoint_id: endpoint.id, reason: blocked.blockedReason })

    const skipped = await publish()
    assert.equal((await deliveryOf(skipped.id)).status, 'skipped')

    receiver.answer = () => ({ statusCode: 204 })
    const unblocked = await update({ state: 'active' })
    assert.equal(unblocked.state, 'active')
    assert.equal(unblocked.health, 'failing', 'until something succeeds')
    assert.equal(unblocked.blockedAt, null)
    assert.equal(unblocked.blockedReason, null)
    await server.client.deliveries.retry(project, (await deliveryOf(skipped.id)).id)
    await becomes(skipped.id, 'delivered')
    assert.equal((await readEndpoint()).health, 'healthy')
    await announced('endpoint.recovered', 2)
  })

  test('deleted: what was pending has failed as endpoint_deleted, at once', async () => {
    receiver.answer = () => ({ statusCode: 500 })
    const waiting = await Promise.all(Array.from({ length: 20 }, failOnce))
    await server.client.endpoints.delete(project, endpoint.id)
    for (const id of waiting) {
      await becomes(id, 'failed')
      const delivery = await deliveryOf(id)
      assert.equal(delivery.failureReason, 'endpoint_deleted')
      assert.equal(delivery.attemptCount, 1)
      await refused(server.client.deliveries.retry(project, delivery.id), 'endpoint_deleted')
    }
    assert.equal((await publish()).deliveryCount, 1, 'only the customer is left')
    assert.equal(receiver.received.length, waiting.length)
  })

  test('operational events reach who asks for endpoint.*, and never who asks for *', async () => {
    await update({ state: 'disabled' })
    await update({ state: 'active' })
    await server.client.endpoints.rotateSecret(project, endpoint.id, { expireCurrentIn: 0 })
    receiver.answer = () => ({ statusCode: 410 })
    await failOnce()
    await announced('endpoint.disabled', 2)
    await announced('endpoint.secret.rotated')
    const last = await publish()
    await until('the customer has the last event', () => customer.deliveredIds.has(last.id))
    const types = customer.received.map(({ body }) => (JSON.parse(body) as { type: string }).type)
    assert.deepEqual(new Set(types), new Set(['order.paid']))
    assert.ok(operator.received.every(({ body }) => body.startsWith('{"type":"endpoint.')))
  })

  test('all of it leaves the store whole', async () => {
    await server.app.stop(5_000)
    await checkInvariants(server.store)
  })
})
