import type { ClaimedDelivery, CommittedChanges } from '../storage.ts'
import type { Lease } from './leases.ts'

/**
 * What a transaction means for the process's memory. It is collected while the transaction runs
 * and applied only after its commit, so that an undone write never leaves a trace.
 */
export type Effect =
  | { kind: 'handOver'; lease: Lease; delivery: ClaimedDelivery; dataBytes: number }
  | { kind: 'lease'; lease: Lease }
  /** A lease ended with a result; `dueAt` null where the delivery is finished. */
  | { kind: 'settle'; seq: number; endpointId: string; dueAt: number | null }
  /** A pending delivery was left to be claimed. */
  | { kind: 'due'; endpointId: string; dueAt: number }
  /** A delivery was rescheduled; `wasPending` where it counted as backlog before. */
  | { kind: 'retry'; seq: number; endpointId: string; wasPending: boolean }
  /** A delivery got a final status without a result: it was skipped, or its payload expunged. */
  | { kind: 'ended'; status: 'failed' | 'skipped' }
  /** Everything that waits for the endpoint is due earlier. */
  | { kind: 'hasten'; endpointId: string; byMs: number }
  | { kind: 'endpointDeleted'; endpointId: string; at: number }
  /** Something was removed that the log still holds. */
  | { kind: 'erase' }
  /** Something is to be announced, a rotation looked at or a campaign gone on with, at a time. */
  | { kind: 'appoint' }
  | { kind: 'touch'; what: Touchable; id: string }

/** Sets of `CommittedChanges`. */
type Touchable =
  | 'endpointIds'
  | 'projectIds'
  | 'apiKeyIds'
  | 'portalSessionIds'
  | 'eventTypeProjectIds'

export interface Effects {
  add(effect: Effect): void
  touch(what: Touchable, id: string): void
  /** True once a result for this delivery was recorded in the running transaction. */
  isSettled(seq: number): boolean
  /** A point to undo to. */
  mark(): number
  /** Drops and returns what came after the mark. */
  undo(mark: number): Effect[]
  /** True when something after the mark makes the writer wait for `onCommitted`. */
  hasTouched(mark: number): boolean
  /** Empties the list and returns it. */
  takeAll(): Effect[]
}

export function createEffects(): Effects {
  let effects: Effect[] = []
  // By number: a set makes each new text that it is asked for a symbol of the whole process first.
  let settledSeqs = new Set<number>()

  return {
    add(effect) {
      effects.push(effect)
      if (effect.kind === 'settle') settledSeqs.add(effect.seq)
    },
    touch: (what, id) => void effects.push({ kind: 'touch', what, id }),
    isSettled: (seq) => settledSeqs.has(seq),
    mark: () => effects.length,
    undo(mark) {
      const undone = effects.splice(mark)
      for (const effect of undone) {
        if (effect.kind === 'settle') settledSeqs.delete(effect.seq)
      }
      return undone
    },
    hasTouched(mark) {
      for (let at = mark; at < effects.length; at++) {
        if (effects[at]?.kind === 'touch') return true
      }
      return false
    },
    takeAll() {
      const taken = effects
      effects = []
      // Cleared, a set would refer to its next table, and so keep that alive with it.
      if (settledSeqs.size > 0) settledSeqs = new Set()
      return taken
    },
  }
}

/** What consumers are told of a commit; null when none of it concerns them. */
export function summarize(effects: readonly Effect[]): CommittedChanges | null {
  const changes = {
    endpointIds: new Set<string>(),
    projectIds: new Set<string>(),
    apiKeyIds: new Set<string>(),
    portalSessionIds: new Set<string>(),
    eventTypeProjectIds: new Set<string>(),
    hasAppointments: false,
    hasDueDeliveries: false,
    endedCounts: { failed: 0, skipped: 0 },
  }
  let isConcerned = false
  for (const effect of effects) {
    if (effect.kind === 'handOver' || effect.kind === 'lease') continue
    if (effect.kind === 'erase') continue
    if (effect.kind === 'settle' && effect.dueAt === null) continue
    isConcerned = true
    if (effect.kind === 'touch') changes[effect.what].add(effect.id)
    else if (effect.kind === 'appoint') changes.hasAppointments = true
    else if (effect.kind === 'ended') changes.endedCounts[effect.status] += 1
    else changes.hasDueDeliveries = true
  }
  return isConcerned ? changes : null
}
