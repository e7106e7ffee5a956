import type { SystemClock } from './clock.ts'
import { limits } from './core/limits.ts'
import { createSingleRun } from './core/single-run.ts'
import type { StoreDrift } from './store-clock.ts'

/** Watches the clock and says in time what time has brought. */
export interface Timekeeping {
  start(): void
  /** Something may be due earlier than it was. */
  wake(): void
  stop(): Promise<void>
}

/** The machine's clock costs nothing to look at, the store's a question. */
const watchWallEveryMs = 1_000
const watchStoreEveryMs = 15_000
const driftErrorMsMax = 250
const forgetEveryMs = 10 * 60_000
const sleepMsMax = 60_000
const tryAgainMs = 1_000

/**
 * Runs the announcements when they are due, and keeps the process's clock at the machine's wall
 * clock, or at the store's where there are several nodes: drift is followed quietly, a jump is
 * reported. Nothing that decides whether a secret signs depends on this.
 */
export function createTimekeeping(options: {
  clock: SystemClock
  /** How far the store's clock is ahead; null: this process goes by its machine's. */
  storeDrift: (() => Promise<StoreDrift>) | null
  nextAnnouncementAt: () => Promise<number | null>
  /** Works off what is due; returns how many, so that more can be asked for. */
  announce: () => Promise<number>
  /** Removes what is kept for a time only. */
  forget: () => Promise<void>
  onJump: (jumpMs: number) => Promise<void>
  onError: (message: string, error: unknown) => void
}): Timekeeping {
  const { clock } = options
  const watchEveryMs = options.storeDrift === null ? watchWallEveryMs : watchStoreEveryMs
  let isStopped = false
  let sleepTimer: NodeJS.Timeout | undefined
  let watchTimer: NodeJS.Timeout | undefined
  let forgetTimer: NodeJS.Timeout | undefined
  let forgetting: Promise<void> = Promise.resolve()

  const announceAll = createSingleRun(async () => {
    if (isStopped) return
    try {
      while (!isStopped && (await options.announce()) > 0);
      const nextAt = await options.nextAnnouncementAt()
      if (nextAt !== null) sleep(nextAt - clock.now())
    } catch (error) {
      options.onError('Announcements could not be made; trying again.', error)
      sleep(tryAgainMs)
    }
  })
  const sleep = (delayMs: number) => {
    clearTimeout(sleepTimer)
    if (!isStopped) sleepTimer = setTimeout(wake, Math.min(Math.max(delayMs, 1), sleepMsMax))
  }
  const wake = () => {
    if (!isStopped) announceAll.start()
  }
  const watch = async () => {
    const { driftMs, errorMs } =
      options.storeDrift === null
        ? { driftMs: clock.wallDrift(), errorMs: 0 }
        : await options.storeDrift()
    // Where the answer took long, the monotonic clock knows better.
    if (errorMs > driftErrorMsMax || isStopped) return
    clock.adjust(driftMs)
    if (Math.abs(driftMs) < limits.clockJumpMs) return
    wake()
    // Times are whole milliseconds.
    await options.onJump(Math.round(driftMs)).catch((error) => {
      options.onError('A jump of the clock could not be noted.', error)
    })
  }
  const watchOn = async () => {
    try {
      await watch()
    } catch (error) {
      options.onError('The clock of the store could not be read; trying again.', error)
    }
    if (!isStopped) watchTimer = setTimeout(watchOn, watchEveryMs)
  }

  const forget = () => {
    forgetting = options.forget().catch((error) => {
      options.onError('What had expired could not be removed.', error)
    })
  }

  return {
    start() {
      forget()
      forgetTimer = setInterval(forget, forgetEveryMs)
      watchTimer = setTimeout(watchOn, watchEveryMs)
      wake()
    },
    wake,
    async stop() {
      isStopped = true
      clearTimeout(watchTimer)
      clearInterval(forgetTimer)
      clearTimeout(sleepTimer)
      await Promise.all([announceAll.settled(), forgetting])
    },
  }
}
