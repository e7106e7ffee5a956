import { ApiError, ConnectionError } from './errors.ts'

/** First delay of the backoff; each further one is twice as long. */
const backoffBaseMs = 250
/** Longest delay of the backoff. */
const backoffMaxMs = 8_000
/** A server that asks for a longer wait is not waited for: the caller gets the error instead. */
const retryAfterMaxMs = 60_000
/** Largest share by which a wait that the server asked for is drawn out. */
const retryAfterSpread = 0.1

/**
 * How long to wait before trying again, in milliseconds, or null where another try is pointless.
 *
 * @param retries how many retries were made already.
 * @param random a number in [0, 1); spreads clients that failed at the same moment.
 */
export function retryDelayMs(error: unknown, retries: number, random: number): number | null {
  if (error instanceof ApiError) {
    if (!isWorthRetrying(error)) return null
    if (error.retryAfterMs !== null) {
      if (error.retryAfterMs > retryAfterMaxMs) return null
      // Never earlier than asked, and not all clients at the same instant.
      return Math.round(error.retryAfterMs * (1 + random * retryAfterSpread))
    }
  } else if (!(error instanceof ConnectionError)) {
    return null
  }
  const backoffMs = Math.min(backoffMaxMs, backoffBaseMs * 2 ** retries)
  return Math.round(backoffMs * (0.5 + random / 2))
}

/**
 * The wait that a `Retry-After` header asks for, in milliseconds (RFC 9110 section 10.2.3:
 * seconds or a date), or null where it is absent or says nothing.
 */
export function parseRetryAfterMs(header: string | null, now: Date): number | null {
  if (header === null) return null
  const text = header.trim()
  if (/^\d+$/.test(text)) return Number(text) * 1_000
  const at = Date.parse(text)
  return Number.isNaN(at) ? null : Math.max(0, at - now.getTime())
}

function isWorthRetrying({ status, code }: ApiError): boolean {
  if (status === 408 || status === 429 || status >= 500) return true
  // The first request under this Idempotency-Key is still running; its answer comes soon.
  return status === 409 && code === 'idempotency_in_flight'
}
