import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderStarts } from './start-report.ts'

test('the start of the full store is what is held against the goal', () => {
  const head = {
    startedAt: new Date(0),
    machine: {
      commit: 'abc',
      cpuModel: 'x',
      cores: 2,
      memoryGb: 1,
      system: 'y',
      syncedWritesPerSecond: 1,
      versions: { node: '1', undici: '1', sqlite: '1' },
    },
    implementation: 'c' as const,
    postgresVersion: null,
    historyCount: 7,
  }
  const runs = [600, 900, 1_200].map((full) => ({ empty: 2_000, full }))
  const report = renderStarts(runs, head)
  assert.match(report, /\| 7 finished deliveries \| 900 \(600–1200\) \| 1000 ms: reached \|/)
  const slow = renderStarts([{ empty: 1, full: 1_001 }], head)
  assert.match(slow, /1000 ms: \*\*not reached\*\*/)
})
