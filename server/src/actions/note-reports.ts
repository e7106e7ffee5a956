import type { ReportedSecret } from '../core/rotation.ts'
import type { Transaction } from '../storage/storage.ts'

/**
 * Counts which secrets the receiver reported, for the rotation whose two secrets they are. Never
 * proof by itself, so nothing else follows from it.
 */
export async function noteReports(
  tx: Transaction,
  endpointId: string,
  outcomes: readonly { reportedSecretId: string | null; at: number }[],
): Promise<void> {
  const bySecret = new Map<string, ReportedSecret>()
  for (const { reportedSecretId: secretId, at } of outcomes) {
    if (secretId === null) continue
    const { count, lastAt } = bySecret.get(secretId) ?? { count: 0, lastAt: at }
    bySecret.set(secretId, { secretId, count: count + 1, lastAt: Math.max(lastAt, at) })
  }
  if (bySecret.size === 0) return
  const rotation = await tx.latestRotation(endpointId)
  if (rotation === null) return
  const own = [rotation.newSecretId, rotation.previousSecretId]
  const reports = [...bySecret.values()].filter(({ secretId }) => own.includes(secretId))
  await tx.addReportedSecrets(rotation.id, reports)
}
