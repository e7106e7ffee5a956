import { requireScope } from '../core/authorization.ts'
import { AppError, invalidFields } from '../core/errors.ts'
import { isRotationOpen, type Rotation } from '../core/rotation.ts'
import { planWindow } from '../core/rotation-plan.ts'
import type { ActionContext } from './action-context.ts'
import { applyRotationPlan, iso, readSituation } from './apply-rotation-plan.ts'
import { loadEndpoint, loadRotation } from './load.ts'
import { recordAudit } from './record-audit.ts'
import { notSupportedYet } from './rotate-secret.ts'

export interface UpdateRotationInput {
  /** Seconds: from now for an overlapping rotation, from the activation for a staged one. */
  expireCurrentInSeconds?: number | undefined
  previousSecretExpiresAt?: number | undefined
  completeWhen?: string | undefined
}

/** Extends or shortens the open window. Nothing expired is revived. */
export async function updateRotation(
  context: ActionContext,
  projectId: string,
  ref: string,
  rotationId: string,
  input: UpdateRotationInput,
): Promise<Rotation> {
  requireScope(context.principal, projectId, 'secrets.rotate')
  if (input.completeWhen === 'verified') throw notSupportedYet('complete_when', 'verified')
  const window = chosenWindow(input)
  return context.transact(async (tx) => {
    const endpoint = await loadEndpoint(tx, projectId, ref)
    const rotation = await loadRotation(tx, endpoint.id, rotationId)
    const { situation } = await readSituation(tx, context, endpoint)
    if (window === null) {
      if (isRotationOpen(rotation, situation.now)) return rotation
      throw new AppError('rotation_closed', {
        detail: `Rotation ${rotation.id} is closed.`,
        extra: { rotation_id: rotation.id },
      })
    }
    const plan = planWindow(situation, rotation, context.principal.actor, window)
    await applyRotationPlan(tx, plan, { isNew: false, now: situation.now })
    if (!isRotationOpen(plan.rotation, situation.now)) {
      // Ended here and now: no correction of the clock may give the old secret another instant.
      await tx.latchExpiredSecrets([plan.rotation.previousSecretId], situation.now)
    }
    await recordAudit(tx, context, {
      projectId,
      action: 'endpoint.rotation.updated',
      target: { type: 'rotation', id: rotation.id },
      details: {
        endpoint_id: endpoint.id,
        previous_secret_expires_at: iso(plan.rotation.previousSecretExpiresAt),
        was: iso(rotation.previousSecretExpiresAt),
      },
    })
    return plan.rotation
  })
}

/** Null where only `complete_when` was given, which has one value so far. */
function chosenWindow(input: UpdateRotationInput) {
  const { expireCurrentInSeconds, previousSecretExpiresAt } = input
  if (expireCurrentInSeconds !== undefined && previousSecretExpiresAt !== undefined) {
    const detail = 'Give one of expire_current_in and previous_secret_expires_at, not both.'
    throw invalidFields([
      { param: 'expire_current_in', detail, code: 'ambiguous' },
      { param: 'previous_secret_expires_at', detail, code: 'ambiguous' },
    ])
  }
  if (expireCurrentInSeconds !== undefined) return { expireCurrentInSeconds }
  if (previousSecretExpiresAt !== undefined) return { previousSecretExpiresAt }
  if (input.completeWhen !== undefined) return null
  throw invalidFields([
    {
      param: 'body',
      detail:
        'Give expire_current_in, previous_secret_expires_at or complete_when: there is nothing to change.',
      code: 'missing',
    },
  ])
}
