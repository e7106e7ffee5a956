import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeliveryRun } from './measure-delivery.ts'
import { type NeighbourRound, sides } from './measure-neighbours.ts'
import { neighbourCostOf, neighbourFailuresOf, renderNeighbours } from './neighbours-report.ts'
import type { Attempted } from './quiet-run.ts'

test('what is lost is lost by the mean of the turns, and rounds tell the noise', () => {
  const cost = neighbourCostOf(
    [round([10_000, 9_000], [10_000, 9_000]), round([8_000, 8_000], [8_000, 8_000])],
    1,
  )
  assert.deepEqual([cost.aloneRate, cost.besideRate], [9_000, 8_500])
  assert.deepEqual(
    [...cost.sharesLost, cost.meanLost, cost.standardError].map((share) => share.toFixed(3)),
    ['0.100', '0.000', '0.050', '0.050'],
  )
})

test('what is gained is no loss, and is not hidden', () => {
  assert.equal(neighbourCostOf([round([8_000, 9_000])], 0).meanLost, -0.125)
})

test('a failure beside any neighbour fails the whole, and says where', () => {
  const failed = round([9_000, 8_000], [9_000, 8_000])
  const run = failed.run.turns[1]?.beside[2]
  assert.ok(run !== undefined)
  run.failure = '1 deliveries of 9 accepted events did not arrive'
  assert.deepEqual(neighbourFailuresOf([round([1, 1]), failed]), [
    `round 2, turn 2, beside ${sides[2]?.name}: 1 deliveries of 9 accepted events did not arrive`,
  ])
})

test('the report holds every neighbour with its goal', () => {
  const report = renderNeighbours([round([10_000, 9_000]), round([10_000, 8_800])], {
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
    postgresVersion: null,
  })
  const figures = '10000 → 8900 | 100 → 100 | 11.0 % ± 1.0 % (10.0 %–12.0 %)'
  const [nothing, dead, , storm] = sides.map(({ name }) => name)
  assert.ok(report.includes(`| ${nothing} | ${figures} | – |`), report)
  assert.ok(report.includes(`| ${dead} | ${figures} | 5.0 %: **not reached** |`), report)
  assert.ok(report.includes(`| ${storm} | ${figures} | 20.0 %: reached |`), report)
})

/** Turns as rates: alone, and beside any of the neighbours. */
function round(...turns: readonly [alone: number, beside: number][]): Attempted<NeighbourRound> {
  return {
    run: {
      turns: turns.map(([alone, beside]) => ({
        alone: delivery(alone),
        beside: sides.map(() => delivery(beside)),
      })),
      cpu: { foreignCores: 0 },
      failure: null,
    },
    attempts: 1,
    isDisturbed: false,
  }
}

function delivery(rate: number): DeliveryRun {
  const latency = { count: 1, p50Us: 1, p99Us: 1, maxUs: 1 }
  return {
    rate,
    accepted: 1,
    unique: 1,
    repeated: 0,
    lost: 0,
    failure: null,
    acceptUs: latency,
    arrivalUs: latency,
    cpu: { elapsedMs: 1, usByProcess: { server: 100 }, foreignCores: 0 },
    residentBytes: [],
  }
}
