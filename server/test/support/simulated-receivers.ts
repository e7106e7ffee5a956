import type { SimulatedReceiver } from './simulated-delivery.ts'

/** Takes all there is. */
export function takesAll(afterMs = 20): SimulatedReceiver {
  return () => ({ statusCode: 204, afterMs })
}

/** Takes so many a second, evenly and a second's worth at once, and answers 429 to what is more. */
export function takesAtMost(
  perSecond: number,
  { retryAfterSeconds, afterMs = 20 }: { retryAfterSeconds?: number; afterMs?: number } = {},
): SimulatedReceiver {
  const most = Math.max(1, perSecond)
  let [tokens, filledAt] = [most, 0]
  const refusal = retryAfterSeconds === undefined ? {} : { retryAfterSeconds }
  return (elapsedMs) => {
    tokens = Math.min(most, tokens + ((elapsedMs - filledAt) * perSecond) / 1000)
    filledAt = elapsedMs
    if (tokens < 1) return { statusCode: 429, afterMs: 5, ...refusal }
    tokens -= 1
    return { statusCode: 204, afterMs }
  }
}

/**
 * Works on so many at a time and lets the others wait; a gateway before it answers 504 to what would
 * wait for longer than it has patience.
 */
export function worksSlowly(options: {
  workers: number
  afterMs: number
  patienceMs: number
}): SimulatedReceiver {
  const freeAt = Array.from({ length: options.workers }, () => 0)
  return (elapsedMs) => {
    const earliest = Math.min(...freeAt)
    const startsAt = Math.max(elapsedMs, earliest)
    if (startsAt - elapsedMs > options.patienceMs) {
      return { statusCode: 504, afterMs: options.patienceMs }
    }
    freeAt[freeAt.indexOf(earliest)] = startsAt + options.afterMs
    return { statusCode: 204, afterMs: startsAt - elapsedMs + options.afterMs }
  }
}

/** Refuses the connection, or lets it hang until the attempt's timeout. */
export function isDead(how: 'refuses' | 'hangs'): SimulatedReceiver {
  return () => ({ statusCode: null, afterMs: how === 'refuses' ? 1 : Number.POSITIVE_INFINITY })
}

/** The same answer to everything. */
export function answers(statusCode: number, retryAfterSeconds?: number): SimulatedReceiver {
  return () => ({
    statusCode,
    afterMs: 5,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  })
}

/** One after the other, each for its time; the last one for good. */
export function inTurn(
  phases: readonly { forMs: number; receiver: SimulatedReceiver }[],
): SimulatedReceiver {
  return (elapsedMs) => {
    let endsAt = 0
    for (const { forMs, receiver } of phases) {
      endsAt += forMs
      if (elapsedMs < endsAt) return receiver(elapsedMs)
    }
    return phases[phases.length - 1]?.receiver(elapsedMs) ?? { statusCode: 204, afterMs: 20 }
  }
}

/** Now the one, now the other. */
export function flaps(
  everyMs: number,
  up: SimulatedReceiver,
  down: SimulatedReceiver,
): SimulatedReceiver {
  return (elapsedMs) => (Math.floor(elapsedMs / everyMs) % 2 === 0 ? up : down)(elapsedMs)
}
