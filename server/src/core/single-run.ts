/** Work that never runs twice at once. */
export interface SingleRun {
  /** Runs the work; where it runs already, once more after that. */
  start(): void
  /** Resolves when it does not run any more. */
  settled(): Promise<void>
}

/** `work` answers for its own errors: it never rejects. */
export function createSingleRun(work: () => Promise<void>): SingleRun {
  let isRunning = false
  let isAskedAgain = false
  let running: Promise<void> = Promise.resolve()

  const run = async () => {
    try {
      do {
        isAskedAgain = false
        await work()
      } while (isAskedAgain)
    } finally {
      // In the same breath as the last look whether it was asked again. If this waited for the
      // promise, who asks between the two would be heard by neither.
      isRunning = false
    }
  }
  return {
    start() {
      isAskedAgain = true
      if (isRunning) return
      isRunning = true
      running = run()
    },
    async settled() {
      while (isRunning) await running
    },
  }
}
