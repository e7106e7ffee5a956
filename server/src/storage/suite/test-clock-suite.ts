import type { Clock } from '../../core/clock.ts'

/** A clock that stands still until it is moved. */
export interface TestClock extends Clock {
  advance(ms: number): void
}

export function createTestClock(startAt = Date.parse('2026-11-21T12:00:00.000Z')): TestClock {
  let elapsedMs = 0
  return {
    now: () => startAt + elapsedMs,
    monotonic: () => elapsedMs,
    advance(ms) {
      elapsedMs += ms
    },
  }
}
