import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeliveryRun } from './measure-delivery.ts'
import { type ShapesRound, shapes } from './measure-shapes.ts'
import { renderShapes, shapeFailuresOf, shapeFiguresOf } from './shapes-report.ts'

test('ratios are taken within a round, to its ceiling and to its first shape', () => {
  const rounds = [round(50_000, 10_000, 100), round(20_000, 10_000, 50)]
  const [first, batches] = shapeFiguresOf(rounds)
  assert.deepEqual(first?.ratios, [0.2, 0.5])
  assert.deepEqual(first?.cpuRatios, [1, 1])
  // Each shape of the sample delivers a tenth more than the one before, at a tenth more CPU.
  assert.deepEqual(batches?.rates, [11_000, 11_000])
  assert.deepEqual(batches?.cpuUs, [110, 55])
  assert.deepEqual(batches?.cpuRatios, [1.1, 1.1])
})

test('a loss in any shape fails the whole, and says where', () => {
  const lost = round(50_000, 10_000, 100)
  const run = lost.runs[4]
  assert.ok(run !== undefined)
  run.run.failure = '1 deliveries of 9 accepted events did not arrive'
  assert.deepEqual(shapeFailuresOf([round(50_000, 10_000, 100), lost]), [
    'round 2, 1 → 1000 endpoints: 1 deliveries of 9 accepted events did not arrive',
  ])
})

test('what an event for no endpoint costs is by the accepted, for nothing is delivered', () => {
  const one = round(50_000, 10_000, 100)
  const index = shapes.findIndex(({ fanOut }) => fanOut === 0)
  const run = one.runs[index]
  assert.ok(run !== undefined)
  Object.assign(run.run, { unique: 0, accepted: 2_000 })
  assert.deepEqual(shapeFiguresOf([one])[index]?.cpuUs, [60])
})

test('the report holds every shape with its goal', () => {
  const report = renderShapes([round(10_000, 9_000, 100)], {
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
    implementation: 'c',
    postgresVersion: '15.1',
  })
  for (const { name } of shapes) assert.ok(report.includes(`| ${name} |`), name)
  assert.match(report, /batches of 100 \| .* \| ratio 0\.70: reached \|/)
  assert.match(report, /three signatures \| .* \| CPU at most 1\.25: \*\*not reached\*\* \|/)
})

function round(ceilingRate: number, rate: number, cpuUs: number): ShapesRound {
  const attempted = <T>(run: T) => ({ run, attempts: 1, isDisturbed: false })
  const of = (growth: number, share: number) => {
    const latency = { count: 1, p50Us: 1, p99Us: 1, maxUs: 1 }
    const run: DeliveryRun = {
      rate: Math.round(rate * growth),
      accepted: 1_000,
      unique: 1_000,
      repeated: 0,
      lost: 0,
      failure: null,
      acceptUs: latency,
      arrivalUs: latency,
      cpu: {
        elapsedMs: 1,
        usByProcess: { server: Math.round(cpuUs * share * 1_000) },
        foreignCores: 0,
      },
      residentBytes: [],
    }
    return attempted(run)
  }
  return {
    ceiling: attempted({
      rate: ceilingRate,
      unique: 1_000,
      failure: null,
      cpu: { elapsedMs: 1, usByProcess: {}, foreignCores: 0 },
    }),
    runs: shapes.map((_, index) => of(1 + index / 10, 1 + index / 10)),
  }
}
