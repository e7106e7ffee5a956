import type { Clock } from '../core/clock.ts'
import { createReadCache } from '../core/read-cache.ts'
import type { CommittedChanges, Storage } from '../storage/storage.ts'
import { apiLimits } from './api-limits.ts'

/** Which project an id or uid in a path means. */
export interface ProjectDirectory {
  /** The project's id; at once where it is known already. Null where there is none. */
  idOf(ref: string): string | null | Promise<string | null>
  forget(changes: Pick<CommittedChanges, 'projectIds'>): void
}

export function createProjectDirectory(options: {
  storage: Pick<Storage, 'getProject' | 'cacheTtlMs'>
  clock: Pick<Clock, 'monotonic'>
}): ProjectDirectory {
  const { storage, clock } = options
  const ids = createReadCache<string | null>({
    ttlMs: storage.cacheTtlMs,
    clock,
    entriesMax: apiLimits.cachedProjectRefsMax,
  })
  return {
    idOf: (ref) => ids.get(ref, async () => (await storage.getProject(ref))?.id ?? null),
    forget({ projectIds }) {
      if (projectIds.size > 0) ids.forget((id) => projectIds.has(id))
    },
  }
}
