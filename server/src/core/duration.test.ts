import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatDuration, parseDuration, parseDurationList } from './duration.ts'
import { DEFAULT_RETRY_SCHEDULE_MS } from './retry-schedule.ts'

test('reads a whole number with a unit', () => {
  assert.equal(parseDuration('250ms'), 250)
  assert.equal(parseDuration('5s'), 5_000)
  assert.equal(parseDuration('5m'), 300_000)
  assert.equal(parseDuration('2h'), 7_200_000)
  assert.equal(parseDuration('5d'), 432_000_000)
  assert.equal(parseDuration('0s'), 0)
})

test('refuses everything else', () => {
  const refused = [
    '',
    '5',
    's',
    '5 s',
    ' 5s',
    '5s\n',
    '-5s',
    '+5s',
    '1.5h',
    '5S',
    '5w',
    '5ss',
    '1h30m',
    '１s',
  ]
  for (const text of [...refused, '999999999999999d', '9999999999999999ms', '0x5s', 'Infinitys']) {
    assert.equal(parseDuration(text), null, JSON.stringify(text))
  }
})

test('reads a list, and refuses it whole when one part is none', () => {
  assert.deepEqual(parseDurationList('5s,5m,30m,2h,5h,10h,14h,20h,24h'), DEFAULT_RETRY_SCHEDULE_MS)
  assert.deepEqual(parseDurationList('1s, 2s'), [1_000, 2_000])
  for (const text of ['', ',', '5s,', ',5s', '5s,,5m', '5s;5m', '5s,x']) {
    assert.equal(parseDurationList(text), null, JSON.stringify(text))
  }
})

test('writes what it reads back, in the largest unit that fits', () => {
  assert.equal(formatDuration(0), '0s')
  assert.equal(formatDuration(1), '1ms')
  assert.equal(formatDuration(90_000), '90s')
  assert.equal(formatDuration(300_000), '5m')
  assert.equal(formatDuration(432_000_000), '5d')
  fc.assert(
    fc.property(fc.maxSafeNat(), (durationMs) => {
      // As many digits as `parseDuration` takes.
      fc.pre(durationMs < 1e15)
      assert.equal(parseDuration(formatDuration(durationMs)), durationMs)
    }),
  )
})
