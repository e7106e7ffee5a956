import type { ActionContext } from './actions/action-context.ts'
import { announceExpiries } from './actions/announce-expiries.ts'
import { continueRecoveries } from './actions/continue-recoveries.ts'
import { forgetExpired } from './actions/forget-expired.ts'
import { noteClockJump } from './actions/note-clock-jump.ts'
import { removeOldEvents } from './actions/remove-old-events.ts'
import { createChore } from './chore.ts'
import type { SystemClock } from './clock.ts'
import type { Storage } from './storage/storage.ts'
import { createTimekeeping } from './timekeeping.ts'

/** What the server does by itself, beside serving and delivering. */
export interface Jobs {
  start(): void
  /** Something is to be announced, maybe earlier than was known. */
  wakeAnnouncements(): void
  wakeRecoveries(): void
  stop(): Promise<void>
}

/** Retention may take this part of one core: delivery hardly notices. */
const retentionShareMax = 0.1
const retentionEveryMs = 10 * 60_000
/** Recovery is what someone waits for. */
const recoveryShareMax = 0.3
const recoveryEveryMs = 60_000

export function createJobs(options: {
  clock: SystemClock
  storage: Pick<Storage, 'nextAnnouncementAt'>
  /** Asked at each step: not called before `start`. */
  context: () => ActionContext
  /** The clock was set: what is due may have changed. */
  onClockJump(jumpMs: number): void
  onError(message: string, error: unknown): void
}): Jobs {
  const { clock, storage, context, onError } = options
  const timekeeping = createTimekeeping({
    clock,
    nextAnnouncementAt: () => storage.nextAnnouncementAt(),
    announce: () => announceExpiries(context()),
    forget: () => forgetExpired(context()),
    async onJump(jumpMs) {
      options.onClockJump(jumpMs)
      await noteClockJump(context(), jumpMs)
    },
    onError,
  })
  const { monotonic } = clock
  const recoveries = createChore({
    step: () => continueRecoveries(context()),
    everyMs: recoveryEveryMs,
    shareMax: recoveryShareMax,
    monotonic,
    onError: (error) => onError('A recovery could not go on; trying again.', error),
  })
  const retention = createChore({
    step: () => removeOldEvents(context()),
    everyMs: retentionEveryMs,
    shareMax: retentionShareMax,
    monotonic,
    onError: (error) => onError('Old events could not be removed; trying again.', error),
  })
  return {
    start() {
      timekeeping.start()
      recoveries.start()
      retention.start()
    },
    wakeAnnouncements: timekeeping.wake,
    wakeRecoveries: recoveries.wake,
    async stop() {
      await Promise.all([timekeeping.stop(), recoveries.stop(), retention.stop()])
    },
  }
}
