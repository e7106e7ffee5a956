import { requireScope } from '../core/authorization.ts'
import { invalidFields } from '../core/errors.ts'
import { type CompleteWhen, isRotationOpen, type Rotation } from '../core/rotation.ts'
import { planWindow } from '../core/rotation-window-plan.ts'
import type { ActionContext } from './action-context.ts'
import { applyRotationPlan, iso, readSituation } from './apply-rotation-plan.ts'
import { loadEndpoint, loadRotation } from './load.ts'
import { recordAudit } from './record-audit.ts'

export interface UpdateRotationInput {
  /** Seconds: from now for an overlapping rotation, from the activation for a staged one. */
  expireCurrentInSeconds?: number | undefined
  previousSecretExpiresAt?: number | undefined
  completeWhen?: CompleteWhen | undefined
}

/** Extends or shortens the open window, or changes what ends it. Nothing expired is revived. */
export async function updateRotation(
  context: ActionContext,
  projectId: string,
  ref: string,
  rotationId: string,
  input: UpdateRotationInput,
): Promise<Rotation> {
  requireScope(context.principal, projectId, 'secrets.rotate')
  checkInput(input)
  return context.transact(async (tx) => {
    const endpoint = await loadEndpoint(tx, projectId, ref)
    const rotation = await loadRotation(tx, endpoint.id, rotationId)
    const { situation } = await readSituation(tx, context, endpoint)
    const plan = planWindow(situation, rotation, {
      ...input,
      actor: context.principal.actor,
    })
    if (plan === null) return rotation
    await applyRotationPlan(tx, situation, plan, { isNew: false })
    if (!isRotationOpen(plan.rotation, situation.answeredAt)) {
      // Ended with the answer: no correction of the clock may give the old secret another instant.
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
        window_ends_at: iso(plan.rotation.windowEndsAt),
        complete_when: plan.rotation.completeWhen,
      },
    })
    return plan.rotation
  })
}

function checkInput(input: UpdateRotationInput): void {
  const { completeWhen, expireCurrentInSeconds, previousSecretExpiresAt } = input
  if (expireCurrentInSeconds !== undefined && previousSecretExpiresAt !== undefined) {
    const detail = 'Give one of expire_current_in and previous_secret_expires_at, not both.'
    throw invalidFields([
      { param: 'expire_current_in', detail, code: 'ambiguous' },
      { param: 'previous_secret_expires_at', detail, code: 'ambiguous' },
    ])
  }
  const given = [expireCurrentInSeconds, previousSecretExpiresAt, completeWhen]
  if (given.some((value) => value !== undefined)) return
  throw invalidFields([
    {
      param: 'body',
      detail:
        'Give expire_current_in, previous_secret_expires_at or complete_when: there is nothing to change.',
      code: 'missing',
    },
  ])
}
