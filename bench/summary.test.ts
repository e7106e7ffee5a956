import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { DeliveryRun } from './measure-delivery.ts'
import type { Round } from './measure-rounds.ts'
import { record } from './record.ts'
import { renderReport } from './report.ts'
import { type BenchResult, failuresOf, figuresOf, ratiosOf } from './summary.ts'

test('a ratio is taken within its round, before the median', () => {
  const rounds = [round(50_000, 10_000), round(20_000, 8_000), round(40_000, 12_000)]
  assert.deepEqual(ratiosOf(rounds, 'many'), [0.2, 0.4, 0.3])
  const [figure] = figuresOf(resultOf({ rounds }))
  assert.equal(figure?.value, '0.300 (0.200–0.400)')
  assert.equal(figure?.isReached, true)
})

test('a smoke run fails where it is a third below what was recorded, and only there', () => {
  const slow = [round(100_000, 13_000)]
  const fast = [round(100_000, 13_500)]
  assert.deepEqual(failuresOf(resultOf({ mode: 'smoke', rounds: slow })), [
    'ratio 0.130 is below 0.134, two thirds of the recorded 0.200',
  ])
  assert.deepEqual(failuresOf(resultOf({ mode: 'smoke', rounds: fast })), [])
  assert.deepEqual(failuresOf(resultOf({ mode: 'quick', rounds: slow })), [])
  const risen = resultOf({ mode: 'smoke', rounds: fast, recordedRatio: 0.3 })
  assert.equal(failuresOf(risen).length, 1)
})

test('rounds that others disturbed are not held against the floor', () => {
  const slow = round(100_000, 1_000)
  const disturbed = { ...slow, many: { ...slow.many, isDisturbed: true } }
  assert.deepEqual(failuresOf(resultOf({ mode: 'smoke', rounds: [disturbed] })), [])
  assert.equal(failuresOf(resultOf({ mode: 'smoke', rounds: [disturbed, slow] })).length, 1)
})

test('a smoke run that delivered nothing at all fails', () => {
  assert.equal(failuresOf(resultOf({ mode: 'smoke', rounds: [round(0, 0)] })).length, 1)
})

test('any loss in any run fails the whole', () => {
  const rounds = [round(50_000, 20_000), round(50_000, 20_000, '1 of 9 did not arrive')]
  const latency = attempted(delivery(100, 'nothing was published'))
  assert.deepEqual(failuresOf(resultOf({ rounds, latency })), [
    'round 2, product at 96: 1 of 9 did not arrive',
    'latency: nothing was published',
  ])
})

test('every further figure is judged by its mark', () => {
  const calm = { ...delivery(100), residentBytes: [100e6, 100e6, 105e6] }
  const growing = { ...delivery(100), residentBytes: [100e6, 150e6, 200e6] }
  const good = resultOf({
    latency: attempted({ ...calm, arrivalUs: { ...calm.arrivalUs, p50Us: 1_000, p99Us: 9_000 } }),
    dead: attempted({ ...calm, alone: calm, beside: calm, shareLost: 0.19 }),
    memory: attempted(calm),
    idle: attempted({ ...calm, cores: 0.004, residentBytes: 90e6 }),
    installedIdle: attempted({ ...calm, cores: 0.009, residentBytes: 90e6 }),
  })
  const bad = resultOf({
    latency: attempted({ ...calm, arrivalUs: { ...calm.arrivalUs, p50Us: 6_000, p99Us: 51_000 } }),
    dead: attempted({ ...calm, alone: calm, beside: calm, shareLost: 0.2 }),
    memory: attempted(growing),
    idle: attempted({ ...calm, cores: 0.02, residentBytes: 90e6 }),
    installedIdle: attempted({ ...calm, cores: 0.011, residentBytes: 90e6 }),
  })
  const reached = (result: BenchResult) => figuresOf(result).map(({ isReached }) => isReached)
  assert.deepEqual(reached(good).slice(1), [true, true, true, true, true, true])
  assert.deepEqual(reached(bad).slice(1), [false, false, false, false, false, false])
})

test('the report says which runs others disturbed and why the whole failed', () => {
  const disturbed = round(50_000, 20_000, '1 of 9 did not arrive')
  disturbed.many.isDisturbed = true
  const report = renderReport(resultOf({ rounds: [disturbed] }))
  assert.match(report, /0\.001, 0\.001, 0\.001 \(!\)/)
  assert.match(report, /1 of 3 runs kept although others used more than 0\.05 core \(!\)/)
  assert.match(report, /\*\*Failed\*\*\n- round 1, product at 96: 1 of 9 did not arrive/)
})

test('records are appended below one head', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bench-record-'))
  try {
    const file = join(folder, 'results.md')
    await record('## First\n', file)
    await record('## Second\n', file)
    const text = await readFile(file, 'utf8')
    assert.match(text, /^# Results\n[^#]+## First\n\n## Second\n\n$/)
  } finally {
    await rm(folder, { recursive: true })
  }
})

function attempted<T>(run: T) {
  return { run, attempts: 1, isDisturbed: false }
}

function delivery(rate: number, failure: string | null = null): DeliveryRun {
  const latency = { count: 9, p50Us: 1_000, p99Us: 2_000, maxUs: 3_000 }
  return {
    rate,
    accepted: 9,
    unique: 9,
    repeated: 0,
    lost: 0,
    failure,
    acceptUs: latency,
    arrivalUs: latency,
    cpu: { elapsedMs: 1_000, usByProcess: { server: 900, receiver: 90 }, foreignCores: 0.001 },
    residentBytes: [100e6],
  }
}

function round(ceilingRate: number, rate: number, failure: string | null = null): Round {
  const { cpu, unique } = delivery(ceilingRate)
  return {
    ceiling: attempted({ rate: ceilingRate, unique, cpu, failure: null }),
    few: attempted(delivery(rate)),
    many: attempted(delivery(rate, failure)),
  }
}

function resultOf(parts: Partial<BenchResult>): BenchResult {
  return {
    mode: 'full',
    startedAt: new Date(0),
    machine: {
      cpuModel: 'a processor',
      cores: 2,
      memoryGb: 4,
      system: 'a system',
      syncedWritesPerSecond: 5_000,
      commit: 'abc1234',
      versions: { node: '26', undici: '8', sqlite: '3' },
    },
    implementation: 'c',
    postgresVersion: null,
    rounds: [round(50_000, 20_000)],
    latency: null,
    dead: null,
    memory: null,
    idle: null,
    installedIdle: null,
    recordedRatio: null,
    ...parts,
  }
}
