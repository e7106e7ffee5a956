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

export function createFailingEndpoints(): FailingEndpoints {
  const failuresInARow = new Map<string, number>()
  const failingIds = new Set<string>()

  const forget = (endpointId: string) => {
    failuresInARow.delete(endpointId)
    failingIds.delete(endpointId)
  }

  return {
    note(endpointId, succeeded) {
      if (succeeded) {
        if (failuresInARow.size > 0) forget(endpointId)
        return
      }
      const count = (failuresInARow.get(endpointId) ?? 0) + 1
      // Those that were tried last come last.
      failuresInARow.delete(endpointId)
      failuresInARow.set(endpointId, count)
      if (count >= FAILURES_TOLERATED) failingIds.add(endpointId)
      if (failuresInARow.size <= limits.senderEndpointsMax) return
      const oldest = failuresInARow.keys().next().value
      if (oldest !== undefined) forget(oldest)
    },
    pace() {
      if (failingIds.size === 0) return undefined
      const perSecond = failingPerSecond(failingIds.size)
      const perEndpointMax = Math.max(1, Math.floor((perSecond * stepMs) / 1_000))
      return {
        endpointIds: failingIds,
        perEndpointMax,
        holdMs: (perEndpointMax / perSecond) * 1_000,
      }
    },
  }
}
