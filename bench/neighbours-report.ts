import { median, shareLost, spreadOf } from './figures.ts'
import { type NeighbourRun, neighbours } from './measure-neighbours.ts'
import type { Attempted } from './quiet-run.ts'
import { machineLines, type ReportHead, table } from './report.ts'

type Rounds = readonly (readonly Attempted<NeighbourRun>[])[]

/** Why the whole has failed; empty where it has not. */
export function neighbourFailuresOf(rounds: Rounds): string[] {
  return rounds.flatMap((runs, round) =>
    runs.flatMap(({ run }, index) =>
      run.failure === null
        ? []
        : [`round ${round + 1}, ${neighbours[index]?.name}: ${run.failure}`],
    ),
  )
}

/** Of each round, the share of its rate that the healthy endpoint loses. */
export function sharesLostOf(rounds: Rounds, index: number): number[] {
  return rounds.flatMap((runs) => {
    const run = runs[index]?.run
    if (run === undefined) return []
    // A machine that gets slower or faster meanwhile does so on both sides.
    return [shareLost((run.alone.rate + run.aloneAgain.rate) / 2, run.beside.rate)]
  })
}

/** The section of results.md on neighbours. */
export function renderNeighbours(rounds: Rounds, head: Omit<ReportHead, 'mode'>): string {
  const failures = neighbourFailuresOf(rounds)
  return [
    ...machineLines({ ...head, mode: 'neighbours' }),
    '',
    'A healthy endpoint at full load by itself, beside neighbours in trouble, and by itself again; ' +
      `${rounds.length} rounds, medians. (!) where others used the machine.`,
    '',
    ...table(
      ['beside', 'alone/s', 'beside/s', 'alone again/s', 'loses, median (min–max)', 'goal'],
      neighbours.map((neighbour, index) => {
        const runs = rounds.flatMap((round) => round[index] ?? [])
        const rate = (which: 'alone' | 'beside' | 'aloneAgain') =>
          median(runs.map(({ run }) => run[which].rate)).toFixed(0)
        const lost = spreadOf(sharesLostOf(rounds, index))
        const isDisturbed = runs.some((run) => run.isDisturbed)
        return [
          neighbour.name + (isDisturbed ? ' (!)' : ''),
          rate('alone'),
          rate('beside'),
          rate('aloneAgain'),
          `${percent(lost.median)} (${percent(lost.min)}–${percent(lost.max)})`,
          `${percent(neighbour.goal)}: ${lost.median <= neighbour.goal ? 'reached' : '**not reached**'}`,
        ]
      }),
    ),
    ...(failures.length > 0 ? ['', '**Failed**', ...failures.map((line) => `- ${line}`)] : []),
    '',
  ].join('\n')
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`
}
