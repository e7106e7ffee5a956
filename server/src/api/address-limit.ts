import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { apiLimits } from './api-limits.ts'
import { networkOf } from './network-of.ts'

/** Bounds how often one address may ask for something that needs no key. */
export interface AddressLimit {
  /** Counts one request; throws `rate_limit_exceeded` where the address has asked too often. */
  take(address: string): void
}

/** A token bucket for each address; of too many, the one that asked longest ago is forgotten. */
export function createAddressLimit(options: {
  burst: number
  perSecond: number
  clock: Pick<Clock, 'monotonic'>
}): AddressLimit {
  const { burst, perSecond, clock } = options
  const buckets = new Map<string, { tokens: number; at: number }>()

  return {
    take(address) {
      const key = networkOf(address)
      const now = clock.monotonic()
      const { tokens, at } = buckets.get(key) ?? { tokens: burst, at: now }
      const left = Math.min(burst, tokens + ((now - at) * perSecond) / 1000)
      // Taken out and put back, so that the first of the map is the one that asked longest ago.
      buckets.delete(key)
      const [oldest] = buckets.keys()
      if (buckets.size >= apiLimits.limitedAddressesMax && oldest !== undefined) {
        buckets.delete(oldest)
      }
      buckets.set(key, { tokens: left < 1 ? left : left - 1, at: now })
      if (left >= 1) return
      throw new AppError('rate_limit_exceeded', {
        detail: 'Too many requests came from this address.',
        retryAfterSeconds: Math.ceil((1 - left) / perSecond),
      })
    },
  }
}
