import { StorageUnavailableError } from './storage/storage.ts'

const toldEveryMs = 60_000

/**
 * What goes wrong beside the calls. While the store is away, everything that works by itself tries
 * again every second or so and fails; each says so once a minute, and not each time.
 */
export function createOutageLog(options: {
  log: (message: string, error: unknown) => void
  monotonic: () => number
}): (message: string, error: unknown) => void {
  const { log, monotonic } = options
  // By message: there are as many as there are places that fail.
  const toldAt = new Map<string, number>()
  return (message, error) => {
    if (error instanceof StorageUnavailableError) {
      const before = toldAt.get(message) ?? Number.NEGATIVE_INFINITY
      if (monotonic() - before < toldEveryMs) return
      toldAt.set(message, monotonic())
    }
    log(message, error)
  }
}
