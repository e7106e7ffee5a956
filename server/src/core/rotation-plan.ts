import type { Actor } from './authorization.ts'
import { AppError } from './errors.ts'
import { limits } from './limits.ts'
import { isRotationOpen, type Rotation, type RotationOutcome, rotationState } from './rotation.ts'
import { rotationInProgress } from './rotation-refusals.ts'
import { unwatched, type WatchFacts } from './rotation-watch.ts'
import { type AskedWindow, chooseWindow, type WindowRules } from './rotation-window.ts'
import { currentSecret, isSecretLive, type SecretTimes, secretsInForce } from './secret.ts'

/** What the planner must know of an endpoint at one instant. */
export interface RotationSituation extends WindowRules, WatchFacts {
  secrets: readonly SecretTimes[]
  /**
   * When every process that signs will know of the plan, which is when the caller is answered: later
   * than `now` where there are several. Windows begin here.
   */
  answeredAt: number
  /** The newest rotation, open or not. */
  latest: Rotation | null
  /** Longest time for which a window without another end stays open. */
  capMs: number
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
  campaignId?: string | undefined
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
  if (open !== null && !request.force) throw rotationInProgress(open, now)
  const activatesAt = laterThan(previous, request.activateAt ?? now)
  const times = windowOf(situation, request, { activatesAt, windowSeconds: window })
  const { isCutNow } = times

  const rotation: Rotation = {
    id: request.rotationId,
    projectId: request.projectId,
    endpointId: request.endpointId,
    previousSecretId: previous.id,
    newSecretId: request.newSecretId,
    activatesAt,
    previousSecretExpiresAt: times.previousSecretExpiresAt,
    windowEndsAt: times.windowEndsAt,
    unclaimedWindowSeconds: times.unclaimedWindowSeconds,
    previousSecretExpirySeenAt: null,
    completeWhen: request.completeWhen ?? 'expiry',
    capAt: times.capAt,
    heldAt: null,
    attention: null,
    evidence: null,
    reported: [],
    watch: unwatched,
    campaignId: request.campaignId ?? null,
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
  const stopsAtActivation = times.previousSecretExpiresAt === activatesAt
  const earlier = isCutNow
    ? stopEverything(secrets, now)
    : retireEarlier({ situation, rotation, open, stopsAtActivation })
  rotation.droppedSecretIds = isCutNow ? [] : earlier.revokedSecretIds
  return {
    rotation,
    secretChanges: earlier.changes,
    closes: open === null ? null : forcedAway(open, earlier.revokedSecretIds, now),
    revokedSecretIds: earlier.revokedSecretIds,
  }
}

/** Which of the ends a new rotation has: see the members of `Rotation` with these names. */
function windowOf(
  { answeredAt, signaturesMax, capMs }: RotationSituation,
  request: RotateRequest,
  { activatesAt, windowSeconds }: { activatesAt: number; windowSeconds: number },
) {
  const isStaged = request.activateAt !== undefined
  // With one signature the activation is the cut, whoever has claimed the secret by then.
  const waitsForClaim = request.isClaimed === true && signaturesMax > 1
  const isCutNow = !isStaged && windowSeconds === 0 && !waitsForClaim
  if (isCutNow) {
    const none = { previousSecretExpiresAt: null, windowEndsAt: null, capAt: null }
    return { isCutNow, unclaimedWindowSeconds: null, ...none }
  }
  // A cut at the activation stays one, however soon that is.
  const isStagedCut = isStaged && windowSeconds === 0
  const startsAt = isStagedCut ? activatesAt : Math.max(isStaged ? activatesAt : 0, answeredAt)
  const windowEndsAt = waitsForClaim ? null : expiryOf(request, startsAt, windowSeconds)
  const hasCap = waitsForClaim || request.completeWhen === 'verified'
  const capAt = hasCap ? Math.max(startsAt + capMs, windowEndsAt ?? 0) : null
  return {
    isCutNow,
    previousSecretExpiresAt: capAt ?? windowEndsAt,
    windowEndsAt,
    unclaimedWindowSeconds: waitsForClaim ? windowSeconds : null,
    capAt,
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
  return {
    rotation: { ...open, previousSecretExpiresAt },
    outcome: { status: 'completed', completedBy: 'force', closedAt: now } as const,
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
