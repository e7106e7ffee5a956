import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { checkInvariants } from '../support/check-invariants.ts'
import { startReceiver } from '../support/receiver.ts'
import { createSettableClock } from '../support/settable-clock.ts'
import { startTestApp } from '../support/start-test-app.ts'
import { until } from '../support/until.ts'

const HOUR_MS = 3_600_000

/** An event that failed once and waits a second for its next attempt, on a clock that can be set. */
async function waitingRetry(t: TestContext, options: { retryAfter?: string } = {}) {
  const { clock, setWallClock } = createSettableClock()
  const receiver = await startReceiver()
  t.after(() => receiver.close())
  receiver.toleranceSeconds = 100 * 86_400
  const server = await startTestApp({
    clock,
    environment: { COUNTERSIGN_RETRY_SCHEDULE: Array(50).fill('3s').join(',') },
  })
  t.after(() => server.dispose())
  const client = () => server.client
  const project = (await client().projects.create({ name: 'clock' })).id
  const endpoint = await client().endpoints.create(project, { url: receiver.url })
  receiver.secrets = [endpoint.secret]
  const headers = options.retryAfter === undefined ? {} : { 'retry-after': options.retryAfter }
  receiver.answer = () => ({ statusCode: 503, headers })
  const event = await client().events.publish(project, { type: 'a.b', data: {} })
  await until('it failed once', () => receiver.received.length === 1)
  await until('that is recorded', async () => {
    const { data } = await client().deliveries.list(project).page()
    return data[0]?.attemptCount === 1
  })
  receiver.answer = () => ({ statusCode: 204 })
  const setClock = async (byMs: number) => {
    setWallClock(byMs)
    await until('the jump is in the log', () =>
      server.logLines.some((line) => line.includes('The wall clock jumped')),
    )
  }
  const delivered = () => until('it is delivered', () => receiver.deliveredIds.has(event.id))
  const done = async () => {
    await until('it is recorded', async () => {
      const { data } = await client().deliveries.list(project, { status: 'delivered' }).page()
      return data.length === 1
    })
    assert.equal(receiver.rejectedCount, 0)
    await checkInvariants(server.store, { acceptedIds: [event.id] })
  }
  return { server, setClock, setWallClock, delivered, done, project, endpoint, receiver }
}

// Each has a server and a clock of its own, and mostly waits.
describe('a clock that is set by hours', { concurrency: true }, () => {
  for (const hours of [-5, -1000, 5, 1000]) {
    test(`by ${hours}: retries keep their delays`, async (t) => {
      const { setClock, delivered, done } = await waitingRetry(t)
      await setClock(hours * HOUR_MS)
      await delivered()
      await done()
    })
  }

  test('back while a receiver asked for a pause: the pause keeps its length', async (t) => {
    const { setClock, delivered, done } = await waitingRetry(t, { retryAfter: '4' })
    await setClock(-5 * HOUR_MS)
    await delivered()
    await done()
  })

  test('back between two processes: the next one finds out', async (t) => {
    const { server, setWallClock, delivered, done } = await waitingRetry(t)
    setWallClock(-5 * HOUR_MS)
    // As a new process does, which knows nothing but the wall clock.
    await server.app.stop(5_000)
    server.clock.adjust()
    await server.restart()
    await delivered()
    await done()
    assert.ok(server.logLines.some((line) => line.includes('The clock was set back')))
  })

  test('back and forth while a window is open: what expired stays so, and nobody is rejected', async (t) => {
    const { server, setClock, project, endpoint, receiver } = await waitingRetry(t)
    const rotated = await server.client.endpoints.rotateSecret(project, endpoint.id, {
      expireCurrentIn: 3600,
    })
    receiver.secrets = [rotated.secret]
    await setClock(2 * HOUR_MS)
    await until('it is over', async () => {
      const { status } = await server.client.rotations.get(
        project,
        endpoint.id,
        rotated.rotation.id,
      )
      return status === 'completed'
    })
    await setClock(-4 * HOUR_MS)
    const { id } = await server.client.events.publish(project, { type: 'a.b', data: {} })
    await until('it is delivered', () => receiver.deliveredIds.has(id))
    const request = receiver.received.find((each) => each.id === id)
    assert.equal(String(request?.headers['webhook-signature']).split(' ').length, 1)
    await until('all are delivered', () => receiver.deliveredIds.size === 2)
  })
})
