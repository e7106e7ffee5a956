import type { SystemClock } from './clock.ts'
import { limits } from './core/limits.ts'

/** Watches the clock and says in time what time has brought. */
export interface Timekeeping {
  start(): void
  /** Something may be due earlier than it was. */
  wake(): void
  stop(): Promise<void>
}

const watchEveryMs = 1_000
const forgetEveryMs = 10 * 60_000
const sleepMsMax = 60_000
const tryAgainMs = 1_000

/**
 * Runs the announcements when they are due, and keeps the process's clock at the machine's wall
 * clock: drift is followed quietly, a jump is reported. Nothing that decides whether a secret signs
 * depends on this.
 */
export function createTimekeeping(options: {
  clock: SystemClock
  nextAnnouncementAt: () => Promise<number | null>
  /** Works off what is due; returns how many, so that more can be asked for. */
  announce: () => Promise<number>
  /** Removes what is kept for a time only. */
  forget: () => Promise<void>
  onJump: (jumpMs: number) => Promise<void>
  onError: (message: string, error: unknown) => void
}): Timekeeping {
  const { clock } = options
  let isStopped = false
  let running: Promise<void> | null = null
  let mustRunAgain = false
  let sleepTimer: NodeJS.Timeout | undefined
  let watchTimer: NodeJS.Timeout | undefined
  let forgetTimer: NodeJS.Timeout | undefined
  let forgetting: Promise<void> = Promise.resolve()

  const announceAll = async () => {
    try {
      do {
        mustRunAgain = false
        while (!isStopped && (await options.announce()) > 0);
        const nextAt = await options.nextAnnouncementAt()
        if (nextAt !== null) sleep(nextAt - clock.now())
      } while (mustRunAgain && !isStopped)
    } catch (error) {
      options.onError('Announcements could not be made; trying again.', error)
      sleep(tryAgainMs)
    }
  }
  const sleep = (delayMs: number) => {
    clearTimeout(sleepTimer)
    if (!isStopped) sleepTimer = setTimeout(wake, Math.min(Math.max(delayMs, 1), sleepMsMax))
  }
  const wake = () => {
    mustRunAgain = true
    if (isStopped) return
    running ??= announceAll().finally(() => {
      running = null
    })
  }
  const watch = () => {
    const driftMs = clock.wallDrift()
    clock.adjust(driftMs)
    if (Math.abs(driftMs) < limits.clockJumpMs) return
    wake()
    // Times are whole milliseconds.
    options.onJump(Math.round(driftMs)).catch((error) => {
      options.onError('A jump of the clock could not be noted.', error)
    })
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
      watchTimer = setInterval(watch, watchEveryMs)
      wake()
    },
    wake,
    async stop() {
      isStopped = true
      clearInterval(watchTimer)
      clearInterval(forgetTimer)
      clearTimeout(sleepTimer)
      await Promise.all([running, forgetting])
    },
  }
}
