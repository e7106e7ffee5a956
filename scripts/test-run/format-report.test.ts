import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatFile, formatTotals } from './format-report.ts'
import type { TestFileReport } from './run-test-file.ts'

const good: TestFileReport = {
  path: 'server/src/a.test.ts',
  counts: { tests: 3, suites: 1, passed: 2, failed: 0, cancelled: 0, skipped: 1, todo: 0 },
  durationMs: 12.4,
  failures: [],
  skips: [{ name: 'clicks', reason: 'no Chromium here' }],
  output: 'noise',
}
const bad: TestFileReport = {
  path: 'server/src/b.test.ts',
  counts: { tests: 2, suites: 0, passed: 0, failed: 1, cancelled: 1, skipped: 0, todo: 0 },
  durationMs: 7,
  failures: [{ name: 'adds', explanation: 'first line\nsecond line' }],
  skips: [],
  output: 'seed 7\n',
}

test('shows a file that passed on one line', () => {
  assert.equal(formatFile(good), '✔ server/src/a.test.ts (3 tests, 1 skipped, 12 ms)')
})

test('shows a failure in full, with what the file printed', () => {
  const shown = formatFile(bad)
  for (const part of ['✖ server/src/b.test.ts', '✖ adds', 'first line', 'second line', 'seed 7']) {
    assert.ok(shown.includes(part), part)
  }
})

test('names skips with their reasons, and failures again, before the totals', () => {
  const shown = formatTotals([good, bad], 30)
  assert.match(shown, /server\/src\/a\.test\.ts: clicks: no Chromium here/)
  assert.match(shown, /✖ server\/src\/b\.test\.ts: adds/)
  assert.match(shown, /^ℹ tests 5$/m)
  assert.match(shown, /^ℹ cancelled 1$/m)
})

test('ends with the counts, where cancelled tests have failed', () => {
  assert.equal(formatTotals([good, bad], 30).split('\n').at(-1), '2 passed, 2 failed, 1 skipped')
})
