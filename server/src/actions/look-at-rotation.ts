import { provingProbes } from '../core/drill.ts'
import type { Endpoint } from '../core/endpoint.ts'
import { isRotationOpen, type Rotation, rotationState } from '../core/rotation.ts'
import type { DrillReport } from '../core/rotation-evidence.ts'
import { mayProbe } from '../core/rotation-watch.ts'
import type { Transaction } from '../storage/storage.ts'
import type { ActionContext } from './action-context.ts'
import { readSituation } from './apply-rotation-plan.ts'
import { judgeRotation } from './judge-rotation.ts'
import { runDrill } from './run-drill.ts'

/**
 * One look at an open rotation whose time has come: probes the receiver where that is allowed, and
 * does what follows. A rotation that is closed is not looked at again.
 */
export async function lookAtRotation(
  context: ActionContext,
  due: { endpointId: string; rotationId: string },
): Promise<void> {
  const { storage } = context
  const subject = await storage.transact((tx) => subjectOf(tx, context, due))
  if (subject === null) return
  const { endpoint, rotation } = subject
  if (subject.isProbed) {
    const waitMs = context.probeLimiter.waitMs(
      endpoint.projectId,
      endpoint.id,
      provingProbes.length,
    )
    if (waitMs > 0) {
      await storage.transact((tx) => lookLater(tx, context, due, waitMs))
      return
    }
  }
  const drill = subject.isProbed ? await drillFor(context, endpoint, rotation) : null
  await storage.transact(async (tx) => {
    const current = await subjectOf(tx, context, due)
    if (current !== null) await judgeRotation(tx, context, current, { drill, isLook: true })
  })
}

/** What is to be looked at, or null; then its watch is over. */
async function subjectOf(
  tx: Transaction,
  context: ActionContext,
  { endpointId, rotationId }: { endpointId: string; rotationId: string },
): Promise<{ endpoint: Endpoint; rotation: Rotation; isProbed: boolean } | null> {
  const rotation = await tx.getRotation(endpointId, rotationId)
  if (rotation === null) return null
  const endpoint = await tx.getEndpointById(endpointId)
  const now = context.clock.now()
  if (endpoint === null || endpoint.deletedAt !== null || !isRotationOpen(rotation, now)) {
    await tx.updateRotation({ ...rotation, watch: { ...rotation.watch, nextAt: null } })
    return null
  }
  const { situation } = await readSituation(tx, context, endpoint)
  const isActive = rotationState(rotation, now).status !== 'staged'
  return { endpoint, rotation, isProbed: isActive && mayProbe(rotation, situation) }
}

async function lookLater(
  tx: Transaction,
  context: ActionContext,
  { endpointId, rotationId }: { endpointId: string; rotationId: string },
  waitMs: number,
): Promise<void> {
  const rotation = await tx.getRotation(endpointId, rotationId)
  if (rotation === null) return
  const nextAt = context.clock.now() + Math.ceil(waitMs)
  await tx.updateRotation({ ...rotation, watch: { ...rotation.watch, nextAt } })
}

function drillFor(
  context: ActionContext,
  endpoint: Endpoint,
  { newSecretId, previousSecretId, watch }: Rotation,
): Promise<DrillReport> {
  return runDrill(context, {
    endpoint,
    newSecretId,
    oldSecretId: previousSecretId,
    cause: 'watch',
    // A spike wants an explanation; else only proof counts.
    isBrief: watch.spike === null,
  })
}
