import { limits } from './core/limits.ts'
import type { Cluster } from './storage/storage.ts'

/**
 * Whether this process does what is to be done once for all nodes: announcements, retention,
 * campaigns, policies, looks at rotations. Another takes over when it is gone for `limits.leadMs`.
 * Where a node was suspended two may believe it for a while: every step is a transaction of its own
 * that finds what the other has done.
 */
export interface Lead {
  isOurs(): Promise<boolean>
  /** Lets another take over at once. */
  end(): Promise<void>
}

/** How often the lead is asked for: often enough that two refusals do not lose it. */
export const leadAskedEveryMs = limits.leadMs / 3

/** `cluster` null: this process is alone. `isCandidate` false: others are to do it. */
export function createLead(options: {
  cluster: Cluster | null
  isCandidate: boolean
  monotonic: () => number
}): Lead {
  const { cluster, isCandidate, monotonic } = options
  if (cluster === null || !isCandidate) {
    return { isOurs: async () => isCandidate, end: async () => undefined }
  }
  let known: { isOurs: boolean; until: number } | null = null
  let asking: Promise<boolean> | null = null

  const ask = async () => {
    const until = monotonic() + leadAskedEveryMs
    const isOurs = await cluster.tryLead('jobs')
    known = { isOurs, until }
    return isOurs
  }
  return {
    async isOurs() {
      if (known !== null && monotonic() < known.until) return known.isOurs
      asking ??= ask().finally(() => {
        asking = null
      })
      return asking
    },
    end: () => cluster.endLeads(),
  }
}
