import { median, spreadOf } from './figures.ts'
import { goal } from './marks.ts'
import type { StartRun } from './measure-start.ts'
import type { Attempted } from './quiet-run.ts'
import { machineLines, type ReportHead, table } from './report.ts'
import { spreadText } from './summary.ts'

/** The section of results.md on starts. */
export function renderStarts(
  attempted: readonly Attempted<StartRun>[],
  head: Omit<ReportHead, 'mode'> & { historyCount: number },
): string {
  const runs = attempted.map(({ run }) => run)
  const mark = head.postgresVersion === null ? goal.startMs : null
  const disturbed = attempted.filter(({ isDisturbed }) => isDisturbed).length
  return [
    ...machineLines({ ...head, mode: 'start' }),
    '',
    `From the start of the process to the first accepted event, ${runs.length} times each. Others used the machine in ${disturbed} of the rounds.`,
    '',
    ...table(
      ['store', 'ms, median (min–max)', 'goal'],
      [
        rowOf(
          null,
          'hardly anything',
          runs.map(({ empty }) => empty),
        ),
        rowOf(
          mark,
          `${head.historyCount} finished deliveries`,
          runs.map(({ full }) => full),
        ),
        rowOf(
          mark,
          'the same, as installed',
          runs.map(({ installed }) => installed),
        ),
      ],
    ),
    '',
  ].join('\n')
}

/** The goal is for SQLite: where there is none, the mark is null. */
function rowOf(mark: number | null, name: string, times: readonly number[]): string[] {
  const reached = mark !== null && median(times) <= mark ? 'reached' : '**not reached**'
  return [name, spreadText(spreadOf(times)), mark === null ? '–' : `${mark} ms: ${reached}`]
}
