import type { Clock } from '../core/clock.ts'
import type { Cluster } from '../storage/storage.ts'
import { apiLimits } from './api-limits.ts'
import type { Quota, RateLimiter } from './rate-limit.ts'

/** What this process has of the bucket of a key. */
interface Share {
  /** Taken out of the bucket and not used yet. */
  tokens: number
  /** What the bucket still held when it was last asked, and when that was. */
  left: number
  at: number
  /** There is nothing to be had before; on the monotonic clock. */
  emptyUntil: number
  waitingCount: number
  asking: Promise<void> | null
}

/** What a node takes at a time: as much as comes back in a tenth of a second. */
const portionsPerSecond = 10

/**
 * A token bucket for each key that all nodes share. A node takes tokens out a portion at a time and
 * answers from that without asking, so that all nodes together let through at most what the limit
 * allows and one portion each. A key that has used up its bucket is not asked for before it can hold
 * a token again.
 */
export function createSharedRateLimiter(options: {
  cluster: Pick<Cluster, 'takeTokens'>
  perSecond: number
  burst: number
  clock: Clock
}): RateLimiter {
  const { cluster, perSecond, burst, clock } = options
  const shares = new Map<string, Share>()
  const windowMs = Math.ceil((burst / perSecond) * 1000)
  const portion = Math.min(burst, Math.ceil(perSecond / portionsPerSecond))

  const shareOf = (keyId: string): Share => {
    const known = shares.get(keyId)
    if (known !== undefined) return known
    const [oldest] = shares.keys()
    if (shares.size >= apiLimits.cachedKeysMax && oldest !== undefined) shares.delete(oldest)
    const share = { tokens: 0, left: 0, at: 0, emptyUntil: 0, waitingCount: 0, asking: null }
    shares.set(keyId, share)
    return share
  }
  const ask = async (keyId: string, share: Share) => {
    const wanted = Math.max(portion, share.waitingCount)
    const rule = { burst, perSecond }
    const { taken, left } = await cluster.takeTokens(`key ${keyId}`, rule, wanted)
    const now = clock.monotonic()
    share.tokens += taken
    share.left = left
    share.at = now
    if (taken === 0) share.emptyUntil = now + ((1 - left) / perSecond) * 1000
  }
  const askTogether = async (keyId: string, share: Share) => {
    share.waitingCount += 1
    try {
      share.asking ??= ask(keyId, share).finally(() => {
        share.asking = null
      })
      await share.asking
    } finally {
      share.waitingCount -= 1
    }
  }

  /** Null where the bucket has to be asked. */
  const spend = (share: Share): Quota | null => {
    const now = clock.monotonic()
    const isAllowed = share.tokens >= 1
    if (!isAllowed && share.emptyUntil <= now) return null
    if (isAllowed) share.tokens -= 1
    const filled = Math.min(burst, share.left + ((now - share.at) * perSecond) / 1000)
    const remaining = Math.min(burst, Math.floor(filled + share.tokens))
    return {
      isAllowed,
      limit: burst,
      remaining,
      resetAt: clock.now() + Math.ceil(((burst - remaining) / perSecond) * 1000),
      windowMs,
      retryAfterMs: isAllowed ? 0 : Math.ceil(share.emptyUntil - now),
    }
  }
  const spendAsked = async (keyId: string, share: Share): Promise<Quota> => {
    for (;;) {
      await askTogether(keyId, share)
      const quota = spend(share)
      if (quota !== null) return quota
    }
  }

  return {
    take(keyId) {
      const share = shareOf(keyId)
      return spend(share) ?? spendAsked(keyId, share)
    },
  }
}
