import { useSyncExternalStore } from 'react'
import { useSession } from './session.ts'

/** What was answered once and is shown once: it lives in memory until it is dismissed. */
export interface Handover {
  kind: 'secret' | 'public_key' | 'claim_link' | 'api_key' | 'portal_link'
  value: string
  /** Tells it apart: the id of a secret, or a name. */
  label: string
}

/** The values that wait to be copied, by what they belong to. */
export interface Handovers {
  get(owner: string): Handover | undefined
  set(owner: string, handover: Handover): void
  delete(owner: string): void
  /** Calls back at every change, until the answer is called. */
  subscribe(changed: () => void): () => void
}

export function createHandovers(): Handovers {
  const values = new Map<string, Handover>()
  const watchers = new Set<() => void>()
  const tell = () => {
    for (const watcher of watchers) watcher()
  }
  return {
    get: (owner) => values.get(owner),
    set(owner, handover) {
      values.set(owner, handover)
      tell()
    },
    delete(owner) {
      values.delete(owner)
      tell()
    },
    subscribe(changed) {
      watchers.add(changed)
      return () => watchers.delete(changed)
    },
  }
}

/** What waits to be copied for this owner. */
export function useHandover(owner: string): Handover | undefined {
  const { handovers } = useSession()
  return useSyncExternalStore(handovers.subscribe, () => handovers.get(owner))
}
