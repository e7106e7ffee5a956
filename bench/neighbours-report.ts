import { mean } from './figures.ts'
import { type NeighbourRound, sides } from './measure-neighbours.ts'
import type { Attempted } from './quiet-run.ts'
import { machineLines, type ReportHead, table } from './report.ts'

type Rounds = readonly Attempted<NeighbourRound>[]

/** What one kind of neighbour costs, over all rounds. */
export interface NeighbourCost {
  aloneRate: number
  besideRate: number
  /** CPU of the server for an event, microseconds. */
  aloneUs: number
  besideUs: number
  /** Of each round, the share of its rate that the healthy endpoint loses; below 0: it gains. */
  sharesLost: number[]
  meanLost: number
  /** Of the mean, from how much the rounds differ; NaN for a single round. */
  standardError: number
}

/** Why the whole has failed; empty where it has not. */
export function neighbourFailuresOf(rounds: Rounds): string[] {
  return rounds.flatMap(({ run }, round) =>
    run.turns.flatMap(({ alone, beside }, turn) =>
      [alone, ...beside].flatMap(({ failure }, index) => {
        const where = `round ${round + 1}, turn ${turn + 1}`
        const name = index === 0 ? 'alone' : `beside ${sides[index - 1]?.name}`
        return failure === null ? [] : [`${where}, ${name}: ${failure}`]
      }),
    ),
  )
}

/** `index` into `sides`. */
export function neighbourCostOf(rounds: Rounds, index: number): NeighbourCost {
  const pairs = rounds.map(({ run }) =>
    run.turns.flatMap(({ alone, beside }) => {
      const run = beside[index]
      return run === undefined ? [] : [{ alone, beside: run }]
    }),
  )
  const meanOf = (which: 'alone' | 'beside', of: typeof pairs = pairs) =>
    mean(of.flat().map((pair) => pair[which].rate))
  const usOf = (which: 'alone' | 'beside') =>
    mean(pairs.flat().map((pair) => (pair[which].cpu.usByProcess.server ?? 0) / pair[which].unique))
  const sharesLost = pairs.map((round) => 1 - meanOf('beside', [round]) / meanOf('alone', [round]))
  const meanLost = mean(sharesLost)
  const variance = mean(sharesLost.map((share) => (share - meanLost) ** 2))
  return {
    aloneRate: meanOf('alone'),
    besideRate: meanOf('beside'),
    aloneUs: usOf('alone'),
    besideUs: usOf('beside'),
    sharesLost,
    meanLost,
    standardError: Math.sqrt(variance / (sharesLost.length - 1)),
  }
}

/** The section of results.md on neighbours. */
export function renderNeighbours(rounds: Rounds, head: Omit<ReportHead, 'mode'>): string {
  const failures = neighbourFailuresOf(rounds)
  const turns = rounds[0]?.run.turns.length ?? 0
  const disturbed = rounds.filter(({ isDisturbed }) => isDisturbed).length
  return [
    ...machineLines({ ...head, mode: 'neighbours' }),
    '',
    'A healthy endpoint at full load on a server by itself, and on others beside neighbours in ' +
      `trouble; ${rounds.length} rounds of servers started anew, which take ${turns} turns each. ` +
      `Means, and the standard error by how much the rounds differ. Others used the machine in ` +
      `${disturbed} of the rounds.`,
    '',
    ...table(
      ['beside', 'events/s', 'CPU µs/event', 'loses, mean (rounds: min–max)', 'goal'],
      sides.map(({ name, goal }, index) => {
        const cost = neighbourCostOf(rounds, index)
        const lost = `${percent(cost.meanLost)} ± ${percent(cost.standardError)}`
        const least = percent(Math.min(...cost.sharesLost))
        const most = percent(Math.max(...cost.sharesLost))
        return [
          name,
          `${cost.aloneRate.toFixed(0)} → ${cost.besideRate.toFixed(0)}`,
          `${cost.aloneUs.toFixed(0)} → ${cost.besideUs.toFixed(0)}`,
          `${lost} (${least}–${most})`,
          goal === null ? '–' : `${percent(goal)}: ${verdictOf(cost.meanLost, goal)}`,
        ]
      }),
    ),
    ...(failures.length > 0 ? ['', '**Failed**', ...failures.map((line) => `- ${line}`)] : []),
    '',
  ].join('\n')
}

function verdictOf(lost: number, goal: number): string {
  return lost <= goal ? 'reached' : '**not reached**'
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
