import type { ClaimedDelivery, CommittedChanges } from '../storage.ts'
import type { Lease } from './leases.ts'

/**
 * What a transaction means for the process's memory. It is collected while the transaction runs
 * and applied only after its commit, so that an undone write never leaves a trace.
 */
export type Effect =
  | { kind: 'handOver'; lease: Lease; delivery: ClaimedDelivery; dataBytes: number }
  | { kind: 'lease'; lease: Lease }
  /**
   * A lease ended with a result, or whichever there was where there is no token. `dueAt` null: the
   * delivery is finished.
   */
  | { kind: 'settle'; seq: number; token?: number; endpointId: string; dueAt: number | null }
  /** A pending delivery was left to be claimed. */
  | { kind: 'due'; endpointId: string; dueAt: number }
  /** A delivery was rescheduled. */
  | { kind: 'retry'; endpointId: string }
  /** A delivery got a final status without a result: it was skipped, or its payload expunged. */
  | { kind: 'ended'; status: 'failed' | 'skipped' }
  /** Everything that waits for the endpoint is due earlier. */
  | { kind: 'hasten'; endpointId: string; byMs: number }
  | { kind: 'endpointDeleted'; endpointId: string; at: number }
  /** Who receives what in the project is different. */
  | { kind: 'subscriptions'; projectId: string }
  /** Something is to be announced, a rotation looked at or a campaign gone on with, at a time. */
  | { kind: 'appoint' }
  | { kind: 'touch'; what: Touchable; id: string }

/** Sets of `CommittedChanges`. */
export type Touchable =
  | 'endpointIds'
  | 'projectIds'
  | 'apiKeyIds'
  | 'portalSessionIds'
  | 'eventTypeProjectIds'

/** Those of one transaction. */
export interface Effects {
  add(effect: Effect): void
  touch(what: Touchable, id: string): void
  /** Projects in which the transaction changed who receives what. */
  resubscribedIds(): string[]
  /** True when something makes the writer wait until all have applied it. */
  hasTouched(): boolean
  readonly all: readonly Effect[]
}

export function createEffects(): Effects {
  const all: Effect[] = []
  const resubscribed = new Set<string>()
  let hasTouched = false

  return {
    all,
    add(effect) {
      all.push(effect)
      if (effect.kind === 'subscriptions') resubscribed.add(effect.projectId)
    },
    touch(what, id) {
      hasTouched = true
      all.push({ kind: 'touch', what, id })
    },
    resubscribedIds: () => [...resubscribed].sort(),
    hasTouched: () => hasTouched,
  }
}

/** What the reservations were that a transaction made and that are void. */
export function reservationsOf(effects: readonly Effect[]) {
  return effects
    .filter((effect) => effect.kind === 'handOver')
    .map(({ lease: { endpointId }, dataBytes }) => ({ endpointId, dataBytes }))
}

/** What consumers are told of a commit; null when none of it concerns them. */
export function summarize(effects: readonly Effect[]): CommittedChanges | null {
  const changes = noChanges()
  let isConcerned = false
  for (const effect of effects) {
    if (effect.kind === 'handOver' || effect.kind === 'lease') continue
    if (effect.kind === 'subscriptions') continue
    if (effect.kind === 'settle' && effect.dueAt === null) continue
    isConcerned = true
    if (effect.kind === 'touch') changes[effect.what].add(effect.id)
    else if (effect.kind === 'appoint') changes.hasAppointments = true
    else if (effect.kind === 'ended') changes.endedCounts[effect.status] += 1
    else changes.hasDueDeliveries = true
  }
  return isConcerned ? changes : null
}

interface Changes extends CommittedChanges {
  endpointIds: Set<string>
  projectIds: Set<string>
  apiKeyIds: Set<string>
  portalSessionIds: Set<string>
  eventTypeProjectIds: Set<string>
  endedCounts: { failed: number; skipped: number }
}

export function noChanges(): Changes {
  return {
    endpointIds: new Set<string>(),
    projectIds: new Set<string>(),
    apiKeyIds: new Set<string>(),
    portalSessionIds: new Set<string>(),
    eventTypeProjectIds: new Set<string>(),
    hasAppointments: false,
    hasDueDeliveries: false,
    endedCounts: { failed: 0, skipped: 0 },
  }
}
