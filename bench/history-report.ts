import { median, shareLost, spreadOf } from './figures.ts'
import { firstMark } from './marks.ts'
import type { HistoryRun, StoreRun } from './measure-history.ts'
import { manyConnections } from './measure-rounds.ts'
import { machineLines, type ReportHead, table } from './report.ts'
import { spreadText } from './summary.ts'

/** One figure, round by round, and the mark for its median. */
interface Ratio {
  name: string
  values: readonly number[]
  mark: string
  isReached: (median: number) => boolean
}

/** The section of results.md on a store with a history. */
export function renderHistory(run: HistoryRun, head: Omit<ReportHead, 'mode'>): string {
  const figures = ratiosOf(run)
  const removed = run.retention.map(({ removedPerSecond }) => removedPerSecond)
  return [
    ...machineLines({ ...head, mode: 'history' }),
    '',
    `${run.historyCount} finished deliveries of 1 KB, put in by SQL in ${seconds(run.fillMs)} s, as ` +
      'copies of a delivered one, over 180 days. "Empty" holds what the run itself published. Each ' +
      'round measures one after the other on the same machine: only its ratios count.',
    '',
    ...roundLines(run),
    '',
    ...table(
      ['figure', 'ratio in each round', 'median (min–max)', 'mark', 'reached'],
      figures.map(({ name, values, mark, isReached }) => [
        name,
        values.map((value) => value.toFixed(2)).join(', '),
        spreadText(spreadOf(values), 2),
        mark,
        isReached(median(values)) ? 'yes' : '**no**',
      ]),
    ),
    '',
    `Retention removed ${removed.map((each) => each.toFixed(0)).join(', ')} events a second ` +
      `beside full load: half of the history in about ${minutes(run.historyCount / 2 / median(removed))} minutes. ` +
      `Cores used by others, most of each round: ${foreignTexts(run).join('; ')}.`,
    '',
  ].join('\n')
}

/** What one measured run of `--history` shows; exported for its test. */
export function ratiosOf({ rounds, retention, dead }: HistoryRun): Ratio[] {
  const within = (ratio: number) => ratio <= firstMark.historyRatio
  const mark = `at most ${firstMark.historyRatio}`
  const slower = (name: string, of: (store: StoreRun) => number): Ratio => ({
    name: `${name}, empty over full`,
    values: rounds.map(({ empty, full }) => of(empty) / of(full)),
    mark,
    isReached: within,
  })
  const names = Object.keys(rounds[0]?.full.listMs ?? {})
  const share = firstMark.deadEndpointShare
  return [
    ...names.map((name) => ({
      name: `time of a list of 100: ${name}, full over empty`,
      values: rounds.map(
        ({ empty, full }) => (full.listMs[name] ?? Number.NaN) / (empty.listMs[name] ?? Number.NaN),
      ),
      mark,
      isReached: within,
    })),
    slower('rate of publishing and delivering', ({ publish }) => publish.rate),
    slower('rate of claiming and delivering what lies due', ({ claimRate }) => claimRate),
    {
      name: 'share of its rate that delivery loses to retention',
      values: retention.map(({ without, during }) => shareLost(without.rate, during.rate)),
      mark: `under ${share}`,
      isReached: (lost) => lost < share,
    },
    {
      name: 'share of its rate that a healthy endpoint loses to a dead one',
      values: dead.map(({ alone, beside, aloneAgain }) =>
        shareLost((alone.rate + aloneAgain.rate) / 2, beside.rate),
      ),
      mark: `under ${share}`,
      isReached: (lost) => lost < share,
    },
    {
      name: `events that one of its overtakes at most, over the ${manyConnections} slots`,
      values: dead.map(({ orderBeside }) => orderBeside.overtakenMax / manyConnections),
      mark: 'at most 1',
      isReached: (places) => places <= 1,
    },
  ]
}

function roundLines({ rounds, retention, dead }: HistoryRun): string[] {
  const rate = (value: number) => value.toFixed(0)
  return table(
    [
      'round',
      'published and delivered/s, empty, full',
      'claimed and delivered/s, empty, full',
      'without, with retention/s',
      'alone, beside a dead one, alone again/s',
      'overtaken at most, alone, beside',
    ],
    rounds.map(({ empty, full }, index) => [
      String(index + 1),
      `${rate(empty.publish.rate)}, ${rate(full.publish.rate)}`,
      `${rate(empty.claimRate)}, ${rate(full.claimRate)}`,
      `${rate(retention[index]?.without.rate ?? 0)}, ${rate(retention[index]?.during.rate ?? 0)}`,
      `${rate(dead[index]?.alone.rate ?? 0)}, ${rate(dead[index]?.beside.rate ?? 0)}, ${rate(dead[index]?.aloneAgain.rate ?? 0)}`,
      `${dead[index]?.orderAlone.overtakenMax}, ${dead[index]?.orderBeside.overtakenMax}`,
    ]),
  )
}

function foreignTexts({ rounds, retention, dead }: HistoryRun): string[] {
  return rounds.map(({ empty, full }, index) => {
    const others = [retention[index]?.without, retention[index]?.during].concat([
      dead[index]?.alone,
      dead[index]?.beside,
    ])
    const values = [empty.foreignCores, full.foreignCores].concat(
      others.map((run) => run?.cpu.foreignCores ?? null),
    )
    const known = values.filter((value) => value !== null)
    return known.length === 0 ? 'not seen' : Math.max(...known).toFixed(2)
  })
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(0)
}

function minutes(secondsTaken: number): string {
  return (secondsTaken / 60).toFixed(0)
}
