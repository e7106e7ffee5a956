import { type Spread, spreadOf, thirds } from './figures.ts'
import { firstMark, goal, smokeShareMin } from './marks.ts'
import type { DeadEndpointRun } from './measure-dead-endpoint.ts'
import type { DeliveryRun } from './measure-delivery.ts'
import type { IdleRun } from './measure-idle.ts'
import type { Round } from './measure-rounds.ts'
import type { Attempted } from './quiet-run.ts'
import type { ReportHead } from './report.ts'

/** Everything that one `npm run bench` measured; null is what its mode leaves out. */
export interface BenchResult extends ReportHead {
  rounds: readonly Round[]
  latency: Attempted<DeliveryRun> | null
  dead: Attempted<DeadEndpointRun> | null
  memory: Attempted<DeliveryRun> | null
  idle: Attempted<IdleRun> | null
  installedIdle: Attempted<IdleRun> | null
  /** Of readRecordedRatio; null: the first mark stands for it. */
  recordedRatio: number | null
}

/** One figure beside its mark; `isReached` is null where it has none or could not be seen. */
export interface Figure {
  name: string
  value: string
  mark: string
  goal: string
  isReached: boolean | null
}

/** Product rate over ceiling rate, per round: the figures that carry over to another day. */
export function ratiosOf(rounds: readonly Round[], which: 'few' | 'many'): number[] {
  return rounds.map((round) => round[which].run.rate / round.ceiling.run.rate)
}

/** Why the benchmark as a whole has failed; empty when it has not. */
export function failuresOf(result: BenchResult): string[] {
  const { rounds, latency, dead, memory, mode } = result
  const runs: [name: string, failure: string | null | undefined][] = rounds.flatMap(
    ({ ceiling, few, many }, index) => [
      [`round ${index + 1}, ceiling`, ceiling.run.failure],
      [`round ${index + 1}, product at 32`, few.run.failure],
      [`round ${index + 1}, product at 96`, many.run.failure],
    ],
  )
  runs.push(
    ['latency', latency?.run.failure],
    ['healthy endpoint beside a dead one', dead?.run.failure],
    ['memory', memory?.run.failure],
  )
  const failures = runs.flatMap(([name, failure]) => (failure ? [`${name}: ${failure}`] : []))
  // The first marks, and what was recorded, are of SQLite.
  if (mode === 'smoke' && result.postgresVersion === null) failures.push(...floorFailures(result))
  return failures
}

/**
 * A round that others disturbed can be slow for no fault of ours, so it is shown but does not judge;
 * of the others the best counts, because noise only ever slows down.
 */
function floorFailures({ rounds, recordedRatio }: BenchResult): string[] {
  const quiet = quietRounds(rounds)
  if (quiet.length === 0) return []
  const ratio = Math.max(...ratiosOf(quiet, 'many'))
  const expected = recordedRatio ?? firstMark.ratio
  const floor = expected * smokeShareMin
  if (ratio >= floor) return []
  return [
    `ratio ${ratio.toFixed(3)} is below ${floor.toFixed(3)}, two thirds of the recorded ${expected.toFixed(3)}`,
  ]
}

/** Those that can be held against what was recorded. */
export function quietRounds(rounds: readonly Round[]): Round[] {
  return rounds.filter(({ ceiling, many }) => !ceiling.isDisturbed && !many.isDisturbed)
}

/** Every figure that has a mark, in the order in which it was measured. */
export function figuresOf(result: BenchResult): Figure[] {
  const figures = [ratioFigure(result)]
  const add = <T>(attempted: Attempted<T> | null, describe: (run: T) => Figure[]) => {
    if (!attempted) return
    const flag = attempted.isDisturbed ? ' (!)' : ''
    figures.push(
      ...describe(attempted.run).map((figure) => ({ ...figure, value: figure.value + flag })),
    )
  }
  add(result.latency, latencyFigures)
  add(result.dead, deadFigures)
  add(result.memory, memoryFigures)
  add(result.idle, (run) => idleFigures('idle after a load', run))
  add(result.installedIdle, (run) => idleFigures('idle after the start, as installed', run))
  return figures
}

function ratioFigure({ rounds, postgresVersion }: BenchResult): Figure {
  const ratio = spreadOf(ratiosOf(rounds, 'many'))
  const isSqlite = postgresVersion === null
  return {
    name: 'delivered events/s at 96 connections, ratio to the ceiling',
    value: spreadText(ratio, 3),
    mark: isSqlite ? `at least ${firstMark.ratio.toFixed(2)}` : '–',
    goal: (isSqlite ? goal.ratio : goal.postgresRatio).toFixed(2),
    isReached: isSqlite ? ratio.median >= firstMark.ratio : null,
  }
}

export function spreadText({ median, min, max }: Spread, digits = 0): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`
}

function latencyFigures({ arrivalUs }: DeliveryRun): Figure[] {
  const figure = (share: string, us: number, mark: number, aim: number): Figure => ({
    name: `publish → received at 100 events/s, ${share} of ${arrivalUs.count}`,
    value: `${(us / 1000).toFixed(2)} ms`,
    mark: `at most ${mark} ms`,
    goal: `${aim} ms`,
    isReached: us / 1000 <= mark,
  })
  return [
    figure('p50', arrivalUs.p50Us, firstMark.arrivalP50Ms, goal.arrivalP50Ms),
    figure('p99', arrivalUs.p99Us, firstMark.arrivalP99Ms, goal.arrivalP99Ms),
  ]
}

function deadFigures({ alone, beside, shareLost }: DeadEndpointRun): Figure[] {
  return [
    {
      name: 'healthy endpoint beside a dead one with a backlog',
      value: `loses ${percent(shareLost)} (${alone.rate.toFixed(0)} → ${beside.rate.toFixed(0)}/s)`,
      mark: `under ${percent(firstMark.deadEndpointShare)}`,
      goal: percent(goal.deadEndpointShare),
      isReached: shareLost < firstMark.deadEndpointShare,
    },
  ]
}

function memoryFigures({ residentBytes, unique }: DeliveryRun): Figure[] {
  const { first, last } = thirds(residentBytes)
  return [
    {
      name: `memory over ${unique} events at full load beside a dead and a silent endpoint, as installed, first → last third`,
      value: `${megabytes(first)} → ${megabytes(last)} MB, most ${megabytes(Math.max(...residentBytes))}`,
      mark: `growth under ${percent(firstMark.memoryGrowth - 1)}`,
      goal: 'under 250 MB',
      isReached: first > 0 ? last / first < firstMark.memoryGrowth : null,
    },
  ]
}

function idleFigures(name: string, { cores, residentBytes }: IdleRun): Figure[] {
  const value = cores === null ? 'not seen' : `${(cores * 100).toFixed(2)} % of a core`
  return [
    {
      name,
      value: `${value}, ${megabytes(residentBytes)} MB`,
      mark: `under ${percent(firstMark.idleCores)}`,
      goal: `${(goal.idleCores * 100).toFixed(1)} %, 120 MB`,
      isReached: cores === null ? null : cores < firstMark.idleCores,
    },
  ]
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}
