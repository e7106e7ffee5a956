import type { Endpoint } from '../core/endpoint.ts'
import { isRotationOpen } from '../core/rotation.ts'
import { nextLookAt } from '../core/rotation-watch.ts'
import type { Transaction } from '../storage/storage.ts'
import type { ActionContext } from './action-context.ts'
import { readSituation } from './apply-rotation-plan.ts'

/** For when probes became possible or wanted, or are so no longer, inside of an open window. */
export async function rescheduleLook(
  tx: Transaction,
  context: ActionContext,
  endpoint: Endpoint,
): Promise<void> {
  const { situation } = await readSituation(tx, context, endpoint)
  const { latest, now } = situation
  if (latest === null || !isRotationOpen(latest, now)) return
  const nextAt = nextLookAt(latest, situation)
  if (nextAt === latest.watch.nextAt) return
  await tx.updateRotation({ ...latest, watch: { ...latest.watch, nextAt } })
}

/** The same for every endpoint of a project. */
export async function rescheduleLooks(
  tx: Transaction,
  context: ActionContext,
  projectId: string,
): Promise<void> {
  for (const rotation of await tx.listOpenRotations(context.clock.now())) {
    if (rotation.projectId !== projectId) continue
    const endpoint = await tx.getEndpoint(projectId, rotation.endpointId)
    if (endpoint !== null) await rescheduleLook(tx, context, endpoint)
  }
}
