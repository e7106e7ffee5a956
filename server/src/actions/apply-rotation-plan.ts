import type { Endpoint } from '../core/endpoint.ts'
import type { Rotation } from '../core/rotation.ts'
import type { RotationPlan, RotationSituation } from '../core/rotation-plan.ts'
import { nextLookAt, unwatched } from '../core/rotation-watch.ts'
import { hasActivated, type Secret } from '../core/secret.ts'
import { formatOf } from '../formats/registry.ts'
import type { Announcement, Reads, Transaction } from '../storage/storage.ts'
import type { ActionContext } from './action-context.ts'
import { canProbe } from './run-drill.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Reads what the planner decides upon; for a plan that is written, inside its transaction. */
export async function readSituation(
  tx: Reads,
  context: ActionContext,
  endpoint: Endpoint,
): Promise<{ secrets: Secret[]; situation: RotationSituation }> {
  const project = await tx.getProject(endpoint.projectId)
  const own = project?.settings.rotationBounds
  const secrets = await tx.listSecrets(endpoint.id)
  const { settings } = context
  const now = context.clock.now()
  return {
    secrets,
    situation: {
      now,
      answeredAt: now + context.storage.cacheTtlMs,
      secrets,
      latest: await tx.latestRotation(endpoint.id),
      signaturesMax: formatOf(endpoint.format).signaturesMax,
      capMs: settings.rotationCapMs,
      canProbe: canProbe(endpoint),
      autoProbe: project?.settings.autoProbe ?? false,
      lastRejectionAt: endpoint.lastRejectionAt,
      bounds: {
        // A project may narrow what the operator allows, never widen it.
        expireCurrentInMinSeconds: Math.max(
          settings.expireCurrentInMinSeconds,
          own?.expireCurrentInMinSeconds ?? 0,
        ),
        expireCurrentInMaxSeconds: Math.min(
          settings.expireCurrentInMaxSeconds,
          own?.expireCurrentInMaxSeconds ?? settings.expireCurrentInMaxSeconds,
        ),
      },
    },
  }
}

/** Writes everything that a plan asks for but the new secret itself. */
export async function applyRotationPlan(
  tx: Transaction,
  situation: RotationSituation,
  plan: RotationPlan,
  options: { isNew: boolean },
): Promise<void> {
  const { now } = situation
  for (const change of plan.secretChanges) await tx.updateSecretTimes(change)
  if (plan.closes !== null) {
    const { rotation, outcome } = plan.closes
    await tx.updateRotation({
      ...rotation,
      outcome,
      watch: unwatched,
      notes: [
        ...rotation.notes,
        { at: now, what: 'completed', actor: plan.rotation.actor, detail: 'force' },
      ],
    })
    // The secret now ends with the new rotation, which tells of it: once is enough.
    if (rotation.previousSecretId === plan.rotation.previousSecretId) {
      await tx.replaceAnnouncements(rotation.id, [])
    }
  }
  const nextAt = nextLookAt(plan.rotation, situation)
  const rotation = { ...plan.rotation, watch: { ...plan.rotation.watch, nextAt } }
  if (options.isNew) await tx.insertRotation(rotation)
  else await tx.updateRotation(rotation)
  await tx.replaceAnnouncements(rotation.id, announcementsOf(rotation, situation.answeredAt))
}

/** RFC 3339 in UTC with milliseconds, null for null. */
export function iso(at: number): string
export function iso(at: number | null): string | null
export function iso(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString()
}

/** A mark that is already past when the window opens is not announced (rotation.md section 8). */
function announcementsOf(rotation: Rotation, now: number): Announcement[] {
  const expiresAt = rotation.previousSecretExpiresAt
  if (rotation.outcome !== null || expiresAt === null) return []
  const about = {
    projectId: rotation.projectId,
    endpointId: rotation.endpointId,
    rotationId: rotation.id,
    secretId: rotation.previousSecretId,
  }
  const opensAt = hasActivated(rotation, now) ? now : rotation.activatesAt
  const marks: Announcement[] = [
    { ...about, kind: 'expiring_24h', at: expiresAt - DAY_MS },
    { ...about, kind: 'expiring_1h', at: expiresAt - HOUR_MS },
  ]
  return [
    ...marks.filter((mark) => mark.at > opensAt),
    { ...about, kind: 'expired', at: expiresAt },
  ]
}
