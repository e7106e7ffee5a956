import type { Clock } from './core/clock.ts'

/**
 * The process's clock. Its offset lies in shared memory, so that every thread of the process
 * follows the same time and a correction reaches all of them at once.
 */
export interface SystemClock extends Clock {
  /** Hand this to a thread, which opens the same clock with `openClock`. */
  readonly shared: SharedArrayBuffer
  /** Milliseconds by which the machine's wall clock is ahead of this clock. */
  wallDrift(): number
  /** Moves this clock; with no argument, to the machine's wall clock. */
  adjust(byMs?: number): void
}

/** A clock that starts at the machine's wall clock and is advanced by the monotonic clock. */
export function createClock(): SystemClock {
  const shared = new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT)
  const clock = openClock(shared)
  clock.adjust()
  return clock
}

/** The same clock, in another thread. */
export function openClock(shared: SharedArrayBuffer): SystemClock {
  const offset = new Float64Array(shared)
  // hrtime has one origin for all threads of a process, performance.now() one per thread; but that
  // is five times cheaper, and it is asked several times an event.
  const [seconds, nanoseconds] = process.hrtime()
  const origin = seconds * 1000 + nanoseconds / 1e6 - performance.now()
  const monotonic = () => origin + performance.now()
  const wallDrift = () => Date.now() - (monotonic() + (offset[0] ?? 0))
  return {
    shared,
    monotonic,
    now: () => Math.floor(monotonic() + (offset[0] ?? 0)),
    wallDrift,
    adjust(byMs = wallDrift()) {
      offset[0] = (offset[0] ?? 0) + byMs
    },
  }
}
