/** Work that is done in small steps beside everything else. */
export interface Chore {
  start(): void
  /** There may be work now. */
  wake(): void
  stop(): Promise<void>
}

/**
 * Takes steps as long as there is work, and looks again every `everyMs`. Between two steps it rests
 * long enough that the steps take at most `shareMax` of the time.
 */
export function createChore(options: {
  /** Takes one step; false where nothing is left to do. */
  step: () => Promise<boolean>
  everyMs: number
  shareMax: number
  monotonic: () => number
  onError: (error: unknown) => void
}): Chore {
  const { step, everyMs, shareMax, monotonic } = options
  let isStopped = false
  let isRunning = false
  let isAwake = false
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()

  const rest = (delayMs: number) => {
    if (!isStopped) timer = setTimeout(run, delayMs)
  }
  const run = () => {
    clearTimeout(timer)
    // A step under way looks at `isAwake` when it ends.
    if (isRunning) return
    isRunning = true
    running = takeStep()
  }
  const takeStep = async () => {
    isAwake = false
    const began = monotonic()
    let isMore = false
    try {
      isMore = await step()
    } catch (error) {
      options.onError(error)
    }
    const tookMs = monotonic() - began
    isRunning = false
    rest(isMore || isAwake ? tookMs * (1 / shareMax - 1) : everyMs)
  }

  return {
    start: run,
    wake() {
      if (isStopped) return
      isAwake = true
      run()
    },
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await running
    },
  }
}
