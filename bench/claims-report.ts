import { median, spreadOf } from './figures.ts'
import { firstMark, goal } from './marks.ts'
import type { ClaimsRun } from './measure-claims.ts'
import type { Attempted } from './quiet-run.ts'
import { machineLines, type ReportHead, table } from './report.ts'
import { spreadText } from './summary.ts'

/** The section of results.md on claims. */
export function renderClaims(
  attempted: readonly Attempted<ClaimsRun>[],
  head: Omit<ReportHead, 'mode'> & { historyCount: number; claimCount: number },
): string {
  const runs = attempted.map(({ run }) => run)
  const disturbed = attempted.filter(({ isDisturbed }) => isDisturbed).length
  const ratios = runs.map(({ emptyMs, fullMs }) => fullMs / emptyMs)
  const verdict = (most: number) => (median(ratios) <= most ? 'reached' : '**not reached**')
  return [
    ...machineLines({ ...head, mode: 'claims' }),
    '',
    'Claims of 500 due deliveries of 100 endpoints. As many are published before each, and what was ' +
      'claimed is recorded after it. The median of each round; the two stores take turns. Others ' +
      `used the machine in ${disturbed} of ${runs.length} rounds.`,
    '',
    ...table(
      ['store', 'ms for a claim, median (min–max)'],
      [
        ['nothing else', spreadText(spreadOf(runs.map(({ emptyMs }) => emptyMs)), 1)],
        [
          `${head.claimCount} pending, ${head.historyCount} finished`,
          spreadText(spreadOf(runs.map(({ fullMs }) => fullMs)), 1),
        ],
        [
          '**full over empty**, in each round',
          `${spreadText(spreadOf(ratios), 2)}; at most ${firstMark.claimRatio}: ` +
            `${verdict(firstMark.claimRatio)}; goal ${goal.claimRatio}: ${verdict(goal.claimRatio)}`,
        ],
      ],
    ),
    '',
  ].join('\n')
}
