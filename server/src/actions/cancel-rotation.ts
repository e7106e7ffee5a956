import { requireScope } from '../core/authorization.ts'
import type { Rotation } from '../core/rotation.ts'
import { planCancel } from '../core/rotation-end-plan.ts'
import type { ActionContext } from './action-context.ts'
import { readSituation } from './apply-rotation-plan.ts'
import { endRotation } from './end-rotation.ts'
import { loadEndpoint, loadRotation } from './load.ts'

/** The new secret is revoked, the predecessor is current again. Repeating it changes nothing. */
export async function cancelRotation(
  context: ActionContext,
  projectId: string,
  ref: string,
  rotationId: string,
  input: { force?: boolean | undefined; reason?: string | null | undefined },
): Promise<Rotation> {
  requireScope(context.principal, projectId, 'secrets.rotate')
  const reason = input.reason ?? null
  return context.transact(async (tx) => {
    const endpoint = await loadEndpoint(tx, projectId, ref)
    const rotation = await loadRotation(tx, endpoint.id, rotationId)
    const { situation } = await readSituation(tx, context, endpoint)
    const request = { actor: context.principal.actor, reason, force: input.force ?? false }
    const plan = planCancel(situation, rotation, request)
    if (plan === null) return rotation
    await endRotation(tx, context, { situation, plan, reason })
    return plan.rotation
  })
}
