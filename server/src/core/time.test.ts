import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTime } from './time.ts'

test('reads RFC 3339 times of any offset', () => {
  assert.equal(parseTime('2026-11-01T10:00:00Z'), Date.UTC(2026, 10, 1, 10))
  assert.equal(parseTime('2026-11-01t10:00:00.1239z'), Date.UTC(2026, 10, 1, 10, 0, 0, 123))
  assert.equal(parseTime('2024-02-29T23:59:59+02:00'), Date.UTC(2024, 1, 29, 21, 59, 59))
})

test('refuses times that do not exist, and any other text', () => {
  const bad = ['2024-02-30T00:00:00Z', '2023-02-29T00:00:00Z', '2024-01-01T24:00:00Z', '']
  bad.push('2024-13-01T00:00:00Z', '2024-01-01', '2024-01-01T00:00:00', '1700000000', 'now')
  for (const text of bad) assert.equal(parseTime(text), null, text)
})
