import type { Actor } from './authorization.ts'
import type { Spike } from './health.ts'
import type { RotationEvidence } from './rotation-evidence.ts'
import { type ActivationTimes, hasActivated, isSecretExpired, type SecretTimes } from './secret.ts'

export type RotationStatus = 'staged' | 'overlapping' | 'held' | 'completed' | 'cancelled'
export type CompletedBy = 'expiry' | 'verified' | 'manual' | 'force' | 'cut' | 'cap'

/** `verified`: the previous secret is retired when the receiver has proved that it takes the new one. */
export const completeWhenValues = ['expiry', 'verified'] as const
export type CompleteWhen = (typeof completeWhenValues)[number]

/**
 * What somebody should look at: the receiver takes each secret but not two signatures at once; the
 * window has passed without proof; whoever should have claimed the secret says that somebody else did.
 */
export const attentionValues = ['cannot_parse_two', 'not_verified', 'claim_disputed'] as const
export type Attention = (typeof attentionValues)[number]

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

/** What the server keeps in mind of an open rotation between two looks at it. */
export interface RotationWatch {
  /** When to look next; null: nothing is to be looked at. */
  nextAt: number | null
  lookedAt: number | null
  /** Looks in a row that brought nothing new: the next ones come later and later. */
  looks: number
  /** A run of refused signatures that waits for its explanation. */
  spike: Spike | null
}

/** How often a receiver reported one secret. */
export interface ReportedSecret {
  secretId: string
  count: number
  lastAt: number
}

/** The replacing of one secret by the next, as a resource. */
export interface Rotation extends ActivationTimes {
  id: string
  projectId: string
  endpointId: string
  previousSecretId: string
  newSecretId: string
  /** When the previous secret stops signing at the latest; null where it was cut at once. */
  previousSecretExpiresAt: number | null
  /**
   * When the window was asked to end; null where it was cut, or waits for a claim. The previous
   * secret signs beyond it while the rotation is held, or is to be verified and is not.
   */
  windowEndsAt: number | null
  /** Seconds of overlap that begin when the secret is claimed; null where it was, or need not be. */
  unclaimedWindowSeconds: number | null
  /** Mirrors the latch of the previous secret: once seen expired, the window is over for good. */
  previousSecretExpirySeenAt: number | null
  completeWhen: CompleteWhen
  /** The hard end of a window that has no other; null where `windowEndsAt` is the end. */
  capAt: number | null
  /** Since when the expiry is put off because the receiver does not take the new secret. */
  heldAt: number | null
  attention: Attention | null
  evidence: RotationEvidence | null
  /** What the receiver said it verified with, of deliveries that carried several signatures. */
  reported: ReportedSecret[]
  watch: RotationWatch
  /** The campaign that made it. */
  campaignId: string | null
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
    const isCapped = rotation.capAt !== null && expiresAt === rotation.capAt
    const completedBy = isCut ? 'cut' : isCapped ? 'cap' : 'expiry'
    return { status: 'completed', completedBy, closedAt: expiresAt }
  }
  if (!hasActivated(rotation, now)) return { status: 'staged', completedBy: null, closedAt: null }
  const status = rotation.heldAt === null ? 'overlapping' : 'held'
  return { status, completedBy: null, closedAt: null }
}

export function isRotationOpen(rotation: Rotation, now: number): boolean {
  const { status } = rotationState(rotation, now)
  return status === 'staged' || status === 'overlapping' || status === 'held'
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
