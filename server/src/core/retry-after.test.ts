import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseRetryAfter, RETRY_AFTER_MAX_MS, retryAfterOf } from './retry-after.ts'

/** Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110. */
const exampleAt = 784_111_777_000

test('reads whole seconds', () => {
  assert.equal(parseRetryAfter('0', exampleAt), 0)
  assert.equal(parseRetryAfter('120', exampleAt), 120_000)
  assert.equal(parseRetryAfter(' 5 ', exampleAt), 5_000)
})

test('reads a date in each of the three forms of RFC 9110', () => {
  const now = exampleAt - 30_000
  assert.equal(parseRetryAfter('Sun, 06 Nov 1994 08:49:37 GMT', now), 30_000)
  assert.equal(parseRetryAfter('Sunday, 06-Nov-94 08:49:37 GMT', now), 30_000)
  assert.equal(parseRetryAfter('Sun Nov  6 08:49:37 1994', now), 30_000)
})

test('takes a two-digit year as the one that is not far ahead', () => {
  const now = Date.UTC(2026, 10, 1)
  const date = Date.UTC(2026, 10, 1, 1)
  assert.equal(parseRetryAfter('Sunday, 01-Nov-26 01:00:00 GMT', now), date - now)
  // 1977, long gone; 2077 would be more than 50 years ahead.
  assert.equal(parseRetryAfter('Monday, 01-Nov-77 01:00:00 GMT', now), 0)
})

test('answers 0 for a date gone by, and at most 24 hours', () => {
  assert.equal(parseRetryAfter('Sun, 06 Nov 1994 08:49:37 GMT', exampleAt + 1), 0)
  const yearAhead = parseRetryAfter('Sun, 06 Nov 1994 08:49:37 GMT', exampleAt - 365 * 86_400_000)
  assert.equal(yearAhead, RETRY_AFTER_MAX_MS)
  assert.equal(parseRetryAfter('86401', exampleAt), RETRY_AFTER_MAX_MS)
  assert.equal(parseRetryAfter('9'.repeat(400), exampleAt), RETRY_AFTER_MAX_MS)
})

test('ignores what is neither', () => {
  const ignored = [
    '',
    ' ',
    '-5',
    '+5',
    '1.5',
    '5s',
    '0x10',
    '5, 10',
    'tomorrow',
    '2026-11-01T00:00:00Z',
  ]
  const dates = [
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 CET',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 32 Nov 1994 08:49:37 GMT',
    'Sun, 06 Foo 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:37 GMT',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    '06 Nov 1994 08:49:37 GMT',
  ]
  for (const text of [...ignored, ...dates]) {
    assert.equal(parseRetryAfter(text, exampleAt), null, JSON.stringify(text))
  }
  assert.equal(parseRetryAfter(undefined, exampleAt), null)
})

test('reads back every date that this machine writes, and throws at nothing', () => {
  const farAhead = Date.UTC(9999, 11, 31)
  fc.assert(
    fc.property(fc.integer({ min: 0, max: farAhead }), fc.nat(86_400_000), (at, aheadMs) => {
      const dateAt = Math.floor(at / 1000) * 1000
      const text = new Date(dateAt).toUTCString()
      assert.equal(parseRetryAfter(text, dateAt - aheadMs), aheadMs)
    }),
  )
  fc.assert(
    fc.property(fc.string(), (text) => {
      const waitMs = parseRetryAfter(text, exampleAt)
      assert.ok(waitMs === null || (waitMs >= 0 && waitMs <= RETRY_AFTER_MAX_MS))
    }),
  )
})

test('heeds the header on 429 and 503 only', () => {
  assert.equal(retryAfterOf(429, '5', exampleAt), 5_000)
  assert.equal(retryAfterOf(503, '5', exampleAt), 5_000)
  for (const statusCode of [200, 301, 400, 413, 500, 502, 504]) {
    assert.equal(retryAfterOf(statusCode, '5', exampleAt), null, String(statusCode))
  }
})
