import type { Actor } from './authorization.ts'
import { AppError, invalidField } from './errors.ts'
import { limits } from './limits.ts'
import {
  canExtend,
  isRotationOpen,
  type Rotation,
  type RotationOutcome,
  rotationState,
  type TimelineEntry,
} from './rotation.ts'
import { type AskedWindow, checkWindow, chooseWindow, type WindowRules } from './rotation-window.ts'
import {
  currentSecret,
  isSecretLive,
  type SecretTimes,
  secretStatus,
  secretsInForce,
} from './secret.ts'

/** What the planner must know of an endpoint at one instant. */
export interface RotationSituation extends WindowRules {
  secrets: readonly SecretTimes[]
  /** The newest rotation, open or not. */
  latest: Rotation | null
}

export interface RotateRequest extends AskedWindow {
  rotationId: string
  newSecretId: string
  projectId: string
  endpointId: string
  actor: Actor
  force: boolean
  reason: string | null
  expectedCurrentSecretId?: string | undefined
  /** Rounds the expiry up to a whole second: what is shown is then what happens. */
  isExpiryInWholeSeconds?: boolean | undefined
}

export interface SecretChange {
  id: string
  expiresAt?: number | null
  revokedAt?: number
}

/** Every write that a verb asks for; the action applies it in one transaction. */
export interface RotationPlan {
  rotation: Rotation
  secretChanges: SecretChange[]
  /** The earlier rotation that a forced one closes. */
  closes: { rotation: Rotation; outcome: RotationOutcome } | null
  /** Secrets that stop signing with this act. */
  revokedSecretIds: string[]
}

/** Section 3 of rotation.md. Throws the refusals it names; otherwise says what to write. */
export function planRotate(situation: RotationSituation, request: RotateRequest): RotationPlan {
  const { now, secrets, latest } = situation
  const previous = currentSecret(secrets, now)
  if (previous === null) throw new Error('An endpoint always has a current secret.')
  const window = chooseWindow(situation, request)
  checkExpectedSecret(previous.id, request.expectedCurrentSecretId)
  const open = latest !== null && isRotationOpen(latest, now) ? latest : null
  if (open !== null && !request.force) throw rotationInProgress(open, situation)
  const activatesAt = laterThan(previous, request.activateAt ?? now)
  const isCutNow = request.activateAt === undefined && window === 0

  const rotation: Rotation = {
    id: request.rotationId,
    projectId: request.projectId,
    endpointId: request.endpointId,
    previousSecretId: previous.id,
    newSecretId: request.newSecretId,
    activatesAt,
    previousSecretExpiresAt: isCutNow
      ? null
      : expiryOf(request, request.activateAt === undefined ? now : activatesAt, window),
    previousSecretExpirySeenAt: null,
    completeWhen: 'expiry',
    capAt: null,
    droppedSecretIds: [],
    expiriesBefore: {},
    reason: request.reason,
    actor: request.actor,
    notes: [
      { at: now, what: isCutNow ? 'cut' : 'created', actor: request.actor, detail: request.reason },
    ],
    outcome: isCutNow ? { status: 'completed', completedBy: 'cut', closedAt: now } : null,
    createdAt: request.activateAt === undefined ? activatesAt : now,
  }
  const earlier = isCutNow
    ? stopEverything(secrets, now)
    : retireEarlier({ situation, rotation, open, stopsAtActivation: window === 0 })
  rotation.droppedSecretIds = isCutNow ? [] : earlier.revokedSecretIds
  return {
    rotation,
    secretChanges: earlier.changes,
    closes: open === null ? null : forcedAway(open, earlier.revokedSecretIds, now),
    revokedSecretIds: earlier.revokedSecretIds,
  }
}

function expiryOf(request: RotateRequest, from: number, windowSeconds: number): number {
  const expiresAt = from + windowSeconds * 1000
  return request.isExpiryInWholeSeconds ? Math.ceil(expiresAt / 1000) * 1000 : expiresAt
}

/** What becomes of the rotation that a forced one closes: its window says what really happens. */
function forcedAway(open: Rotation, revokedSecretIds: readonly string[], now: number) {
  const isStaged = rotationState(open, now).status === 'staged'
  const isRevoked = revokedSecretIds.includes(open.previousSecretId)
  // Where it never began, the new rotation alone says when that secret stops.
  const previousSecretExpiresAt = isStaged ? null : isRevoked ? now : open.previousSecretExpiresAt
  return { rotation: { ...open, previousSecretExpiresAt }, outcome: completed('force', now) }
}

/** All retiring secrets stop now; completes the open rotation. Repeating it changes nothing. */
export function planRevokePrevious(
  situation: RotationSituation,
  actor: Actor,
  reason: string | null,
): RotationPlan | { rotation: null; secretChanges: SecretChange[]; revokedSecretIds: string[] } {
  const { latest, now } = situation
  const revoked = revokeRetiring(situation)
  if (latest === null || !isRotationOpen(latest, now)) return { rotation: null, ...revoked }
  refuseStaged(latest, now)
  return endedPlan(latest, completed('manual', now), revoked, {
    at: now,
    what: 'completed',
    actor,
    detail: reason ?? 'manual',
  })
}

/** Retires the previous secrets now. Null: the rotation already is completed. */
export function planComplete(
  situation: RotationSituation,
  rotation: Rotation,
  actor: Actor,
  reason: string | null,
): RotationPlan | null {
  const { now } = situation
  const { status } = rotationState(rotation, now)
  if (status === 'completed') return null
  if (status === 'cancelled') throw rotationClosed(rotation, now)
  refuseStaged(rotation, now)
  return endedPlan(rotation, completed('manual', now), revokeRetiring(situation), {
    at: now,
    what: 'completed',
    actor,
    detail: reason ?? 'manual',
  })
}

/** The new secret is revoked, the predecessor is current again. Null: already cancelled. */
export function planCancel(
  situation: RotationSituation,
  rotation: Rotation,
  actor: Actor,
  reason: string | null,
): RotationPlan | null {
  const { now, secrets } = situation
  const { status } = rotationState(rotation, now)
  if (status === 'cancelled') return null
  if (status === 'completed') throw rotationClosed(rotation, now)
  const changes: SecretChange[] = [{ id: rotation.newSecretId, revokedAt: now }]
  for (const secret of secrets) {
    const before = rotation.expiriesBefore[secret.id]
    if (before === undefined || !canExtend(secret, now)) continue
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

/** Extends or shortens the open window. Exactly one of the two inputs is given. */
export function planWindow(
  situation: RotationSituation,
  rotation: Rotation,
  actor: Actor,
  window: { expireCurrentInSeconds: number } | { previousSecretExpiresAt: number },
): RotationPlan {
  const { now, secrets } = situation
  const { status } = rotationState(rotation, now)
  if (status === 'completed' || status === 'cancelled') throw rotationClosed(rotation, now)
  const start = status === 'staged' ? rotation.activatesAt : now
  const param =
    'expireCurrentInSeconds' in window ? 'expire_current_in' : 'previous_secret_expires_at'
  const expiresAt =
    'expireCurrentInSeconds' in window
      ? start + window.expireCurrentInSeconds * 1000
      : window.previousSecretExpiresAt
  const seconds = (expiresAt - start) / 1000
  if (seconds < 0) {
    throw invalidField(param, 'The window cannot end in the past, nor before the activation.')
  }
  checkWindow(situation, seconds, param)
  const previous = secrets.find((secret) => secret.id === rotation.previousSecretId)
  if (previous === undefined || !canExtend(previous, now)) throw rotationClosed(rotation, now)

  const verb = expiresAt >= (rotation.previousSecretExpiresAt ?? 0) ? 'extended' : 'shortened'
  const note: TimelineEntry = {
    at: now,
    what: verb,
    actor,
    detail: `previous secret signs until ${new Date(expiresAt).toISOString()}`,
  }
  return {
    rotation: {
      ...rotation,
      previousSecretExpiresAt: expiresAt,
      notes: [...rotation.notes, note],
    },
    secretChanges: [{ id: previous.id, expiresAt }],
    closes: null,
    revokedSecretIds: [],
  }
}

/**
 * That instant, or after a clock was set back the first one at which the new secret is the newest:
 * the order of activation is the order in which secrets replace each other.
 */
function laterThan(previous: SecretTimes, at: number): number {
  return previous.activatesAt > at ? previous.activatesAt + 1 : at
}

function checkExpectedSecret(currentId: string, expectedId: string | undefined): void {
  if (expectedId === undefined || expectedId === currentId) return
  throw new AppError('secret_changed', {
    // Not repeated: it may be a secret in the wrong place, and refusals are kept.
    detail: `The current secret is ${currentId}, not the one expected.`,
    param: 'expected_current_secret_id',
    extra: { current_secret_id: currentId },
  })
}

function rotationInProgress(open: Rotation, situation: RotationSituation): AppError {
  const expiresAt = open.previousSecretExpiresAt
  const until = expiresAt === null ? null : new Date(expiresAt).toISOString()
  const { status } = rotationState(open, situation.now)
  const forced =
    status === 'staged'
      ? 'close it, discard its staged secret and rotate now'
      : `close it and rotate now; the secret it retires keeps its expiry while it is among the newest ${limits.secretsActiveMax}, the oldest go first`
  return new AppError('rotation_in_progress', {
    detail: `Rotation ${open.id} is ${status}${until ? ` until ${until}` : ''}. With force: true this call would ${forced}.`,
    extra: { rotation_id: open.id, previous_secret_expires_at: until },
  })
}

/** For a leak: every earlier secret, retiring and staged ones included, stops at once. */
function stopEverything(secrets: readonly SecretTimes[], now: number) {
  const live = secrets.filter((secret) => isSecretLive(secret, now))
  return {
    changes: live.map((secret): SecretChange => ({ id: secret.id, revokedAt: now })),
    revokedSecretIds: live.map((secret) => secret.id),
  }
}

/**
 * Gives the predecessor its expiry, discards a staged secret that was forced away, and lets the
 * oldest go where more than `secretsActiveMax` would be live.
 */
function retireEarlier(input: {
  situation: RotationSituation
  rotation: Rotation
  open: Rotation | null
  stopsAtActivation: boolean
}) {
  const { situation, rotation, open, stopsAtActivation } = input
  const { now } = situation
  const changes: SecretChange[] = []
  const revokedSecretIds: string[] = []
  const revoke = (id: string) => {
    changes.push({ id, revokedAt: now })
    revokedSecretIds.push(id)
  }
  const inForce = secretsInForce(situation.secrets, now)
  // A staged secret that was forced away must not come up later and take over.
  const staged = situation.secrets.filter(
    (secret) => isSecretLive(secret, now) && !inForce.includes(secret),
  )
  if (open !== null) for (const secret of staged) revoke(secret.id)
  for (const secret of inForce.slice(limits.secretsActiveMax - 1)) revoke(secret.id)

  for (const secret of inForce.slice(0, limits.secretsActiveMax - 1)) {
    const isPrevious = secret.id === rotation.previousSecretId
    const end = rotation.previousSecretExpiresAt
    const isShortened = stopsAtActivation && end !== null && (secret.expiresAt ?? end + 1) > end
    if (!isPrevious && !isShortened) continue
    rotation.expiriesBefore[secret.id] = secret.expiresAt
    changes.push({ id: secret.id, expiresAt: end })
  }
  return { changes, revokedSecretIds }
}

function revokeRetiring(situation: RotationSituation): {
  secretChanges: SecretChange[]
  revokedSecretIds: string[]
} {
  const { secrets, now } = situation
  const ids = secrets
    .filter((secret) => secretStatus(secret, secrets, now) === 'retiring')
    .map((secret) => secret.id)
  return {
    secretChanges: ids.map((id): SecretChange => ({ id, revokedAt: now })),
    revokedSecretIds: ids,
  }
}

function refuseStaged(rotation: Rotation, now: number): void {
  if (rotationState(rotation, now).status !== 'staged') return
  throw new AppError('rotation_not_active', {
    detail: `Rotation ${rotation.id} becomes active at ${new Date(rotation.activatesAt).toISOString()}; until then only cancel applies.`,
    extra: { rotation_id: rotation.id },
  })
}

function rotationClosed(rotation: Rotation, now: number): AppError {
  const state = rotationState(rotation, now)
  return new AppError('rotation_closed', {
    detail: `Rotation ${rotation.id} is ${state.status}${state.completedBy ? ` (${state.completedBy})` : ''}.`,
    extra: { rotation_id: rotation.id },
  })
}

function completed(completedBy: 'manual' | 'force', closedAt: number): RotationOutcome {
  return { status: 'completed', completedBy, closedAt }
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
      outcome,
      notes: [...rotation.notes, note],
    },
    closes: null,
    ...ended,
  }
}
