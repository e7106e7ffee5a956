import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type AttemptOutcome,
  BLOCKED_AFTER_FAILURES_MIN,
  FAILING_AFTER_FAILURES,
  type Health,
  newEndpointHealth,
  nextHealth,
  switchedOn,
} from './health.ts'

const blockAfterMs = 5 * 86_400_000
const start = 1_800_000_000_000

const success = (at: number) => ({ succeeded: true, exhausted: false, statusCode: 204, at })
const failure = (at: number, exhausted = false) => ({
  succeeded: false,
  exhausted,
  statusCode: 500,
  at,
})
const failures = (count: number, from: number, stepMs: number) =>
  Array.from({ length: count }, (_, index) => failure(from + index * stepMs))
const after = (outcomes: AttemptOutcome[], health: Health = newEndpointHealth) =>
  nextHealth(health, outcomes, { blockAfterMs })

test('stays healthy through four failures and fails at the fifth', () => {
  const four = after(failures(4, start, 1))
  assert.equal(four.health.health, 'healthy')
  assert.equal(four.transition, null)
  const fifth = after([failure(start + 10)], four.health)
  assert.equal(fifth.health.health, 'failing')
  assert.equal(fifth.transition, 'failing')
  assert.deepEqual(fifth.health, {
    health: 'failing',
    consecutiveFailures: 5,
    lastSuccessAt: null,
    lastFailureAt: start + 10,
    failingSince: start,
    rejectionsInARow: 0,
    rejectingSince: null,
    lastRejectionAt: null,
  })
})

test('counts answers 401 and 403 in a row; another answer ends the run, none does not', () => {
  const answered = (statusCode: number | null, at: number) => ({ ...failure(at), statusCode })
  const { health } = after([answered(401, start), answered(403, start + 1)])
  assert.equal(health.rejectionsInARow, 2)
  assert.equal(health.rejectingSince, start)
  assert.equal(health.lastRejectionAt, start + 1)
  const unanswered = after([answered(null, start + 2), answered(401, start + 3)], health).health
  assert.equal(unanswered.rejectionsInARow, 3)
  assert.equal(unanswered.rejectingSince, start)
  for (const ending of [answered(500, start + 4), answered(404, start + 4), success(start + 4)]) {
    const ended = after([ending], unanswered).health
    assert.equal(ended.rejectionsInARow, 0)
    assert.equal(ended.rejectingSince, null)
    assert.equal(ended.lastRejectionAt, start + 3)
  }
})

test('names the last long run of refusals of a receiver that had succeeded, whatever follows it', () => {
  const answered = (statusCode: number, at: number) =>
    statusCode === 204 ? success(at) : { ...failure(at), statusCode }
  const spikeOf = (statusCodes: number[], health?: Health) =>
    after(
      statusCodes.map((statusCode, index) => answered(statusCode, start + index)),
      health,
    ).spike
  assert.deepEqual(spikeOf([204, 401, 403, 401, 204]), { at: start + 1, answers: 3 })
  const second = { at: start + 5, answers: 4 }
  assert.deepEqual(spikeOf([204, 401, 401, 401, 500, 401, 401, 401, 401, 204, 401]), second)
  assert.equal(spikeOf([204, 401, 401, 204, 401, 401]), null)
  assert.equal(spikeOf([401, 401, 401, 204]), null, 'it had never succeeded')
  const begun = after([success(start - 9), answered(401, start - 8), answered(401, start - 7)])
  assert.deepEqual(spikeOf([401, 204], begun.health), { at: start - 8, answers: 3 })
  assert.equal(spikeOf([204], begun.health), null)
  const spiked = after([answered(401, start)], begun.health)
  assert.equal(spikeOf([500], spiked.health), null, 'it did not grow')
})

test('fails at the first exhausted delivery', () => {
  const { health, transition } = after([failure(start, true)])
  assert.equal(health.health, 'failing')
  assert.equal(transition, 'failing')
})

test('says that an endpoint is failing only once', () => {
  const failing = after(failures(5, start, 1)).health
  assert.equal(after(failures(3, start + 10, 1), failing).transition, null)
})

test('counts failures in a row: a success in between begins anew', () => {
  const mixed = [...failures(4, start, 1), success(start + 5), ...failures(4, start + 6, 1)]
  const { health, transition } = after(mixed)
  assert.equal(health.health, 'healthy')
  assert.equal(transition, null)
  assert.equal(health.consecutiveFailures, 4)
  assert.equal(health.failingSince, start + 6)
  assert.equal(health.lastSuccessAt, start + 5)
})

test('recovers at any success, and says so only from failing or blocked', () => {
  const failing = after(failures(5, start, 1)).health
  const recovered = after([success(start + 100)], failing)
  assert.equal(recovered.transition, 'recovered')
  assert.deepEqual(recovered.health, {
    health: 'healthy',
    consecutiveFailures: 0,
    lastSuccessAt: start + 100,
    lastFailureAt: start + 4,
    failingSince: null,
    rejectionsInARow: 0,
    rejectingSince: null,
    lastRejectionAt: null,
  })
  assert.equal(after([success(start + 200)], recovered.health).transition, null)
  const blocked: Health = { ...failing, health: 'blocked' }
  assert.equal(after([success(start + 100)], blocked).transition, 'recovered')
})

test('blocks when nothing has succeeded for five days and ten attempts have failed', () => {
  const tenth = after(failures(10, start, blockAfterMs / 9))
  assert.equal(tenth.health.health, 'blocked')
  assert.equal(tenth.transition, 'blocked')
})

test('does not block before ten failures, nor before five days', () => {
  assert.equal(after(failures(9, start, blockAfterMs)).health.health, 'failing')
  assert.equal(after(failures(500, start, blockAfterMs / 500)).health.health, 'failing')
})

test('does not block an endpoint that was idle for a week for one bad minute', () => {
  const idle = after([success(start)]).health
  const { health } = after(failures(20, start + 7 * 86_400_000, 1000), idle)
  assert.equal(health.health, 'failing')
})

test('keeps a blocked endpoint blocked through further failures, without saying it again', () => {
  const blocked = after(failures(10, start, blockAfterMs)).health
  const more = after([failure(start + 20 * blockAfterMs, true)], blocked)
  assert.equal(more.health.health, 'blocked')
  assert.equal(more.transition, null)
})

test('gives a blocked endpoint that is switched on the full time again, and lets its first success be a recovery', () => {
  const blocked = after(failures(10, start, blockAfterMs)).health
  const again = switchedOn(blocked)
  assert.equal(again.health, 'failing')
  const resumedAt = start + 11 * blockAfterMs
  assert.equal(after(failures(10, resumedAt, 1000), again).health.health, 'failing')
  assert.equal(after([success(resumedAt)], again).transition, 'recovered')
})

test('counts anew when an endpoint is switched on, and leaves it healthy or failing as it was', () => {
  for (const [count, health] of [
    [3, 'healthy'],
    [7, 'failing'],
  ] as const) {
    const before = after(failures(count, start, 1000)).health
    assert.deepEqual([before.consecutiveFailures, before.health], [count, health])
    const expected = { ...before, consecutiveFailures: 0, failingSince: null }
    assert.deepEqual(switchedOn(before), expected)
  }
})

test('tells of a batch what it comes to', () => {
  const mixed = after([...failures(6, start, 1), success(start + 10)])
  assert.equal(mixed.transition, null)
  assert.equal(mixed.health.health, 'healthy')
  assert.deepEqual(after([]), {
    health: newEndpointHealth,
    transition: null,
    spike: null,
  })
})

test('comes to the same however the outcomes are batched, and keeps its own rules', () => {
  const outcome = fc.record({
    succeeded: fc.boolean(),
    exhausted: fc.boolean(),
    statusCode: fc.constantFrom(null, 401, 403, 500),
    at: fc.integer({ min: start, max: start + 3 * blockAfterMs }),
  })
  const failureMostly = fc.oneof(
    { weight: 12, arbitrary: outcome.map((each) => ({ ...each, succeeded: false })) },
    {
      weight: 1,
      arbitrary: outcome.map((each) => ({
        ...each,
        succeeded: true,
        exhausted: false,
        statusCode: 200,
      })),
    },
  )
  const outcomes = fc.array(failureMostly, { maxLength: 60, size: 'max' })
  fc.assert(
    fc.property(outcomes, fc.nat(60), (all, cut) => {
      const { health, spike } = after(all)
      const first = after(all.slice(0, cut))
      const second = after(all.slice(cut), first.health)
      assert.deepEqual(second.health, health)
      assert.deepEqual(second.spike ?? first.spike, spike)
      const lastSuccess = all.findLastIndex((each) => each.succeeded)
      const since = all.slice(lastSuccess + 1)
      assert.equal(health.consecutiveFailures, since.length)
      assert.equal(health.failingSince, since[0]?.at ?? null)
      if (since.length === 0) assert.equal(health.health, 'healthy')
      if (since.some((each) => each.exhausted) || since.length >= FAILING_AFTER_FAILURES) {
        assert.notEqual(health.health, 'healthy')
      }
      if (health.health === 'blocked') assert.ok(since.length >= BLOCKED_AFTER_FAILURES_MIN)
    }),
    { numRuns: 1000 },
  )
})
