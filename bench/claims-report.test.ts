import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderClaims } from './claims-report.ts'

test('the median of the ratios of each round is held against mark and goal', () => {
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
    claimCount: 3,
  }
  const attempted = (emptyMs: number, fullMs: number, isDisturbed = false) => ({
    run: { emptyMs, fullMs, cpu: { foreignCores: null }, failure: null },
    attempts: 1,
    isDisturbed,
  })
  // 1.2, 2.5 and 1.6: the machine was three times as fast in the last round.
  const report = renderClaims([attempted(10, 12), attempted(10, 25, true), attempted(3, 4.8)], head)
  assert.match(report, /\| 3 pending, 7 finished \| 12\.0 \(4\.8–25\.0\) \|/)
  assert.match(report, /1\.60 \(1\.20–2\.50\); at most 2: reached; goal 1\.5: \*\*not reached\*\*/)
  assert.match(report, /Others used the machine in 1 of 3 rounds \(!\)/)
})
