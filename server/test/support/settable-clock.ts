import { createClock, type SystemClock } from '../../src/clock.ts'

/** The real clock of a process, on a machine whose wall clock a test can set. */
export interface SettableClock {
  clock: SystemClock
  /** Sets the machine's wall clock ahead (or back). The process finds out when it looks. */
  setWallClock(byMs: number): void
}

export function createSettableClock(): SettableClock {
  const real = createClock()
  let aheadMs = 0
  const wallDrift = () => real.wallDrift() + aheadMs
  return {
    clock: {
      ...real,
      wallDrift,
      adjust: (byMs = wallDrift()) => real.adjust(byMs),
    },
    setWallClock(byMs) {
      aheadMs += byMs
    },
  }
}
