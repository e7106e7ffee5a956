import type { Actor } from './authorization.ts'
import {
  type CompletedBy,
  canExtend,
  isRotationOpen,
  type Rotation,
  type RotationOutcome,
  rotationState,
  type TimelineEntry,
} from './rotation.ts'
import { isProven, usesNewAlone } from './rotation-evidence.ts'
import type { RotationPlan, RotationSituation, SecretChange } from './rotation-plan.ts'
import {
  receiverNotVerified,
  receiverUsesNew,
  refuseStaged,
  rotationClosed,
} from './rotation-refusals.ts'
import { unwatched } from './rotation-watch.ts'
import { secretStatus } from './secret.ts'

/** Who ends a rotation and why. */
export interface EndRequest {
  actor: Actor
  reason: string | null
  /** Against what the evidence says. */
  force?: boolean
}

/** All retiring secrets stop now; completes the open rotation. Repeating it changes nothing. */
export function planRevokePrevious(
  situation: RotationSituation,
  { actor, reason }: EndRequest,
): RotationPlan | { rotation: null; secretChanges: SecretChange[]; revokedSecretIds: string[] } {
  const { latest, now } = situation
  const revoked = revokeRetiring(situation)
  if (latest === null || !isRotationOpen(latest, now)) return { rotation: null, ...revoked }
  refuseStaged(latest, now)
  return completedPlan(situation, latest, 'manual', { actor, detail: reason ?? 'manual' })
}

/** Retires the previous secrets now. Null: the rotation already is completed. */
export function planComplete(
  situation: RotationSituation,
  rotation: Rotation,
  { actor, reason, force = false }: EndRequest,
): RotationPlan | null {
  const { now } = situation
  const { status } = rotationState(rotation, now)
  if (status === 'completed') return null
  if (status === 'cancelled') throw rotationClosed(rotation, now)
  refuseStaged(rotation, now)
  const mustBeProven = rotation.completeWhen === 'verified'
  if (mustBeProven && !force && !isProven(rotation.evidence)) throw receiverNotVerified(rotation)
  return completedPlan(situation, rotation, 'manual', { actor, detail: reason ?? 'manual' })
}

/** The receiver has proved that it takes the new secret. The rotation is open and active. */
export function planVerified(situation: RotationSituation, rotation: Rotation): RotationPlan {
  return completedPlan(situation, rotation, 'verified', { actor: null, detail: 'verified' })
}

/** The new secret is revoked, the predecessor is current again. Null: already cancelled. */
export function planCancel(
  situation: RotationSituation,
  rotation: Rotation,
  { actor, reason, force = false }: EndRequest,
): RotationPlan | null {
  const { now, answeredAt, secrets } = situation
  // At the answer: a secret that stops before it may have been seen expired by then.
  const { status } = rotationState(rotation, answeredAt)
  if (status === 'cancelled') return null
  if (status === 'completed') throw rotationClosed(rotation, answeredAt)
  const hasReportedNew = rotation.reported.some(({ secretId }) => secretId === rotation.newSecretId)
  if (!force && usesNewAlone(rotation.evidence, { hasReportedNew })) {
    throw receiverUsesNew(rotation)
  }
  const changes: SecretChange[] = [{ id: rotation.newSecretId, revokedAt: now }]
  for (const secret of secrets) {
    const before = rotation.expiriesBefore[secret.id]
    if (before === undefined || !canExtend(secret, answeredAt)) continue
    // The predecessor is current again without an expiry, even where a forced rotation had set one.
    const expiresAt = secret.id === rotation.previousSecretId ? null : before
    changes.push({ id: secret.id, expiresAt })
  }
  const outcome: RotationOutcome = { status: 'cancelled', completedBy: null, closedAt: now }
  return endedPlan(
    rotation,
    outcome,
    { secretChanges: changes, revokedSecretIds: [rotation.newSecretId] },
    { at: now, what: 'cancelled', actor, detail: reason },
  )
}

function completedPlan(
  situation: RotationSituation,
  rotation: Rotation,
  completedBy: CompletedBy,
  note: { actor: Actor | null; detail: string },
): RotationPlan {
  const { now } = situation
  const outcome: RotationOutcome = { status: 'completed', completedBy, closedAt: now }
  return endedPlan(rotation, outcome, revokeRetiring(situation), {
    at: now,
    what: 'completed',
    ...note,
  })
}

function revokeRetiring({ secrets, now }: RotationSituation): {
  secretChanges: SecretChange[]
  revokedSecretIds: string[]
} {
  const ids = secrets
    .filter((secret) => secretStatus(secret, secrets, now) === 'retiring')
    .map((secret) => secret.id)
  return {
    secretChanges: ids.map((id): SecretChange => ({ id, revokedAt: now })),
    revokedSecretIds: ids,
  }
}

function endedPlan(
  rotation: Rotation,
  outcome: RotationOutcome,
  ended: { secretChanges: SecretChange[]; revokedSecretIds: string[] },
  note: TimelineEntry,
): RotationPlan {
  return {
    rotation: {
      ...rotation,
      // The previous secret stopped just now; after a cancel it is current again, without expiry.
      previousSecretExpiresAt: outcome.status === 'completed' ? outcome.closedAt : null,
      watch: unwatched,
      outcome,
      notes: [...rotation.notes, note],
    },
    closes: null,
    ...ended,
  }
}
