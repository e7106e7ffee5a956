import type { ActionContext } from './actions/action-context.ts'
import { hastenRetries, noteClockSeen, readClockSeen } from './actions/follow-clock.ts'
import { noteClockJump } from './actions/note-clock-jump.ts'
import { limits } from './core/limits.ts'

/** Sees to it that a clock that is set costs no delivery its time and no event its place. */
export interface ClockWatch {
  /** Compares with what the last process knew. */
  start(): Promise<void>
  /** The clock was set while this process ran: negative where it was set back. */
  jumped(jumpMs: number): Promise<void>
  /** Called now and then. */
  noteTime(): Promise<void>
  /** False after a leap ahead that may be a mistake: what it makes old must not be removed yet. */
  mayRemove(): boolean
}

/** A leap ahead that is longer than this holds retention off, for that long. */
const leapMsMin = 86_400_000
const removalHeldMs = 12 * 3_600_000

export function createClockWatch(options: {
  context: () => ActionContext
  monotonic: () => number
  warn(facts: object, message: string): void
}): ClockWatch {
  const { context, monotonic, warn } = options
  let mayRemoveFrom = Number.NEGATIVE_INFINITY
  const mayRemove = () => monotonic() >= mayRemoveFrom

  const follow = async (jumpMs: number) => {
    if (jumpMs > leapMsMin) {
      mayRemoveFrom = monotonic() + removalHeldMs
      warn(
        { jumpMs, heldMs: removalHeldMs },
        'The clock leapt far ahead: nothing is removed for its age for 12 hours, in case it is wrong.',
      )
    }
    if (jumpMs <= -limits.clockJumpMs) {
      const endpointCount = await hastenRetries(context(), -jumpMs)
      warn({ jumpMs, endpointCount }, 'The clock was set back; retries keep their delays.')
    }
  }

  return {
    mayRemove,
    async start() {
      const seenAt = await readClockSeen(context())
      if (seenAt !== null) await follow(context().clock.now() - seenAt)
    },
    async jumped(jumpMs) {
      await follow(jumpMs)
      await noteClockJump(context(), jumpMs)
    },
    async noteTime() {
      // Not while it may be wrong: a restart would then believe it.
      if (mayRemove()) await noteClockSeen(context())
    },
  }
}
