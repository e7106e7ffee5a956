/**
 * Has the endpoints in use read again before they are too old to be signed for, so that under load
 * no delivery waits for a read. Where nothing is in use, nothing is read.
 */
export interface Renewal {
  /** Deliveries go to these. */
  noteUse(endpointIds: readonly string[]): void
  stop(): void
}

/** How often within the time for which a read holds: two reads may fail or come late. */
const rounds = 3

export function createRenewal(options: {
  /** For how long a read holds; 0: for ever, and then nothing is done. */
  ttlMs: number
  renew: (endpointIds: Iterable<string>) => Promise<void>
  busyEndpointIds: () => Iterable<string>
  onError: (message: string, error: unknown) => void
}): Renewal {
  const { ttlMs } = options
  let used = new Set<string>()
  let isRunning = false
  let isStopped = false
  let timer: NodeJS.Timeout | undefined

  const rest = () => {
    if (!isStopped) timer = setTimeout(renewUsed, ttlMs / rounds)
  }
  const renewUsed = async () => {
    const inUse = used.union(new Set(options.busyEndpointIds()))
    used = new Set()
    isRunning = inUse.size > 0
    if (!isRunning) return
    try {
      await options.renew(inUse)
    } catch (error) {
      options.onError('Secrets could not be read again; deliveries wait.', error)
    }
    rest()
  }

  return {
    noteUse(endpointIds) {
      if (ttlMs === 0) return
      for (const id of endpointIds) used.add(id)
      if (isRunning) return
      isRunning = true
      rest()
    },
    stop() {
      isStopped = true
      clearTimeout(timer)
    },
  }
}
