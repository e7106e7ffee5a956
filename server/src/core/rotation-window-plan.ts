import type { Actor } from './authorization.ts'
import { invalidField, invalidFields } from './errors.ts'
import {
  type CompleteWhen,
  canExtend,
  type Rotation,
  rotationState,
  type TimelineEntry,
} from './rotation.ts'
import type { RotationPlan, RotationSituation } from './rotation-plan.ts'
import { rotationClosed } from './rotation-refusals.ts'
import { checkWindow, claimProblems, proofProblems } from './rotation-window.ts'

/** What a caller wants the open window to be. At most one of the two times is given. */
export interface WindowRequest {
  actor: Actor
  /** Seconds, from now for a rotation that has begun, else from its activation. */
  expireCurrentInSeconds?: number | undefined
  previousSecretExpiresAt?: number | undefined
  completeWhen?: CompleteWhen | undefined
}

/**
 * Extends or shortens the open window, or changes what ends it. Where the window waits for proof or
 * for a claim, `previousSecretExpiresAt` moves its hard end and `expireCurrentInSeconds` what comes
 * before: the warning, or the overlap that the claim begins. A window that is set ends a hold.
 *
 * Null: nothing would change.
 */
export function planWindow(
  situation: RotationSituation,
  rotation: Rotation,
  request: WindowRequest,
): RotationPlan | null {
  const { now, answeredAt, secrets } = situation
  const { status } = rotationState(rotation, now)
  if (status === 'completed' || status === 'cancelled') throw rotationClosed(rotation, now)
  const previous = secrets.find((secret) => secret.id === rotation.previousSecretId)
  // One that stops before the answer may have been seen expired by a process that does not know yet.
  if (previous === undefined || !canExtend(previous, answeredAt)) {
    throw rotationClosed(rotation, answeredAt)
  }
  const { completeWhen = rotation.completeWhen } = request
  const isCut = request.expireCurrentInSeconds === 0
  if (request.completeWhen === 'verified' || (completeWhen === 'verified' && isCut)) {
    const problems = proofProblems(situation, request.expireCurrentInSeconds)
    if (problems.length > 0) throw invalidFields(problems)
  }
  if (rotation.unclaimedWindowSeconds !== null && isCut) {
    throw invalidFields(claimProblems(situation, request))
  }
  const startsAt = status === 'staged' ? Math.max(rotation.activatesAt, answeredAt) : answeredAt
  const changed = withWindow(situation, withCompleteWhen(rotation, request), request, startsAt)
  const next = withEnd(situation, changed, request)
  const expiresAt = next.previousSecretExpiresAt
  const notes = notesOf(rotation, next, request, now)
  if (notes.length === 0) return null
  return {
    rotation: { ...next, notes: [...rotation.notes, ...notes] },
    secretChanges: [{ id: previous.id, expiresAt }],
    closes: null,
    revokedSecretIds: [],
  }
}

/**
 * Puts the expiry off to the cap: the receiver does not take the new secret. The rotation overlaps.
 * `reason` goes into the timeline.
 */
export function planHold(
  situation: RotationSituation,
  rotation: Rotation,
  reason: string,
): RotationPlan {
  const { now } = situation
  const capAt = rotation.capAt ?? capOf(situation, rotation)
  return automaticPlan(rotation, {
    next: { ...rotation, capAt, previousSecretExpiresAt: capAt, heldAt: now },
    note: { at: now, what: 'held', actor: null, detail: reason },
  })
}

/** The receiver takes the new secret: the window ends when it was to end, or now. */
export function planReleaseHold(situation: RotationSituation, rotation: Rotation): RotationPlan {
  const { now } = situation
  const next = withEnd(situation, { ...rotation, heldAt: null }, {})
  const expiresAt = Math.max(next.previousSecretExpiresAt ?? now, now)
  return automaticPlan(rotation, {
    next: { ...next, previousSecretExpiresAt: expiresAt },
    note: { at: now, what: 'released', actor: null, detail: 'The receiver takes the new secret.' },
  })
}

/** The secret was claimed: the overlap begins. */
export function planClaimed(situation: RotationSituation, rotation: Rotation): RotationPlan {
  const { now, answeredAt } = situation
  const seconds = rotation.unclaimedWindowSeconds
  const isStaged = rotationState(rotation, now).status === 'staged'
  const startsAt = isStaged ? Math.max(rotation.activatesAt, answeredAt) : answeredAt
  const windowEndsAt = seconds === null ? rotation.windowEndsAt : startsAt + seconds * 1000
  const next = withEnd(situation, { ...rotation, windowEndsAt, unclaimedWindowSeconds: null }, {})
  return automaticPlan(rotation, {
    next,
    note: { at: now, what: 'claimed', actor: null, detail: null },
  })
}

function automaticPlan(
  rotation: Rotation,
  { next, note }: { next: Rotation; note: TimelineEntry },
): RotationPlan {
  return {
    rotation: { ...next, notes: [...rotation.notes, note] },
    secretChanges: [{ id: rotation.previousSecretId, expiresAt: next.previousSecretExpiresAt }],
    closes: null,
    revokedSecretIds: [],
  }
}

function withCompleteWhen(rotation: Rotation, { completeWhen }: WindowRequest): Rotation {
  return completeWhen === undefined ? rotation : { ...rotation, completeWhen }
}

function withWindow(
  situation: RotationSituation,
  rotation: Rotation,
  request: WindowRequest,
  startsAt: number,
): Rotation {
  const { expireCurrentInSeconds: seconds, previousSecretExpiresAt: endsAt } = request
  if (seconds !== undefined) {
    checkWindow(situation, seconds, 'expire_current_in')
    if (rotation.unclaimedWindowSeconds !== null) {
      return { ...rotation, unclaimedWindowSeconds: seconds }
    }
    return { ...rotation, windowEndsAt: startsAt + seconds * 1000, heldAt: null }
  }
  if (endsAt === undefined) return rotation
  const param = 'previous_secret_expires_at'
  if (endsAt < startsAt) {
    throw invalidField(param, 'The window cannot end in the past, nor before the activation.')
  }
  checkWindow(situation, (endsAt - startsAt) / 1000, param)
  if (waitsForProofOrClaim(rotation)) return { ...rotation, capAt: endsAt, heldAt: null }
  return { ...rotation, windowEndsAt: endsAt, heldAt: null }
}

/** Sets the hard end and when the previous secret stops, from everything else. */
function withEnd(
  situation: RotationSituation,
  rotation: Rotation,
  request: Partial<WindowRequest>,
): Rotation {
  if (waitsForProofOrClaim(rotation) || rotation.heldAt !== null) {
    const isCapGiven = request.previousSecretExpiresAt !== undefined
    const capAt = rotation.capAt ?? capOf(situation, rotation)
    // A hard end that was not asked for gives way to the window; one that was stands.
    const endsAt = isCapGiven ? capAt : Math.max(capAt, rotation.windowEndsAt ?? 0)
    return { ...rotation, capAt: endsAt, previousSecretExpiresAt: endsAt }
  }
  const { windowEndsAt } = rotation
  const { answeredAt } = situation
  const isPast = windowEndsAt !== null && windowEndsAt <= answeredAt
  // A window that is given beside it, be it 0, says when the previous secret is to stop.
  if (isPast && request.completeWhen === 'expiry' && !isWindowGiven(request)) {
    throw invalidField(
      'complete_when',
      'The window has passed, so the previous secret would stop at once. Give expire_current_in beside it, or complete the rotation.',
    )
  }
  return { ...rotation, capAt: null, previousSecretExpiresAt: windowEndsAt }
}

function isWindowGiven(request: Partial<WindowRequest>): boolean {
  const { expireCurrentInSeconds, previousSecretExpiresAt } = request
  return expireCurrentInSeconds !== undefined || previousSecretExpiresAt !== undefined
}

function waitsForProofOrClaim({ completeWhen, unclaimedWindowSeconds }: Rotation): boolean {
  return completeWhen === 'verified' || unclaimedWindowSeconds !== null
}

function capOf({ capMs }: RotationSituation, rotation: Rotation): number {
  return Math.max(rotation.activatesAt + capMs, rotation.windowEndsAt ?? 0)
}

function notesOf(
  before: Rotation,
  after: Rotation,
  request: WindowRequest,
  now: number,
): TimelineEntry[] {
  const { actor } = request
  const notes: TimelineEntry[] = []
  const note = (what: string, detail: string) => notes.push({ at: now, what, actor, detail })
  if (before.completeWhen !== after.completeWhen) {
    note('updated', `completes when ${after.completeWhen}`)
  }
  if (before.heldAt !== null && after.heldAt === null) note('released', 'by a new window')
  const [was, is] = [before.previousSecretExpiresAt ?? 0, after.previousSecretExpiresAt ?? 0]
  if (was !== is || isWindowGiven(request)) {
    const until = new Date(is).toISOString()
    note(is >= was ? 'extended' : 'shortened', `previous secret signs until ${until}`)
  }
  return notes
}
