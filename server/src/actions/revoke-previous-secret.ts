import { requireScope } from '../core/authorization.ts'
import type { Rotation } from '../core/rotation.ts'
import { planRevokePrevious } from '../core/rotation-end-plan.ts'
import type { ActionContext } from './action-context.ts'
import { readSituation } from './apply-rotation-plan.ts'
import { endRotation, tellRevoked } from './end-rotation.ts'
import { loadEndpoint } from './load.ts'
import { recordAudit } from './record-audit.ts'

/** All retiring secrets stop now; completes the open rotation. Repeating it changes nothing. */
export async function revokePreviousSecret(
  context: ActionContext,
  projectId: string,
  ref: string,
  input: { reason?: string | null | undefined },
): Promise<{ revokedSecretIds: string[]; rotation: Rotation | null }> {
  requireScope(context.principal, projectId, 'secrets.rotate')
  const reason = input.reason ?? null
  return context.transact(async (tx) => {
    const endpoint = await loadEndpoint(tx, projectId, ref)
    const { situation } = await readSituation(tx, context, endpoint)
    const plan = planRevokePrevious(situation, { actor: context.principal.actor, reason })
    if (plan.rotation !== null) {
      await endRotation(tx, context, { situation, plan, reason })
    } else if (plan.revokedSecretIds.length > 0) {
      for (const change of plan.secretChanges) await tx.updateSecretTimes(change)
      await recordAudit(tx, context, {
        projectId,
        action: 'endpoint.secret.revoked',
        target: { type: 'endpoint', id: endpoint.id },
        reason,
        details: { revoked_secret_ids: plan.revokedSecretIds },
      })
      await tellRevoked(tx, context, projectId, endpoint.id, plan.revokedSecretIds)
    }
    return { revokedSecretIds: plan.revokedSecretIds, rotation: plan.rotation }
  })
}
