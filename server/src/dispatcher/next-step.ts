import { nextRetryAt } from '../core/retry-schedule.ts'
import type { AttemptResult, ClaimedDelivery } from '../storage/storage.ts'
import type { Verdict } from './sender-messages.ts'

/** What the store is to make of a delivery after its verdict; null: it goes back unattempted. */
export function nextStep(
  delivery: Pick<ClaimedDelivery, 'seriesAttemptCount' | 'isTest'>,
  verdict: Verdict,
  options: { now: number; retryScheduleMs: readonly number[]; randomFraction: number },
): AttemptResult['next'] | null {
  const { now } = options
  switch (verdict.kind) {
    case 'released':
      return null
    case 'skipped':
      return { status: 'skipped', at: now }
    case 'endpoint_deleted':
      return { status: 'failed', reason: 'endpoint_deleted', at: now }
    case 'attempted': {
      if (verdict.succeeded) return { status: 'delivered', at: now }
      if (verdict.isGone) return { status: 'failed', reason: 'gone', at: now }
      if (verdict.isRefusedForGood) return { status: 'failed', reason: 'refused', at: now }
      if (delivery.isTest) return { status: 'failed', reason: 'exhausted', at: now }
      const dueAt = nextRetryAt({
        scheduleMs: options.retryScheduleMs,
        seriesAttemptCount: delivery.seriesAttemptCount + 1,
        now,
        retryAfterMs: verdict.retryAfterMs,
        randomFraction: options.randomFraction,
      })
      return dueAt === null
        ? { status: 'failed', reason: 'exhausted', at: now }
        : { status: 'pending', dueAt }
    }
  }
}
