import type { RotationPlan, RotationSituation } from '../core/rotation-plan.ts'
import type { Transaction } from '../storage/storage.ts'
import type { ActionContext } from './action-context.ts'
import { applyRotationPlan } from './apply-rotation-plan.ts'
import { emitOperationalEvent } from './emit-operational-event.ts'
import { recordAudit } from './record-audit.ts'

/** Writes the end of a rotation by an act, with its audit row and operational events. */
export async function endRotation(
  tx: Transaction,
  context: ActionContext,
  end: {
    situation: RotationSituation
    plan: RotationPlan
    reason: string | null
    /** What the act was decided upon. */
    figures?: Record<string, unknown>
  },
): Promise<void> {
  const { plan, reason, situation } = end
  const { rotation, revokedSecretIds } = plan
  const isCancelled = rotation.outcome?.status === 'cancelled'
  await applyRotationPlan(tx, situation, plan, { isNew: false })
  await recordAudit(tx, context, {
    projectId: rotation.projectId,
    action: isCancelled ? 'endpoint.rotation.cancelled' : 'endpoint.rotation.completed',
    target: { type: 'rotation', id: rotation.id },
    reason,
    details: {
      endpoint_id: rotation.endpointId,
      revoked_secret_ids: revokedSecretIds,
      ...(isCancelled ? {} : { completed_by: rotation.outcome?.completedBy ?? 'manual' }),
      ...end.figures,
    },
  })
  await tellRevoked(tx, context, rotation.projectId, rotation.endpointId, revokedSecretIds)
  await emitOperationalEvent(
    tx,
    context,
    rotation.projectId,
    isCancelled ? 'endpoint.rotation.cancelled' : 'endpoint.rotation.completed',
    {
      endpoint_id: rotation.endpointId,
      rotation_id: rotation.id,
      ...(isCancelled ? {} : { completed_by: rotation.outcome?.completedBy ?? 'manual' }),
    },
  )
}

export async function tellRevoked(
  tx: Transaction,
  context: ActionContext,
  projectId: string,
  endpointId: string,
  secretIds: readonly string[],
): Promise<void> {
  if (secretIds.length === 0) return
  await emitOperationalEvent(tx, context, projectId, 'endpoint.secret.revoked', {
    endpoint_id: endpointId,
    secret_ids: secretIds,
  })
}
