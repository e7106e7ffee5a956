import type { Clock } from './clock.ts'
import { AppError } from './errors.ts'
import { limits } from './limits.ts'

/**
 * How many probes, tests and pings may be sent (rotation.md section 5): counted over the last 60
 * seconds, exactly, for the endpoint and for the project. Kept in memory: a restart begins anew.
 */
export interface ProbeLimiter {
  /** Counts one request; false where none may be sent now. */
  take(projectId: string, endpointId: string): boolean
  /** Throws `rate_limit_exceeded` unless `count` more may be sent now; counts nothing. */
  require(projectId: string, endpointId: string, count: number): void
  /** When `count` more may be sent, on the monotonic clock from now; 0: now. */
  waitMs(projectId: string, endpointId: string, count: number): number
}

const minuteMs = 60_000
/** Endpoints and projects that are remembered; those that are quiet are forgotten first. */
const knownMax = 20_000

export function createProbeLimiter(clock: Pick<Clock, 'monotonic'>): ProbeLimiter {
  const sent = new Map<string, number[]>()

  const recent = (id: string): number[] => {
    const since = clock.monotonic() - minuteMs
    return (sent.get(id) ?? []).filter((at) => at > since)
  }
  const waitOf = (id: string, max: number, count: number): number => {
    const times = recent(id)
    const tooMany = times.length + count - max
    if (tooMany <= 0) return 0
    // When the oldest of them, as many as stand in the way, are a minute old.
    return (times[Math.min(tooMany, times.length) - 1] ?? 0) + minuteMs - clock.monotonic()
  }
  const waitMs = (projectId: string, endpointId: string, count: number) =>
    Math.max(
      waitOf(endpointId, limits.probesPerEndpointMinute, count),
      waitOf(projectId, limits.probesPerProjectMinute, count),
    )
  const note = (id: string) => {
    const times = recent(id)
    sent.delete(id)
    sent.set(id, [...times, clock.monotonic()])
  }
  const forgetOldest = () => {
    for (const id of sent.keys()) {
      if (sent.size <= knownMax) return
      sent.delete(id)
    }
  }

  return {
    waitMs,
    take(projectId, endpointId) {
      if (waitMs(projectId, endpointId, 1) > 0) return false
      note(projectId)
      note(endpointId)
      forgetOldest()
      return true
    },
    require(projectId, endpointId, count) {
      const wait = waitMs(projectId, endpointId, count)
      if (wait <= 0) return
      const retryAfterSeconds = Math.ceil(wait / 1000)
      throw new AppError('rate_limit_exceeded', {
        detail: `Probes, tests and pings together: at most ${limits.probesPerEndpointMinute} a minute to one endpoint and ${limits.probesPerProjectMinute} in one project. Try again in ${retryAfterSeconds} s.`,
        retryAfterSeconds,
      })
    },
  }
}
