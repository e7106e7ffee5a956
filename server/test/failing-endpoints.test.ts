import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startReceiver } from './support/receiver.ts'
import { startTestApp } from './support/start-test-app.ts'
import { until } from './support/until.ts'

const endpointCount = 50
const eventCount = 60
/** With the retries due every second, six times what such endpoints get together. */
const due = endpointCount * eventCount
/** Of `RATE_FAILING_TOGETHER_PER_SECOND`; first attempts and a busy machine blur it. */
const perSecondMax = 800

test('endpoints that only fail share a pace, and go at full speed once they are back', async (t) => {
  const server = await startTestApp({
    environment: { COUNTERSIGN_RETRY_SCHEDULE: Array(50).fill('1s').join(',') },
  })
  const receiver = await startReceiver()
  t.after(async () => {
    await receiver.close()
    await server.dispose()
  })
  receiver.answer = () => ({ statusCode: 503 })
  const { client } = server
  const { id: project } = await client.projects.create({ name: 'storm' })
  const create = () => client.endpoints.create(project, { url: receiver.url })
  for (let n = 0; n < endpointCount; n += 10) {
    await Promise.all(Array.from({ length: 10 }, create))
  }
  const events = Array.from({ length: eventCount }, (_, n) => ({ type: 'storm', data: { n } }))
  await client.events.publishBatch(project, events)
  await until('everything was tried once', () => receiver.received.length >= due, 30_000)

  const before = receiver.received.length
  const from = performance.now()
  await until('as much was tried again', () => receiver.received.length >= before + due, 60_000)
  const perSecond = (due / (performance.now() - from)) * 1_000
  t.diagnostic(`${Math.round(perSecond)} tries a second, of ${due} that are due`)
  assert.ok(perSecond <= perSecondMax, `${perSecond} a second`)

  receiver.answer = () => ({ statusCode: 204 })
  const backAt = performance.now()
  await until(
    'everything is delivered',
    async () =>
      (await client.deliveries.list(project, { status: 'pending' }).page()).data.length === 0,
    30_000,
  )
  t.diagnostic(`all ${due} are delivered ${Math.round(performance.now() - backAt)} ms later`)
})
