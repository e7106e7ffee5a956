import type { Clock } from '../core/clock.ts'
import { limits } from '../core/limits.ts'
import { FAILURES_TOLERATED, failingPerSecond } from '../core/send-rate.ts'
import type { ClaimPace } from '../storage/storage.ts'

/**
 * Which endpoints only fail, so that what they have waiting is brought from the store no faster than
 * it is worth: whoever answers at once with a failure would otherwise take the more of this process
 * the more of them there are.
 */
export interface FailingEndpoints {
  /** One attempt has ended. */
  note(endpointId: string, succeeded: boolean): void
  /** How claims are to hold them back; undefined where there are none. */
  pace(): ClaimPace | undefined
}

/** How far ahead claims bring what may be sent: often enough that nobody notices the steps. */
const stepMs = 250
/**
 * Who was not tried for so long has little that is due, or is gone, and takes nothing from the
 * others' share. Long enough to count ten thousands that are tried in turn.
 */
const countsForMs = 60_000

export function createFailingEndpoints(clock: Pick<Clock, 'monotonic'>): FailingEndpoints {
  // In both, those that were tried last come last.
  const failuresInARow = new Map<string, number>()
  const failedAt = new Map<string, number>()

  const forget = (endpointId: string) => {
    failuresInARow.delete(endpointId)
    failedAt.delete(endpointId)
  }

  return {
    note(endpointId, succeeded) {
      if (succeeded) {
        if (failuresInARow.size > 0) forget(endpointId)
        return
      }
      const count = (failuresInARow.get(endpointId) ?? 0) + 1
      forget(endpointId)
      failuresInARow.set(endpointId, count)
      if (count >= FAILURES_TOLERATED) failedAt.set(endpointId, clock.monotonic())
      if (failuresInARow.size <= limits.senderEndpointsMax) return
      const oldest = failuresInARow.keys().next().value
      if (oldest !== undefined) forget(oldest)
    },
    pace() {
      for (const [endpointId, at] of failedAt) {
        if (clock.monotonic() - at <= countsForMs) break
        failedAt.delete(endpointId)
      }
      if (failedAt.size === 0) return undefined
      const perSecond = failingPerSecond(failedAt.size)
      const perEndpointMax = Math.max(1, Math.floor((perSecond * stepMs) / 1_000))
      const holdMs = (perEndpointMax / perSecond) * 1_000
      return { endpointIds: failedAt, perEndpointMax, holdMs }
    },
  }
}
