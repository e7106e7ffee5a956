import { foreignCoresMax } from './cpu-meter.ts'
import { median, spreadOf } from './figures.ts'
import type { Machine } from './machine.ts'
import type { Ceiling } from './measure-ceiling.ts'
import type { DeliveryRun } from './measure-delivery.ts'
import type { Round } from './measure-rounds.ts'
import type { Mode } from './modes.ts'
import type { Programs } from './programs.ts'
import {
  type BenchResult,
  failuresOf,
  figuresOf,
  quietRounds,
  ratiosOf,
  spreadText,
} from './summary.ts'

/** The whole result as one section of Markdown, for the terminal and for results.md alike. */
export function renderReport(result: BenchResult): string {
  const failures = failuresOf(result)
  return [
    ...machineLines(result),
    '',
    ...throughputLines(result.rounds),
    '',
    ...roundLines(result.rounds),
    '',
    ...figureLines(result),
    '',
    ...noiseLines(result.rounds),
    ...(result.mode === 'smoke' && quietRounds(result.rounds).length === 0
      ? ['', 'No ratio was judged: others used the machine in every round.']
      : []),
    ...(failures.length > 0 ? ['', '**Failed**', ...failures.map((line) => `- ${line}`)] : []),
    '',
  ].join('\n')
}

/** When, where and on what a result was measured. */
export interface ReportHead {
  mode: Mode['name']
  startedAt: Date
  machine: Machine
  implementation: Programs['implementation']
  /** Version of the PostgreSQL that held the store; null: it was in SQLite. */
  postgresVersion: string | null
}

/** The title of a section, and what it was measured on. */
export function machineLines(head: ReportHead): string[] {
  const { machine, mode, startedAt, implementation, postgresVersion } = head
  const { node, undici, sqlite } = machine.versions
  const store = postgresVersion === null ? `SQLite ${sqlite}` : `PostgreSQL ${postgresVersion}`
  const title = postgresVersion === null ? mode : `${mode}, PostgreSQL`
  const programs = implementation === 'c' ? 'C with epoll' : 'node:net (no compiler found)'
  return [
    `## ${startedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC, commit ${machine.commit}, ${title}`,
    '',
    `- Machine: ${machine.cpuModel}, ${machine.cores} cores, ${machine.memoryGb} GB, ` +
      `${machine.system}, ${machine.syncedWritesPerSecond} synced 4 KB writes/s`,
    `- Versions: Node ${node}, undici ${undici}, ${store}; receiver and load: ${programs}`,
  ]
}

function throughputLines(rounds: readonly Round[]): string[] {
  const row = (name: string, runs: readonly (Ceiling | DeliveryRun)[], sender: string) => [
    name,
    spreadText(spreadOf(runs.map((run) => run.rate))),
    ...[sender, 'database', 'receiver', 'load'].map((process) => cpuPerEvent(runs, process)),
    times(runs, 'acceptUs'),
    times(runs, 'arrivalUs'),
  ]
  return table(
    [
      'events of 1 KB, 1 → 1 endpoint',
      'events/s, median (min–max)',
      'sender or server, CPU µs/event',
      'database',
      'receiver',
      'load',
      'accept p50 / p99, ms',
      'publish → received p50 / p99, ms',
    ],
    [
      row(
        'ceiling',
        rounds.map(({ ceiling }) => ceiling.run),
        'sender',
      ),
      row(
        'product, 32 connections',
        rounds.map(({ few }) => few.run),
        'server',
      ),
      row(
        'product, 96 connections',
        rounds.map(({ many }) => many.run),
        'server',
      ),
    ],
  )
}

function cpuPerEvent(runs: readonly (Ceiling | DeliveryRun)[], process: string): string {
  const values = runs.flatMap(({ cpu, unique }) => {
    const us = cpu.usByProcess[process]
    return us === undefined ? [] : [us / unique]
  })
  return values.length > 0 ? median(values).toFixed(1) : '–'
}

/** At full load, where most of it is the wait behind others. */
function times(runs: readonly (Ceiling | DeliveryRun)[], which: 'acceptUs' | 'arrivalUs'): string {
  const latencies = runs.flatMap((run) => (which in run ? [(run as DeliveryRun)[which]] : []))
  if (latencies.length === 0) return '–'
  const ms = (values: number[]) => (median(values) / 1000).toFixed(1)
  return `${ms(latencies.map(({ p50Us }) => p50Us))} / ${ms(latencies.map(({ p99Us }) => p99Us))}`
}

function roundLines(rounds: readonly Round[]): string[] {
  const few = ratiosOf(rounds, 'few')
  const many = ratiosOf(rounds, 'many')
  return table(
    ['round', 'ceiling/s', 'ratio at 32', 'ratio at 96', 'cores used by others'],
    [
      ...rounds.map((round, index) => [
        String(index + 1),
        round.ceiling.run.rate.toFixed(0),
        (few[index] ?? Number.NaN).toFixed(3),
        (many[index] ?? Number.NaN).toFixed(3),
        [round.ceiling, round.few, round.many].map(foreignText).join(', '),
      ]),
      ['**median**', '', median(few).toFixed(3), `**${median(many).toFixed(3)}**`, ''],
    ],
  )
}

function foreignText({ run, isDisturbed }: Round['ceiling'] | Round['few']): string {
  const { foreignCores } = run.cpu
  return foreignCores === null ? '?' : foreignCores.toFixed(3) + (isDisturbed ? ' (!)' : '')
}

function figureLines(result: BenchResult): string[] {
  return table(
    ['figure', 'value', 'first mark', 'reached', 'goal'],
    figuresOf(result).map(({ name, value, mark, goal, isReached }) => [
      name,
      value,
      mark,
      isReached === null ? '–' : isReached ? 'yes' : '**no**',
      goal,
    ]),
  )
}

function noiseLines(rounds: readonly Round[]): string[] {
  const all = rounds.flatMap(({ ceiling, few, many }) => [ceiling, few, many])
  const repeats = all.reduce((sum, { attempts }) => sum + attempts - 1, 0)
  const disturbed = all.filter(({ isDisturbed }) => isDisturbed).length
  const ceiling = spreadOf(rounds.map((round) => round.ceiling.run.rate))
  const drift = ((ceiling.max - ceiling.min) / ceiling.median) * 100
  return [
    `Noise: the ceiling itself drifted by ${drift.toFixed(0)} %; ${repeats} void runs repeated; ` +
      `${disturbed} of ${all.length} runs kept although others used more than ` +
      `${foreignCoresMax} core${disturbed > 0 ? ' (!)' : ''}. Only ratios within a round compare.`,
  ]
}

/** Lines of a Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)]
}
