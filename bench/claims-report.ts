import { claimBatch, claimEndpoints } from '../server/test/support/claim-churn.ts'
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
    `Claims of ${claimBatch} due deliveries of ${claimEndpoints} endpoints, from the storage by ` +
      'itself. As many are published before each, and what was claimed is recorded after it: so the ' +
      'store that is empty at first has some hundred thousand finished ones in the end. The median ' +
      `of each round; the two stores take turns. Others used the machine in ${disturbed} of ` +
      `${runs.length} rounds${disturbed > 0 ? ' (!)' : ''}.`,
    '',
    ...table(
      ['store', 'ms for a claim, median (min–max)'],
      [
        ['empty at first', spreadText(spreadOf(runs.map(({ emptyMs }) => emptyMs)), 1)],
        [
          `${head.claimCount} pending, ${head.historyCount} finished`,
          spreadText(spreadOf(runs.map(({ fullMs }) => fullMs)), 1),
        ],
        [
          `**full over empty**, in each round${disturbed > 0 ? ' (!)' : ''}`,
          `${spreadText(spreadOf(ratios), 2)}; at most ${firstMark.claimRatio}: ` +
            `${verdict(firstMark.claimRatio)}; goal ${goal.claimRatio}: ${verdict(goal.claimRatio)}`,
        ],
      ],
    ),
    '',
  ].join('\n')
}
