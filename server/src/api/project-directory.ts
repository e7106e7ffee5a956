import type { CommittedChanges, Storage } from '../storage/storage.ts'
import { apiLimits } from './api-limits.ts'

/** Which project an id or uid in a path means. */
export interface ProjectDirectory {
  /** The project's id; at once where it is known already. Null where there is none. */
  idOf(ref: string): string | Promise<string | null>
  forget(changes: Pick<CommittedChanges, 'projectIds'>): void
}

export function createProjectDirectory(options: {
  storage: Pick<Storage, 'getProject'>
}): ProjectDirectory {
  const ids = new Map<string, string>()
  // A project that was read while a commit came in may be out of date: it is used, but not kept.
  let commitCount = 0

  const load = async (ref: string): Promise<string | null> => {
    const commitCountBefore = commitCount
    const project = await options.storage.getProject(ref)
    if (project === null) return null
    if (commitCount === commitCountBefore) {
      const [oldest] = ids.keys()
      if (ids.size >= apiLimits.cachedProjectRefsMax && oldest !== undefined) ids.delete(oldest)
      ids.set(ref, project.id)
    }
    return project.id
  }

  return {
    idOf: (ref) => ids.get(ref) ?? load(ref),
    forget({ projectIds }) {
      if (projectIds.size === 0) return
      commitCount += 1
      for (const [ref, id] of ids) if (projectIds.has(id)) ids.delete(ref)
    },
  }
}
