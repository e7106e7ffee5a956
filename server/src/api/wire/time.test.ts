import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTime, wireTime } from './time.ts'

test('writes UTC with milliseconds', () => {
  assert.equal(wireTime(0), '1970-01-01T00:00:00.000Z')
  assert.equal(wireTime(null), null)
})

test('reads RFC 3339 in every form', () => {
  const at = Date.UTC(2026, 10, 1, 10)
  for (const text of [
    '2026-11-01T10:00:00Z',
    '2026-11-01t10:00:00z',
    '2026-11-01T10:00:00.000Z',
    '2026-11-01T10:00:00.000000000Z',
    '2026-11-01T11:30:00+01:30',
    '2026-11-01T00:00:00-10:00',
  ]) {
    assert.equal(parseTime(text), at, text)
  }
  assert.equal(parseTime('2028-02-29T00:00:00Z'), Date.UTC(2028, 1, 29))
})

test('reads nothing else', () => {
  for (const text of [
    '',
    'now',
    '2026-11-01',
    '2026-11-01T10:00:00',
    '2026-11-01 10:00:00Z',
    '2026-02-30T10:00:00Z',
    '2026-02-29T10:00:00Z',
    '2026-13-01T10:00:00Z',
    '2026-00-01T10:00:00Z',
    '2026-11-00T10:00:00Z',
    '2026-11-01T25:00:00Z',
    '2026-11-01T10:00:61Z',
    '2026-11-01T10:00:00+25:00',
    '1793527200000',
  ]) {
    assert.equal(parseTime(text), null, text)
  }
})
