import assert from 'node:assert/strict'
import { test } from 'node:test'
import { publishSteadily } from './publish-steadily.ts'

/** A clock that leaps at each look: the test does not wait for real time. */
function createLeapingClock(stepMs: number) {
  let now = 0
  return () => {
    now += stepMs
    return now
  }
}

test('publishes what the rate and the time come to, even when the timers are late', async () => {
  let count = 0
  await publishSteadily({
    publish: async () => void count++,
    ratePerSecond: 100,
    durationMs: 1000,
    monotonic: createLeapingClock(100),
    signal: new AbortController().signal,
  })
  assert.equal(count, 90)
})

test('keeps at most 64 calls in flight and waits for all of them', async () => {
  let inFlight = 0
  let most = 0
  let answered = 0
  await publishSteadily({
    async publish() {
      inFlight += 1
      most = Math.max(most, inFlight)
      await new Promise((resolve) => setImmediate(resolve))
      inFlight -= 1
      answered += 1
    },
    ratePerSecond: 10_000,
    durationMs: 1000,
    monotonic: createLeapingClock(200),
    signal: new AbortController().signal,
  })
  assert.equal(most, 64)
  assert.equal(inFlight, 0)
  assert.ok(answered >= 64)
})

test('ends with the failure of a call', async () => {
  const publishing = publishSteadily({
    publish: () => Promise.reject(new Error('the server is gone')),
    ratePerSecond: 100,
    durationMs: 60_000,
    monotonic: createLeapingClock(100),
    signal: new AbortController().signal,
  })
  await assert.rejects(publishing, /the server is gone/)
})

test('ends early when it is told to', async () => {
  const controller = new AbortController()
  await publishSteadily({
    publish: async () => controller.abort(),
    ratePerSecond: 100,
    durationMs: 60_000,
    monotonic: createLeapingClock(10),
    signal: controller.signal,
  })
  assert.ok(controller.signal.aborted)
})
