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
  const times = (name: 'empty' | 'full' | 'installed') =>
    attempted.map(({ run }) => run[name]).filter((ms) => ms !== null)
  const installed = times('installed')
  const mark = head.postgresVersion === null ? goal.startMs : null
  const disturbed = attempted.filter(({ isDisturbed }) => isDisturbed).length
  return [
    ...machineLines({ ...head, mode: 'start' }),
    '',
    `From the start of the process to the first accepted event, ${attempted.length} times each. Others used the machine in ${disturbed} of the rounds.`,
    '',
    ...table(
      ['store', 'ms, median (min–max)', 'goal'],
      [
        rowOf(null, 'hardly anything', times('empty')),
        rowOf(mark, `${head.historyCount} finished deliveries`, times('full')),
        ...(installed.length === 0 ? [] : [rowOf(mark, 'the same, as installed', installed)]),
      ],
    ),
    '',
  ].join('\n')
}

/** The goal is for SQLite: where there is none, the mark is null. */
function rowOf(mark: number | null, name: string, times: readonly number[]): string[] {
  const spread = spreadText(spreadOf(times))
  if (mark === null) return [name, spread, '–']
  return [name, spread, `${mark} ms: ${median(times) <= mark ? 'reached' : '**not reached**'}`]
}
