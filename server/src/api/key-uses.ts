import type { Clock } from '../core/clock.ts'
import type { Storage } from '../storage/storage.ts'
import { apiLimits } from './api-limits.ts'

/** Writes down when keys were last used: gathered, at most once a minute for each key. */
export interface KeyUses {
  note(keyId: string): void
  /** Writes what is gathered, and takes no more. */
  stop(): Promise<void>
}

export function createKeyUses(options: {
  storage: Pick<Storage, 'transact'>
  clock: Clock
  onError(error: unknown): void
}): KeyUses {
  const { storage, clock } = options
  const writtenAt = new Map<string, number>()
  const gathered = new Map<string, number>()
  let timer: NodeJS.Timeout | null = null
  let isStopped = false

  const write = async (): Promise<void> => {
    if (timer !== null) clearTimeout(timer)
    timer = null
    if (gathered.size === 0) return
    const uses = [...gathered].map(([id, at]) => ({ id, at }))
    gathered.clear()
    try {
      await storage.transact((tx) => tx.touchApiKeys(uses))
    } catch (error) {
      // A use that is not written down is of no consequence; the next one will be.
      options.onError(error)
    }
  }

  return {
    note(keyId) {
      const now = clock.now()
      const last = writtenAt.get(keyId)
      if (isStopped || (last !== undefined && now - last < apiLimits.keyUseWrittenEveryMs)) return
      if (writtenAt.size >= apiLimits.cachedKeysMax) writtenAt.clear()
      writtenAt.set(keyId, now)
      gathered.set(keyId, now)
      timer ??= setTimeout(write, apiLimits.keyUseGatheredMs).unref()
    },
    async stop() {
      isStopped = true
      await write()
    },
  }
}
