import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ApiError, ConnectionError, TimeoutError } from './errors.ts'
import { parseRetryAfterMs, retryDelayMs } from './retry-policy.ts'

function apiError(status: number, code = 'any', retryAfterMs: number | null = null): ApiError {
  const rest = { detail: null, param: null, errors: [], requestId: null, extensions: {} }
  return new ApiError({ status, code, title: '', retryAfterMs, ...rest })
}

test('tries again after connection errors, timeouts, 408, 429 and 5xx', () => {
  const errors = [
    new ConnectionError('x'),
    new TimeoutError(1),
    ...[408, 429, 500, 502, 503, 504].map((status) => apiError(status)),
  ]
  for (const error of errors) assert.notEqual(retryDelayMs(error, 0, 0), null)
})

test('does not try again after other statuses, or after what is no failure of the call', () => {
  for (const status of [200, 301, 400, 401, 403, 404, 409, 413, 422]) {
    assert.equal(retryDelayMs(apiError(status), 0, 0), null)
  }
  assert.equal(retryDelayMs(new TypeError('x'), 0, 0), null)
  assert.equal(retryDelayMs(new DOMException('x', 'AbortError'), 0, 0), null)
})

test('tries again while the first request with the same key is in flight', () => {
  assert.notEqual(retryDelayMs(apiError(409, 'idempotency_in_flight'), 0, 0), null)
  assert.equal(retryDelayMs(apiError(409, 'rotation_in_progress'), 0, 0), null)
})

test('doubles the delay, up to a bound, and spreads it', () => {
  const error = new ConnectionError('x')
  assert.deepEqual(
    [0, 1, 2, 5, 6, 1000].map((retries) => retryDelayMs(error, retries, 0)),
    [125, 250, 500, 4_000, 4_000, 4_000],
  )
  fc.assert(
    fc.property(fc.nat(100), fc.double({ min: 0, max: 0.999, noNaN: true }), (retries, random) => {
      const whole = Math.min(8_000, 250 * 2 ** retries)
      const delayMs = retryDelayMs(error, retries, random)
      assert.ok(delayMs !== null && delayMs >= whole / 2 && delayMs <= whole)
    }),
  )
})

test('waits at least as long as the server asks, but not for minutes', () => {
  assert.equal(retryDelayMs(apiError(429, 'any', 3_000), 0, 0), 3_000)
  assert.equal(retryDelayMs(apiError(503, 'any', 60_000), 0, 0.5), 63_000)
  assert.equal(retryDelayMs(apiError(429, 'any', 60_001), 0, 0), null)
  assert.equal(retryDelayMs(apiError(422, 'any', 1), 0, 0), null)
})

test('reads Retry-After in seconds and as a date', () => {
  const now = new Date('2026-11-21T10:00:00Z')
  assert.equal(parseRetryAfterMs('7', now), 7_000)
  assert.equal(parseRetryAfterMs(' 0 ', now), 0)
  assert.equal(parseRetryAfterMs('Sat, 21 Nov 2026 10:00:30 GMT', now), 30_000)
  assert.equal(parseRetryAfterMs('Sat, 21 Nov 2026 09:00:00 GMT', now), 0)
  assert.equal(parseRetryAfterMs('soon', now), null)
  assert.equal(parseRetryAfterMs(null, now), null)
  assert.equal(
    retryDelayMs(apiError(429, 'any', parseRetryAfterMs('9'.repeat(400), now)), 0, 0),
    null,
  )
})
