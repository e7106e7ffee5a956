import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RETRY_AFTER_MAX_MS } from './retry-after.ts'
import { DEFAULT_RETRY_SCHEDULE_MS, nextRetryAt } from './retry-schedule.ts'

const now = 1_800_000_000_000
const failed = {
  scheduleMs: DEFAULT_RETRY_SCHEDULE_MS,
  seriesAttemptCount: 1,
  now,
  retryAfterMs: null,
  randomFraction: 0,
}

test('waits each delay of the schedule in turn, then gives up', () => {
  const delays: (number | null)[] = []
  for (let seriesAttemptCount = 1; seriesAttemptCount <= 11; seriesAttemptCount += 1) {
    const at = nextRetryAt({ ...failed, seriesAttemptCount })
    delays.push(at === null ? null : at - now)
  }
  assert.deepEqual(delays, [...DEFAULT_RETRY_SCHEDULE_MS, null, null])
})

test('gives up after the first attempt where the schedule is empty', () => {
  assert.equal(nextRetryAt({ ...failed, scheduleMs: [] }), null)
  assert.equal(nextRetryAt({ ...failed, scheduleMs: [], retryAfterMs: 5_000 }), null)
})

test('adds up to a fifth of the delay, and never takes anything off', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(86_400_000), { minLength: 1, maxLength: 20 }),
      fc.nat(19),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (scheduleMs, index, randomFraction) => {
        const seriesAttemptCount = (index % scheduleMs.length) + 1
        const delayMs = scheduleMs[seriesAttemptCount - 1] ?? 0
        const at = nextRetryAt({ ...failed, scheduleMs, seriesAttemptCount, randomFraction })
        assert.ok(at !== null && Number.isInteger(at))
        assert.ok(at >= now + delayMs && at <= now + Math.ceil(delayMs * 1.2))
      },
    ),
  )
  assert.equal(nextRetryAt({ ...failed, randomFraction: 1 }), now + 6_000)
  assert.equal(nextRetryAt({ ...failed, randomFraction: 0.5 }), now + 5_500)
})

test('waits as long as the receiver asks, at least its own delay and at most 24 hours', () => {
  assert.equal(nextRetryAt({ ...failed, retryAfterMs: 60_000 }), now + 60_000)
  assert.equal(nextRetryAt({ ...failed, retryAfterMs: 1_000 }), now + 5_000)
  assert.equal(nextRetryAt({ ...failed, retryAfterMs: 0, randomFraction: 1 }), now + 6_000)
  assert.equal(nextRetryAt({ ...failed, retryAfterMs: 1e12 }), now + RETRY_AFTER_MAX_MS)
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.nat(10 * RETRY_AFTER_MAX_MS),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (seriesAttemptCount, retryAfterMs, randomFraction) => {
        const own = nextRetryAt({ ...failed, seriesAttemptCount, randomFraction })
        const at = nextRetryAt({ ...failed, seriesAttemptCount, randomFraction, retryAfterMs })
        assert.ok(own !== null && at !== null)
        assert.equal(at, Math.max(own, now + Math.min(retryAfterMs, RETRY_AFTER_MAX_MS)))
      },
    ),
  )
})
