import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import type { Cluster } from '../storage/storage.ts'
import { apiLimits } from './api-limits.ts'
import { networkOf } from './network-of.ts'

/** Bounds how often one address may come with credentials that are not right. */
export interface FailedAttempts {
  /** Throws `rate_limit_exceeded` where an address has failed too often to be asked about now. */
  refuseWhereTooMany(address: string): void
  /** Resolves when it is counted. */
  count(address: string): Promise<void>
}

/**
 * A token bucket for each address; only failures take from it. Who fails too often is refused before
 * the store is asked, so that guessing costs no one else anything. A credential that is known
 * already never comes here: whoever shares an address with a guesser goes on working.
 *
 * Nodes on one store share the bucket: each learns that it is empty from its own next failure, so
 * together they ask the store at most once each more than one process would.
 */
export function createFailedAttempts(
  clock: Pick<Clock, 'monotonic'>,
  cluster: Pick<Cluster, 'takeTokens'> | null,
): FailedAttempts {
  const buckets = new Map<string, { tokens: number; at: number }>()
  const { failedAttemptsBurst: burst, failedAttemptsPerSecond: perSecond } = apiLimits

  const tokensOf = (key: string, now: number): number => {
    const bucket = buckets.get(key)
    if (bucket === undefined) return burst
    return Math.min(burst, bucket.tokens + ((now - bucket.at) * perSecond) / 1000)
  }

  return {
    refuseWhereTooMany(address) {
      const tokens = tokensOf(networkOf(address), clock.monotonic())
      if (tokens >= 1) return
      throw new AppError('rate_limit_exceeded', {
        detail: 'Too many attempts with credentials that are not right came from this address.',
        retryAfterSeconds: Math.ceil((1 - tokens) / perSecond),
      })
    },

    async count(address) {
      const key = networkOf(address)
      const now = clock.monotonic()
      const tokens = tokensOf(key, now)
      // Taken out and put back, so that the first of the map is the one that failed longest ago.
      buckets.delete(key)
      const [oldest] = buckets.keys()
      if (buckets.size >= apiLimits.failedAddressesMax && oldest !== undefined) {
        buckets.delete(oldest)
      }
      buckets.set(key, { tokens: Math.max(0, tokens - 1), at: now })
      const shared = await cluster?.takeTokens(`failures ${key}`, { burst, perSecond }, 1)
      if (shared !== undefined) buckets.set(key, { tokens: shared.left, at: clock.monotonic() })
    },
  }
}
