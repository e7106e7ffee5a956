import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeliveryRun } from './measure-delivery.ts'
import { type NeighbourRun, neighbours } from './measure-neighbours.ts'
import { neighbourFailuresOf, renderNeighbours, sharesLostOf } from './neighbours-report.ts'
import type { Attempted } from './quiet-run.ts'

test('what is lost is lost against the mean of before and after', () => {
  const rounds = [
    round(9_000, 8_000, 11_000),
    round(10_000, 9_500, 10_000),
    round(8_000, 9_000, 8_000),
  ]
  assert.deepEqual(
    sharesLostOf(rounds, 0).map((share) => share.toFixed(2)),
    ['0.20', '0.05', '0.00'],
  )
})

test('a loss beside any neighbour fails the whole, and says where', () => {
  const lost = round(9_000, 8_000, 9_000)
  const run = lost[1]?.run
  assert.ok(run !== undefined)
  run.failure = '1 deliveries of 9 accepted events did not arrive'
  assert.deepEqual(neighbourFailuresOf([round(1, 1, 1), lost]), [
    `round 2, ${neighbours[1]?.name}: 1 deliveries of 9 accepted events did not arrive`,
  ])
})

test('the report holds every neighbour with its goal', () => {
  const report = renderNeighbours([round(10_000, 9_000, 10_000)], {
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
  const [dead, , storm] = neighbours.map(({ name }) => name)
  assert.ok(report.includes(`| ${dead} | 10000 | 9000 | 10000 | 10 % (10 %–10 %) | 5 %: **not`))
  assert.ok(report.includes(`| ${storm} | 10000 | 9000 | 10000 | 10 % (10 %–10 %) | 20 %: reached`))
})

function round(alone: number, beside: number, aloneAgain: number): Attempted<NeighbourRun>[] {
  return neighbours.map(() => ({
    run: {
      alone: delivery(alone),
      beside: delivery(beside),
      aloneAgain: delivery(aloneAgain),
      cpu: { foreignCores: 0 },
      failure: null,
    },
    attempts: 1,
    isDisturbed: false,
  }))
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
    cpu: { elapsedMs: 1, usByProcess: {}, foreignCores: 0 },
    residentBytes: [],
  }
}
