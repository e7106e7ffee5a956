import { requireScope } from '../core/authorization.ts'
import { isRotationOpen, type Rotation } from '../core/rotation.ts'
import { refuseClosed } from '../core/rotation-refusals.ts'
import type { ActionContext } from './action-context.ts'
import { judgeRotation } from './judge-rotation.ts'
import { loadEndpoint, loadRotation } from './load.ts'
import { requireProbe, runDrill } from './run-drill.ts'

/**
 * Runs the whole drill against the receiver, keeps it as evidence, and does what follows from it.
 * Answers the rotation as it then is. What changes while the drill runs is not undone: its result
 * is judged by the state that it meets.
 */
export async function verifyRotation(
  context: ActionContext,
  projectId: string,
  ref: string,
  rotationId: string,
): Promise<Rotation> {
  requireScope(context.principal, projectId, 'secrets.rotate')
  const { storage, clock } = context
  const endpoint = await loadEndpoint(storage, projectId, ref)
  const rotation = await loadRotation(storage, endpoint.id, rotationId)
  refuseClosed(rotation, clock.now())
  requireProbe(endpoint)
  const drill = await runDrill(context, {
    endpoint,
    newSecretId: rotation.newSecretId,
    oldSecretId: rotation.previousSecretId,
    cause: 'verify',
    isBrief: false,
  })
  return context.transact(async (tx) => {
    const now = await loadEndpoint(tx, projectId, endpoint.id)
    const current = await loadRotation(tx, endpoint.id, rotationId)
    // Closed meanwhile: another's outcome stands, and the drill may have met dead secrets.
    if (!isRotationOpen(current, clock.now())) return current
    const subject = { endpoint: now, rotation: current }
    return judgeRotation(tx, context, subject, { drill, isLook: false })
  })
}
