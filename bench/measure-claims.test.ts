import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import type { BenchContext } from './bench-context.ts'
import { measureClaims } from './measure-claims.ts'
import { modes } from './modes.ts'
import { nodePrograms, workDir } from './programs.ts'

test('claims are measured in both stores, which leave nothing behind', async () => {
  // Other tests have theirs there meanwhile.
  const stores = () =>
    existsSync(workDir)
      ? readdirSync(workDir).filter((name) => name.startsWith(`data-${process.pid}-`))
      : []
  const lines: string[] = []
  const runs = await measureClaims({
    mode: {
      ...modes.claims,
      rounds: 1,
      attemptsMax: 1,
      quietWaitMsMax: 0,
      historyCount: 2_000,
      claimCount: 1_000,
    },
    programs: nodePrograms(),
    postgres: null,
    entry: '',
    progress: (line: string) => lines.push(line),
    isInTime: () => true,
  } as unknown as BenchContext)
  const [run] = runs.map((one) => one.run)
  assert.equal(runs.length, 1)
  assert.ok((run?.emptyMs ?? 0) > 0 && (run?.fullMs ?? 0) > 0)
  assert.deepEqual(lines.slice(0, 2), [
    'filling: 0 of 2000 finished deliveries',
    'filling: 1000 pending ones',
  ])
  assert.deepEqual(stores(), [])
})
