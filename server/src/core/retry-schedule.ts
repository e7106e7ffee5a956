import { RETRY_AFTER_MAX_MS } from './retry-after.ts'

/** Delays after the first attempt: 5 s, 5 min, 30 min, 2, 5, 10, 14, 20 and 24 h (api.md). */
export const DEFAULT_RETRY_SCHEDULE_MS: readonly number[] = [
  5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000, 86_400_000,
]

/** The most that is added to a delay, as a share of it, so that what failed together spreads out. */
export const JITTER_SHARE_MAX = 0.2

export interface FailedAttempt {
  /** Delays in milliseconds: the first between attempts one and two, and so on. */
  scheduleMs: readonly number[]
  /** Attempts of this series, the failed one included. Manual retry and recover begin a series. */
  seriesAttemptCount: number
  now: number
  /** What the receiver asked for (`retryAfterOf`), or null. */
  retryAfterMs: number | null
  /** From 0 to 1: how much of the jitter is added. */
  randomFraction: number
}

/**
 * When to try again after a failed attempt; null when the schedule is exhausted (delivery.md, Retry).
 * Jitter is added, never subtracted. `Retry-After` can only delay further, and by at most 24 h.
 */
export function nextRetryAt(failed: FailedAttempt): number | null {
  const delayMs = failed.scheduleMs[failed.seriesAttemptCount - 1]
  if (delayMs === undefined) return null
  const jitterMs = Math.round(delayMs * JITTER_SHARE_MAX * failed.randomFraction)
  const askedMs = Math.min(failed.retryAfterMs ?? 0, RETRY_AFTER_MAX_MS)
  return failed.now + Math.max(delayMs + jitterMs, Math.ceil(askedMs))
}
