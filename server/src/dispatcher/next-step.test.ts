import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextStep } from './next-step.ts'
import type { AttemptedVerdict, Verdict } from './sender-messages.ts'

const now = 1_000_000

function attempted(changes: Partial<AttemptedVerdict>): Verdict {
  return {
    kind: 'attempted',
    succeeded: false,
    isGone: false,
    isRefusedForGood: false,
    isOurShortage: false,
    isStale: false,
    retryAfterMs: null,
    attempt: {
      id: 'att',
      startedAt: now,
      durationMs: 1,
      request: { method: 'POST', url: 'https://example.com/', headers: {} },
      secretIds: [],
      response: null,
      error: 'connect',
      errorDetail: null,
    },
    ...changes,
  }
}

function step(verdict: Verdict, delivery = { seriesAttemptCount: 0, isTest: false }) {
  return nextStep(delivery, verdict, { now, retryScheduleMs: [5_000, 60_000], randomFraction: 0.5 })
}

test('a success is final', () => {
  assert.deepEqual(step(attempted({ succeeded: true })), { status: 'delivered', at: now })
})

test('a failure is retried on the schedule with jitter added, until it is exhausted', () => {
  assert.deepEqual(step(attempted({})), { status: 'pending', dueAt: now + 5_500 })
  const second = { seriesAttemptCount: 1, isTest: false }
  assert.deepEqual(step(attempted({}), second), { status: 'pending', dueAt: now + 66_000 })
  const third = { seriesAttemptCount: 2, isTest: false }
  assert.deepEqual(step(attempted({}), third), { status: 'failed', reason: 'exhausted', at: now })
})

test('does not retry after 410', () => {
  assert.deepEqual(step(attempted({ isGone: true })), { status: 'failed', reason: 'gone', at: now })
})

test('does not retry a URL that the configuration refuses', () => {
  const verdict = attempted({ isRefusedForGood: true })
  assert.deepEqual(step(verdict), { status: 'failed', reason: 'refused', at: now })
})

test('a Retry-After is waited for', () => {
  const next = step(attempted({ retryAfterMs: 3_600_000 }))
  assert.deepEqual(next, { status: 'pending', dueAt: now + 3_600_000 })
})

test('a test is never retried', () => {
  const delivery = { seriesAttemptCount: 0, isTest: true }
  assert.deepEqual(step(attempted({}), delivery), {
    status: 'failed',
    reason: 'exhausted',
    at: now,
  })
})

test('what was not attempted is skipped, failed as deleted, or given back', () => {
  assert.deepEqual(step({ kind: 'skipped' }), { status: 'skipped', at: now })
  assert.deepEqual(step({ kind: 'endpoint_deleted' }), {
    status: 'failed',
    reason: 'endpoint_deleted',
    at: now,
  })
  assert.equal(step({ kind: 'released', notBefore: null }), null)
})
