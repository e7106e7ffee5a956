import { freshUntil, isFresh } from '../core/cache-lifetime.ts'
import type { Clock } from '../core/clock.ts'
import type { CommittedChanges, Storage } from '../storage/storage.ts'
import { apiLimits } from './api-limits.ts'

/** Which project an id or uid in a path means. */
export interface ProjectDirectory {
  /** The project's id; at once where it is known already. Null where there is none. */
  idOf(ref: string): string | Promise<string | null>
  forget(changes: Pick<CommittedChanges, 'projectIds'>): void
}

export function createProjectDirectory(options: {
  storage: Pick<Storage, 'getProject' | 'cacheTtlMs'>
  clock: Pick<Clock, 'monotonic'>
}): ProjectDirectory {
  const { storage, clock } = options
  const kept = new Map<string, { id: string; until: number }>()
  // A project that was read while a commit came in may be out of date: it is used, but not kept.
  let commitCount = 0

  const load = async (ref: string): Promise<string | null> => {
    const commitCountBefore = commitCount
    const until = freshUntil(storage.cacheTtlMs, clock)
    const project = await storage.getProject(ref)
    if (project === null) return null
    if (commitCount === commitCountBefore) {
      const [oldest] = kept.keys()
      if (kept.size >= apiLimits.cachedProjectRefsMax && oldest !== undefined) kept.delete(oldest)
      kept.set(ref, { id: project.id, until })
    }
    return project.id
  }

  return {
    idOf(ref) {
      const known = kept.get(ref)
      return known !== undefined && isFresh(known.until, clock) ? known.id : load(ref)
    },
    forget({ projectIds }) {
      if (projectIds.size === 0) return
      commitCount += 1
      for (const [ref, { id }] of kept) if (projectIds.has(id)) kept.delete(ref)
    },
  }
}
