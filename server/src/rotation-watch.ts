import { createSingleRun } from './core/single-run.ts'

/** Looks at open rotations when their time has come. */
export interface RotationWatchJob {
  start(): void
  /** One may have to be looked at earlier than was known. */
  wake(): void
  /** Begins nothing new. What is under way is left alone: it finds its state in the store. */
  stop(): Promise<void>
}

interface DueLook {
  endpointId: string
  rotationId: string
}

const looksAtOnceMax = 16
const sleepMsMax = 60_000
const tryAgainMs = 1_000

/**
 * Several looks go on at a time, as each waits for a receiver; never two at one rotation. Nothing
 * that decides whether a secret signs depends on this having run.
 */
export function createRotationWatch(options: {
  now: () => number
  nextLookAt: () => Promise<number | null>
  listDue: (limit: number) => Promise<DueLook[]>
  look: (due: DueLook) => Promise<void>
  onError: (message: string, error: unknown) => void
}): RotationWatchJob {
  const underWay = new Set<string>()
  let isStopped = false
  let timer: NodeJS.Timeout | undefined

  const startDue = async () => {
    // As many more as are under way, as those are still due by the store.
    const due = await options.listDue(looksAtOnceMax + underWay.size)
    for (const each of due) {
      if (isStopped || underWay.size >= looksAtOnceMax) return
      if (!underWay.has(each.rotationId)) void look(each)
    }
    const nextAt = await options.nextLookAt()
    if (nextAt === null) return
    const waitMs = nextAt - options.now()
    // What was listed is under way, and its end wakes this again, or has just failed. Where nothing
    // was, it became due, or this node the one that looks, after the list was read.
    if (waitMs > 0 || due.length === 0) sleep(waitMs)
    else sleep(tryAgainMs)
  }
  const look = async (due: DueLook) => {
    underWay.add(due.rotationId)
    try {
      await options.look(due)
      underWay.delete(due.rotationId)
      wake()
    } catch (error) {
      if (!isStopped) options.onError('A rotation could not be looked at; trying again.', error)
      underWay.delete(due.rotationId)
      sleep(tryAgainMs)
    }
  }
  const sleep = (delayMs: number) => {
    clearTimeout(timer)
    if (!isStopped) timer = setTimeout(wake, Math.min(Math.max(delayMs, 1), sleepMsMax))
  }
  const run = createSingleRun(async () => {
    if (isStopped) return
    try {
      await startDue()
    } catch (error) {
      options.onError('Rotations could not be looked at; trying again.', error)
      sleep(tryAgainMs)
    }
  })
  const wake = () => {
    if (!isStopped) run.start()
  }

  return {
    start: wake,
    wake,
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await run.settled()
    },
  }
}
