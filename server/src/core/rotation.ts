import type { Actor } from './authorization.ts'
import { type ActivationTimes, hasActivated, isSecretExpired, type SecretTimes } from './secret.ts'

export type RotationStatus = 'staged' | 'overlapping' | 'completed' | 'cancelled'
export type CompletedBy = 'expiry' | 'manual' | 'force' | 'cut'

/** How a rotation was ended by an act; one that runs out by itself has none until it is announced. */
export type RotationOutcome =
  | { status: 'completed'; completedBy: CompletedBy; closedAt: number }
  | { status: 'cancelled'; completedBy: null; closedAt: number }

export interface TimelineEntry {
  at: number
  what: string
  actor: Actor | null
  detail: string | null
}

/** The replacing of one secret by the next, as a resource. */
export interface Rotation extends ActivationTimes {
  id: string
  projectId: string
  endpointId: string
  previousSecretId: string
  newSecretId: string
  /** When the previous secret stops signing; null where it was cut at once. */
  previousSecretExpiresAt: number | null
  /** Mirrors the latch of the previous secret: once seen expired, the window is over for good. */
  previousSecretExpirySeenAt: number | null
  completeWhen: 'expiry'
  capAt: number | null
  /** Secrets that had to go because at most `secretsActiveMax` may be live. */
  droppedSecretIds: string[]
  /** The expiries that this rotation overwrote, so that a cancel can put them back. */
  expiriesBefore: Record<string, number | null>
  reason: string | null
  actor: Actor
  /** Acts and remarks that were recorded; what follows from timestamps is added when read. */
  notes: TimelineEntry[]
  outcome: RotationOutcome | null
}

export interface RotationState {
  status: RotationStatus
  completedBy: CompletedBy | null
  closedAt: number | null
}

/** Computed at the moment of asking from the timestamps; no job ever sets it. */
export function rotationState(rotation: Rotation, now: number): RotationState {
  if (rotation.outcome !== null) return rotation.outcome
  const expiresAt = rotation.previousSecretExpiresAt
  const isOver =
    rotation.previousSecretExpirySeenAt !== null || (expiresAt !== null && expiresAt <= now)
  if (isOver) {
    // A staged rotation whose previous secret stops at the instant of activation is a cut.
    const wasStaged = rotation.activatesAt > rotation.createdAt
    const isCut = wasStaged && expiresAt === rotation.activatesAt
    return { status: 'completed', completedBy: isCut ? 'cut' : 'expiry', closedAt: expiresAt }
  }
  if (!hasActivated(rotation, now)) return { status: 'staged', completedBy: null, closedAt: null }
  return { status: 'overlapping', completedBy: null, closedAt: null }
}

export function isRotationOpen(rotation: Rotation, now: number): boolean {
  const { status } = rotationState(rotation, now)
  return status === 'staged' || status === 'overlapping'
}

/** What was recorded and what follows from the timestamps, in order of time. */
export function rotationTimeline(rotation: Rotation, now: number): TimelineEntry[] {
  const state = rotationState(rotation, now)
  const endedAt = state.closedAt ?? Number.POSITIVE_INFINITY
  const hasBegun = hasActivated(rotation, Math.min(now, endedAt))
  // An act, or the announcement of the end, leaves a note of its own.
  const isUntold = rotation.outcome === null && state.completedBy !== null
  const [made, ...later] = rotation.notes
  return [
    ...(made === undefined ? [] : [made]),
    ...(hasBegun ? [byTime(rotation.activatesAt, 'activated', null)] : []),
    ...later,
    ...(isUntold ? [byTime(state.closedAt ?? now, 'completed', state.completedBy)] : []),
  ].sort((a, b) => a.at - b.at)
}

function byTime(at: number, what: string, detail: string | null): TimelineEntry {
  return { at, what, actor: null, detail }
}

/** True while `secret` may still be given a later expiry: nothing expired is revived. */
export function canExtend(secret: SecretTimes, now: number): boolean {
  return secret.revokedAt === null && !isSecretExpired(secret, now)
}
