import { type Rotation, rotationState } from '../core/rotation.ts'
import { isSecretExpired, isSecretLive, type Secret } from '../core/secret.ts'
import type { Announcement, Transaction } from '../storage/storage.ts'
import type { ActionContext } from './action-context.ts'
import { iso } from './apply-rotation-plan.ts'
import { emitOperationalEvent } from './emit-operational-event.ts'
import { recordAudit } from './record-audit.ts'

const announcedAtOnceMax = 100

/**
 * Says what time has brought: secrets that are about to expire or have expired, rotations that are
 * complete. Only says it: whether a secret signs never depends on this having run. It also latches
 * expired secrets, so that a clock set back cannot revive them after a restart.
 *
 * Returns how many announcements were worked off; when it is the maximum there may be more.
 */
export async function announceExpiries(context: ActionContext): Promise<number> {
  const due = await context.storage.listDueAnnouncements(context.clock.now(), announcedAtOnceMax)
  for (const announcement of due) {
    await context.storage.transact((tx) => announce(tx, context, announcement))
  }
  return due.length
}

async function announce(
  tx: Transaction,
  context: ActionContext,
  announcement: Announcement,
): Promise<void> {
  // The list may be old by now: another node has made it, or the window was changed since.
  if (!(await tx.deleteAnnouncement(announcement))) return
  const secrets = await tx.listSecrets(announcement.endpointId)
  const secret = secrets.find((candidate) => candidate.id === announcement.secretId)
  const rotation = await tx.getRotation(announcement.endpointId, announcement.rotationId)
  if (secret === undefined || rotation === null) return
  if (announcement.kind === 'expired') await tellExpired(tx, context, secret, rotation)
  else await tellExpiring(tx, context, secret, announcement)
}

async function tellExpiring(
  tx: Transaction,
  context: ActionContext,
  secret: Secret,
  announcement: Announcement,
): Promise<void> {
  if (!isSecretLive(secret, context.clock.now()) || secret.expiresAt === null) return
  await emitOperationalEvent(tx, context, secret.projectId, 'endpoint.secret.expiring', {
    endpoint_id: secret.endpointId,
    rotation_id: announcement.rotationId,
    secret_id: secret.id,
    expires_at: iso(secret.expiresAt),
    expires_within: announcement.kind === 'expiring_24h' ? '24h' : '1h',
  })
}

async function tellExpired(
  tx: Transaction,
  context: ActionContext,
  secret: Secret,
  rotation: Rotation,
): Promise<void> {
  const now = context.clock.now()
  if (secret.revokedAt !== null || !isSecretExpired(secret, now)) return
  await tx.latchExpiredSecrets([secret.id], now)
  await emitOperationalEvent(tx, context, secret.projectId, 'endpoint.secret.expired', {
    endpoint_id: secret.endpointId,
    rotation_id: rotation.id,
    secret_id: secret.id,
  })
  const { completedBy, closedAt } = rotationState(rotation, now)
  if (rotation.outcome !== null || completedBy === null) return
  await tx.updateRotation({
    ...rotation,
    outcome: { status: 'completed', completedBy, closedAt: closedAt ?? now },
    notes: [
      ...rotation.notes,
      { at: closedAt ?? now, what: 'completed', actor: null, detail: completedBy },
    ],
  })
  await recordAudit(tx, context, {
    projectId: rotation.projectId,
    action: 'endpoint.rotation.completed',
    target: { type: 'rotation', id: rotation.id },
    details: { endpoint_id: rotation.endpointId, completed_by: completedBy },
  })
  await emitOperationalEvent(tx, context, rotation.projectId, 'endpoint.rotation.completed', {
    endpoint_id: rotation.endpointId,
    rotation_id: rotation.id,
    completed_by: completedBy,
  })
}
