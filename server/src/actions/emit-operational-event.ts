import type { Transaction } from '../storage/storage.ts'
import type { ActionContext } from './action-context.ts'

/** The operational events of rotation.md section 8, and three of our own: old secrets, held rotations. */
export const operationalEventTypes = [
  'endpoint.secret.rotated',
  'endpoint.secret.expiring',
  'endpoint.secret.expired',
  'endpoint.secret.revoked',
  'endpoint.secret.over_age',
  'endpoint.rotation.attention',
  'endpoint.rotation.held',
  'endpoint.rotation.released',
  'endpoint.rotation.completed',
  'endpoint.rotation.cancelled',
  'endpoint.unverifying',
  'endpoint.disabled',
  'endpoint.recovered',
] as const
export type OperationalEventType = (typeof operationalEventTypes)[number]

/** Publishes an operational event into the project, in the transaction of what it tells about. */
export async function emitOperationalEvent(
  tx: Transaction,
  context: ActionContext,
  projectId: string,
  type: OperationalEventType,
  data: Record<string, unknown>,
): Promise<void> {
  const now = context.clock.now()
  await tx.acceptEvents([
    {
      id: context.newId('evt'),
      hasCallerId: false,
      projectId,
      type,
      timestamp: new Date(now).toISOString(),
      metadata: {},
      data: JSON.stringify(data),
      createdAt: now,
    },
  ])
}
