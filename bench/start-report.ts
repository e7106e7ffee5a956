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
  const disturbed = attempted.filter(({ isDisturbed }) => isDisturbed).length
  const full = runs.map((run) => run.full)
  const isReached = median(full) <= goal.startMs
  return [
    ...machineLines({ ...head, mode: 'start' }),
    '',
    `From the start of the process to the first accepted event, ${runs.length} times each. Others used the machine in ${disturbed} of the rounds.`,
    '',
    ...table(
      ['store', 'ms, median (min–max)', 'goal'],
      [
        ['hardly anything', spreadText(spreadOf(runs.map((run) => run.empty))), '–'],
        [
          `${head.historyCount} finished deliveries`,
          spreadText(spreadOf(full)),
          `${goal.startMs} ms: ${isReached ? 'reached' : '**not reached**'}`,
        ],
      ],
    ),
    '',
  ].join('\n')
}
