import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Countersign } from '@countersign/sdk'
import { limits } from '../../src/core/limits.ts'
import { checkInvariants } from '../support/check-invariants.ts'
import { neverAnswers } from '../support/hostile-receivers.ts'
import { startReceiver } from '../support/receiver.ts'
import { residentBytes } from '../support/resident-bytes.ts'
import { startServerProcess } from '../support/start-server-process.ts'
import { until } from '../support/until.ts'

const isLong = Boolean(process.env.COUNTERSIGN_TEST_LONG)
const slowMax = isLong ? 10_000 : 500
/** Together more than is handed over in memory, so that the store holds some as well. */
const eventsEach = Math.ceil((limits.handOffMax * 1.2) / slowMax)
const eventsPerRound = 20
const promptMsMax = 2_000
/** A retry is due after a second and a fifth, and looked for every quarter of a second. */
const retryMsMax = 1_500
const attemptTimeoutMs = 5_000
/** What a server may grow by while it holds all that it may hold. */
const growthBytesMax = 200 * 1024 * 1024

/**
 * Goal: thousands of receivers that never answer hold up each other, and neither a healthy one of
 * the same project nor one of another; memory does not grow with their number. Method: one listener
 * that stays silent, under as many endpoints; more deliveries than slots, and than room in memory.
 */
test(`${slowMax} receivers that never answer do not hold up a healthy one`, async (t) => {
  await using silent = await neverAnswers()
  const healthy = await startReceiver()
  const elsewhere = await startReceiver()
  const newcomer = await startReceiver()
  t.after(() => Promise.all([healthy, elsewhere, newcomer].map((each) => each.close())))
  const server = await startServerProcess({
    COUNTERSIGN_ATTEMPT_TIMEOUT: `${attemptTimeoutMs}ms`,
    COUNTERSIGN_CONCURRENCY: '64',
    COUNTERSIGN_RETRY_SCHEDULE: Array(50).fill('1s').join(','),
    COUNTERSIGN_ENDPOINTS_PER_PROJECT_MAX: String(slowMax + 1),
    COUNTERSIGN_RATE_LIMIT_PER_SECOND: '100000',
    COUNTERSIGN_RATE_LIMIT_BURST: '100000',
    COUNTERSIGN_LOG_LEVEL: 'warn',
  })
  t.after(() => server.dispose())
  const client = new Countersign({ baseUrl: server.url, apiKey: server.rootKey })
  const project = (await client.projects.create({ name: 'slow' })).id
  const other = (await client.projects.create({ name: 'other' })).id
  for (let made = 0; made < slowMax; made += 50) {
    const batch = Array.from({ length: 50 }, (_, n) =>
      client.endpoints.create(project, { url: `${silent.url}/${made + n}`, eventTypes: ['slow'] }),
    )
    await Promise.all(batch)
  }
  await client.endpoints.create(project, { url: healthy.url, eventTypes: ['quick'] })
  await client.endpoints.create(other, { url: elsewhere.url, eventTypes: ['quick'] })
  const acceptedIds: string[] = []
  /** Resolves to how long the slowest took from its acceptance to its arrival. */
  const publishRound = async (to: string, receiver: typeof healthy) => {
    const delays = Array.from({ length: eventsPerRound }, async () => {
      const { id } = await client.events.publish(to, { type: 'quick', data: {} })
      acceptedIds.push(id)
      const acceptedAt = performance.now()
      await until('it arrives', () => receiver.deliveredIds.has(id))
      return performance.now() - acceptedAt
    })
    return Math.max(...(await Promise.all(delays)))
  }
  // That they answer is known from before, as of most receivers in service.
  await publishRound(project, healthy)
  await publishRound(other, elsewhere)
  const bytesBefore = residentBytes(server.pid())

  for (let count = 0; count < eventsEach; count += 1) {
    acceptedIds.push((await client.events.publish(project, { type: 'slow', data: { count } })).id)
  }
  await until('the slots for slow ones are taken', () => silent.connectionsOpen >= 48)
  for (const [to, receiver] of [
    [project, healthy],
    [other, elsewhere],
    [project, healthy],
  ] as const) {
    const delayMs = await publishRound(to, receiver)
    t.diagnostic(`the slowest of ${eventsPerRound} took ${Math.round(delayMs)} ms`)
    assert.ok(delayMs < promptMsMax, `it took ${delayMs} ms`)
  }
  // A retry comes from the store, where all that waits for the others has been due for longer.
  const seen = new Set<string>()
  healthy.answer = ({ id }) => ({ statusCode: seen.size === seen.add(id).size ? 204 : 500 })
  const retried = await publishRound(project, healthy)
  healthy.answer = () => ({ statusCode: 204 })
  t.diagnostic(`with retries, the slowest took ${Math.round(retried)} ms`)
  assert.ok(retried < retryMsMax + promptMsMax, `it took ${retried} ms`)

  // More endpoints than are let in untried would take the place of one more, and so not here.
  if (slowMax < limits.handOffMax * 0.75) {
    const fresh = (await client.projects.create({ name: 'fresh' })).id
    await client.endpoints.create(fresh, { url: newcomer.url, eventTypes: ['quick'] })
    const firstMs = await publishRound(fresh, newcomer)
    t.diagnostic(`an endpoint that was never tried waited ${Math.round(firstMs)} ms`)
    assert.ok(firstMs < 2 * attemptTimeoutMs, 'it waits for one slot, not for the backlog')
  }
  const grownBytes = (residentBytes(server.pid()) ?? 0) - (bytesBefore ?? 0)
  t.diagnostic(`memory grew by ${Math.round(grownBytes / 1e6)} MB`)
  assert.ok(grownBytes < growthBytesMax, `it grew by ${grownBytes} bytes`)
  const { pendingCount } = await checkInvariants(server.store, { acceptedIds })
  assert.ok(pendingCount > limits.handOffMax, 'the slow ones still have all of theirs')
  assert.ok(silent.connectionsOpen <= 64)
})
