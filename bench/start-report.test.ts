import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderStarts } from './start-report.ts'

test('the starts of the full store are what is held against the goal', () => {
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
  const attempted = (full: number, isDisturbed = false) => ({
    run: { empty: 2_000, full, installed: full / 2, cpu: { foreignCores: null }, failure: null },
    attempts: 1,
    isDisturbed,
  })
  const report = renderStarts([attempted(600), attempted(900), attempted(1_200, true)], head)
  assert.match(report, /\| 7 finished deliveries \| 900 \(600–1200\) \| 1000 ms: reached \|/)
  assert.match(report, /\| the same, as installed \| 450 \(300–600\) \| 1000 ms: reached \|/)
  assert.match(report, /Others used the machine in 1 of the rounds/)
  const slow = renderStarts([attempted(1_001)], head)
  assert.match(slow, /1000 ms: \*\*not reached\*\*/)
  const onPostgres = renderStarts([attempted(1_001)], { ...head, postgresVersion: '15' })
  assert.doesNotMatch(onPostgres, /reached/)
})
