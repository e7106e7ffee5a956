import assert from 'node:assert'

/** An armed deadline: only a handle to give back to `disarm`. */
export interface Deadline {
  readonly onExpired: () => void
  dueTick: number
  previous: Deadline | null
  next: Deadline | null
}

export interface DeadlineWheel {
  /**
   * Calls `onExpired` once, never before `delayMs` have passed and about one tick later at most
   * while the event loop is free. `onExpired` must not throw. `nowMs`: for who has just read the
   * clock, or counts from a little earlier.
   */
  arm(delayMs: number, onExpired: () => void, nowMs?: number): Deadline
  /** Does nothing for a deadline that has expired or was disarmed before. */
  disarm(deadline: Deadline): void
  /** How many deadlines are armed. */
  readonly size: number
  /** Forgets every deadline without calling it. */
  close(): void
}

/** A power of two, so that a slot is found by a mask. At 20 ms a turn takes ten seconds. */
const SLOTS = 512

/**
 * Thousands of deadlines on one timer. A timer or an AbortSignal for each request was measured at
 * 10 µs a request; arming and disarming here are a few pointer writes. The timer never keeps the
 * process alive, and rests while nothing is armed.
 */
export function createDeadlineWheel({
  monotonicNow,
  tickMs = 20,
}: {
  /** Milliseconds that never step back. */
  monotonicNow: () => number
  tickMs?: number
}): DeadlineWheel {
  const slots = Array.from({ length: SLOTS }, createRing)
  const startedAtMs = monotonicNow()
  let size = 0
  let lastTick = 0
  let timer: NodeJS.Timeout | null = null

  const tickAt = (atMs: number): number => Math.floor((atMs - startedAtMs) / tickMs)

  const onTick = (): void => {
    const nowTick = tickAt(monotonicNow())
    // After a stall of more than a turn, one visit to every slot finds everything that is due.
    const firstTick = Math.max(lastTick + 1, nowTick - SLOTS + 1)
    lastTick = Math.max(lastTick, nowTick)
    for (let tick = firstTick; tick <= nowTick; tick++)
      expireSlot(slots[tick & (SLOTS - 1)]!, nowTick)
    if (size === 0) stop()
  }

  const expireSlot = (ring: Deadline, nowTick: number): void => {
    // Collected first: what runs below may arm and disarm neighbours in this very ring.
    const expired: Deadline[] = []
    for (let deadline = ring.next!; deadline !== ring; deadline = deadline.next!) {
      if (deadline.dueTick <= nowTick) expired.push(deadline)
    }
    for (const deadline of expired) {
      if (deadline.next === null) continue
      remove(deadline)
      deadline.onExpired()
    }
  }

  const remove = (deadline: Deadline): void => {
    deadline.previous!.next = deadline.next
    deadline.next!.previous = deadline.previous
    deadline.previous = null
    deadline.next = null
    size--
  }

  const stop = (): void => {
    if (timer !== null) clearInterval(timer)
    timer = null
  }

  return {
    arm(delayMs, onExpired, nowMs = monotonicNow()) {
      assert(delayMs >= 0, 'a deadline lies ahead')
      timer ??= setInterval(onTick, tickMs).unref()
      // The tick after the one in which it falls due: late by a tick at most, early never.
      const dueTick = tickAt(nowMs + delayMs) + 1
      const ring = slots[dueTick & (SLOTS - 1)]!
      const deadline: Deadline = { onExpired, dueTick, previous: ring.previous, next: ring }
      ring.previous!.next = deadline
      ring.previous = deadline
      size++
      return deadline
    },
    disarm(deadline) {
      if (deadline.next !== null) remove(deadline)
    },
    get size() {
      return size
    },
    close() {
      for (const ring of slots) while (ring.next !== ring) remove(ring.next!)
      stop()
    },
  }
}

/** The fixed point of a circular list, so that no link ever needs a check for an end. */
function createRing(): Deadline {
  const ring: Deadline = { onExpired: () => {}, dueTick: 0, previous: null, next: null }
  ring.previous = ring
  ring.next = ring
  return ring
}
