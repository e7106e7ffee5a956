import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Calls `publish` at a steady rate until the time is over or `signal` is aborted; resolves when
 * every call is answered. Throws what the first failed call threw.
 */
export async function publishSteadily(options: {
  publish: () => Promise<void>
  ratePerSecond: number
  durationMs: number
  monotonic: () => number
  signal: AbortSignal
}): Promise<void> {
  const { publish, ratePerSecond, durationMs, monotonic, signal } = options
  const startedAt = monotonic()
  const inFlight = new Set<Promise<void>>()
  const failures: unknown[] = []
  let count = 0

  while (failures.length === 0 && !signal.aborted) {
    const elapsedMs = monotonic() - startedAt
    if (elapsedMs >= durationMs) break
    // What is due by now, not one a tick: timers are late, and a busy machine later still.
    const due = Math.floor((elapsedMs * ratePerSecond) / 1000)
    while (count < due && inFlight.size < inFlightMax) {
      count += 1
      const call = publish()
        .catch((error: unknown) => void failures.push(error))
        .finally(() => inFlight.delete(call))
      inFlight.add(call)
    }
    await sleep(tickMs)
  }
  await Promise.all(inFlight)
  if (failures.length > 0) throw failures[0]
}

const tickMs = 10
/** A server that falls behind is not buried in requests. */
const inFlightMax = 64
