import type { Transaction } from '../storage/storage.ts'
import type { ActionContext } from './action-context.ts'

/** Appends the audit row of a change, in the change's own transaction. */
export async function recordAudit(
  tx: Transaction,
  context: ActionContext,
  change: {
    projectId: string | null
    action: string
    target: { type: string; id: string }
    reason?: string | null
    details?: Record<string, unknown>
  },
): Promise<void> {
  await tx.insertAuditRow({
    id: context.newId('aud'),
    projectId: change.projectId,
    at: context.clock.now(),
    action: change.action,
    actor: context.principal.actor,
    target: change.target,
    reason: change.reason ?? null,
    requestId: context.requestId,
    sourceAddress: context.sourceAddress,
    details: change.details ?? {},
  })
}
