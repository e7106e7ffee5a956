import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { apiLimits } from './api-limits.ts'

/** What is left to one key after a request. */
export interface Quota {
  isAllowed: boolean
  /** Most requests at once: the burst. */
  limit: number
  remaining: number
  /** When nothing will be used up any more, if nothing more is asked; milliseconds since the epoch. */
  resetAt: number
  /** How long the whole burst takes to come back. */
  windowMs: number
  /** When the next request may come; 0 where one may come now. */
  retryAfterMs: number
}

export interface RateLimiter {
  /** Counts one request of a key; at once where nothing has to be asked for. */
  take(keyId: string): Quota | Promise<Quota>
}

/**
 * A token bucket for each key: `burst` requests at once, filled up again by `perSecond`. Kept in
 * this process's memory, so a restart begins anew.
 */
export function createRateLimiter(options: { perSecond: number; burst: number; clock: Clock }): {
  take(keyId: string): Quota
} {
  const { perSecond, burst, clock } = options
  const buckets = new Map<string, { tokens: number; at: number }>()
  const windowMs = Math.ceil((burst / perSecond) * 1000)

  const bucketOf = (keyId: string, at: number) => {
    const known = buckets.get(keyId)
    if (known !== undefined) return known
    const [oldest] = buckets.keys()
    if (buckets.size >= apiLimits.cachedKeysMax && oldest !== undefined) buckets.delete(oldest)
    const bucket = { tokens: burst, at }
    buckets.set(keyId, bucket)
    return bucket
  }

  return {
    take(keyId) {
      const at = clock.monotonic()
      const bucket = bucketOf(keyId, at)
      bucket.tokens = Math.min(burst, bucket.tokens + ((at - bucket.at) * perSecond) / 1000)
      bucket.at = at
      const isAllowed = bucket.tokens >= 1
      if (isAllowed) bucket.tokens -= 1
      const missing = burst - bucket.tokens
      return {
        isAllowed,
        limit: burst,
        remaining: Math.floor(bucket.tokens),
        resetAt: clock.now() + Math.ceil((missing / perSecond) * 1000),
        windowMs,
        retryAfterMs: Math.max(0, Math.ceil(((1 - bucket.tokens) / perSecond) * 1000)),
      }
    },
  }
}

export function rateLimitExceeded({ limit, windowMs, retryAfterMs }: Quota): AppError {
  return new AppError('rate_limit_exceeded', {
    detail: `This key may make ${limit} requests in ${windowMs / 1000} seconds. Try again in ${secondsOf(retryAfterMs)} s.`,
    retryAfterSeconds: secondsOf(retryAfterMs),
  })
}

/** `X-RateLimit-Limit`, `-Remaining` and `-Reset` in Unix seconds: the native names, and others'. */
export function unixRateLimitHeaders({ limit, remaining, resetAt }: Quota) {
  return {
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': String(secondsOf(resetAt)),
  }
}

function secondsOf(ms: number): number {
  return Math.ceil(ms / 1000)
}
