import { isRotationOpen, type Rotation, type RotationWatch, rotationState } from './rotation.ts'
import { isProven } from './rotation-evidence.ts'

/* When to look at an open rotation, and what a look means (rotation.md section 5). Pure. */

/** The watch of a new rotation. */
export const unwatched: Readonly<RotationWatch> = {
  nextAt: null,
  lookedAt: null,
  looks: 0,
  spike: null,
}

const firstDelayMs = 15_000
const delayMsMax = 15 * 60_000
const lastHourMs = 3_600_000
/** Shorter windows are not looked at in their last hour. */
const windowMsMin = 2 * 3_600_000
/** A hold ends at the earliest so long after the last refused signature. */
export const QUIET_MS = 15 * 60_000

/** What a look at a rotation must know of its endpoint. */
export interface WatchFacts {
  now: number
  /** The endpoint is signed to, in a format that has a probe. */
  canProbe: boolean
  /** The project wants probes in every window. */
  autoProbe: boolean
  /** When a real delivery was last refused with 401 or 403. */
  lastRejectionAt: number | null
}

/** True where probes may be sent without being asked for. */
export function mayProbe({ completeWhen }: Rotation, facts: WatchFacts): boolean {
  return facts.canProbe && (completeWhen === 'verified' || facts.autoProbe)
}

/** From one look to the next, after so many: 15 s, doubled up to 15 min. */
export function lookDelayMs(looks: number): number {
  return Math.min(firstDelayMs * 2 ** Math.min(Math.max(looks - 1, 0), 10), delayMsMax)
}

/** When to look at the rotation next; null: never. */
export function nextLookAt(rotation: Rotation, facts: WatchFacts): number | null {
  const { now } = facts
  if (!isRotationOpen(rotation, now)) return null
  const times = [spikeLookAt(rotation, now), holdLookAt(rotation, facts), warningAt(rotation)]
  if (mayProbe(rotation, facts)) times.push(proofLookAt(rotation, now), lastHourLookAt(rotation))
  const known = times.filter((at) => at !== null)
  return known.length === 0 ? null : Math.max(Math.min(...known), rotation.activatesAt)
}

export function isInLastHour(rotation: Rotation, now: number): boolean {
  const { windowEndsAt } = rotation
  return isLongWindow(rotation) && windowEndsAt !== null && now >= windowEndsAt - lastHourMs
}

/** True once the receiver has shown that it takes the new secret and refuses no real delivery. */
export function isHoldOver(rotation: Rotation, facts: WatchFacts): boolean {
  const { heldAt, evidence } = rotation
  if (heldAt === null) return false
  const drill = evidence?.latest
  const quietSince = Math.max(heldAt, facts.lastRejectionAt ?? 0)
  const isTaken = drill?.probes.new_only?.verdict === 'pass'
  return isTaken && drill.at >= (facts.lastRejectionAt ?? 0) && facts.now >= quietSince + QUIET_MS
}

function spikeLookAt({ watch }: Rotation, now: number): number | null {
  if (watch.spike === null) return null
  return watch.lookedAt === null ? now : Math.max(now, watch.lookedAt + firstDelayMs)
}

function proofLookAt(rotation: Rotation, now: number): number | null {
  const { completeWhen, watch } = rotation
  const waits = completeWhen === 'verified' || rotation.heldAt !== null
  if (!waits) return null
  return watch.lookedAt === null ? now : watch.lookedAt + lookDelayMs(watch.looks)
}

function holdLookAt(rotation: Rotation, facts: WatchFacts): number | null {
  const { heldAt, evidence } = rotation
  if (heldAt === null || evidence?.latest.probes.new_only?.verdict !== 'pass') return null
  if (evidence.latest.at < (facts.lastRejectionAt ?? 0)) return null
  return Math.max(facts.now, Math.max(heldAt, facts.lastRejectionAt ?? 0) + QUIET_MS)
}

function warningAt({ completeWhen, attention, evidence, windowEndsAt }: Rotation): number | null {
  const isWarned = attention !== null || isProven(evidence)
  return completeWhen === 'verified' && !isWarned ? windowEndsAt : null
}

function lastHourLookAt(rotation: Rotation): number | null {
  const { windowEndsAt, watch, heldAt } = rotation
  if (windowEndsAt === null || heldAt !== null || !isLongWindow(rotation)) return null
  const beginsAt = windowEndsAt - lastHourMs
  const at = watch.lookedAt === null ? beginsAt : Math.max(beginsAt, watch.lookedAt + delayMsMax)
  return at < windowEndsAt ? at : null
}

function isLongWindow({ windowEndsAt, activatesAt }: Rotation): boolean {
  return windowEndsAt !== null && windowEndsAt - activatesAt >= windowMsMin
}

/** True while the previous secret would stop by itself: what a hold puts off. */
export function canBeHeld(rotation: Rotation, now: number): boolean {
  return (
    rotation.unclaimedWindowSeconds === null &&
    rotationState(rotation, now).status === 'overlapping'
  )
}
