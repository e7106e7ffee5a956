import assert from 'node:assert/strict'
import type { Clock } from '../../core/clock.ts'
import { createDueSchedule, type DueEndpoint, readyAt } from '../due-schedule.ts'
import type { ClaimedDelivery, ClaimedEvent, ClaimRequest, Reads, Storage } from '../storage.ts'
import type { Connection } from './connection.ts'
import { readClaimed, type StoredDelivery } from './due-deliveries.ts'
import type { Effect } from './effects.ts'
import type { Leases } from './leases.ts'

/**
 * What is due and who holds it. Claiming writes nothing: the store says what is pending and when it
 * is due, memory says what is leased, for one process holds the whole database.
 */
export interface Claims
  extends Pick<Storage, 'claimDue' | 'releaseClaims' | 'nextDueAt'>,
    Pick<Reads, 'backlog'> {
  /**
   * Something of the endpoint's is due that nobody has leased, or may be. From memory alone, of
   * committed data.
   */
  mayHoldDue(endpointId: string): boolean
  /** Brings memory up to a transaction that was committed. Reads nothing, so it cannot fail. */
  apply(effects: readonly Effect[]): void
}

export function createClaims(options: {
  /** Sees committed data only. */
  reader: Connection
  leases: Leases
  clock: Clock
  leaseMs: number
}): Claims {
  const { reader, leases, clock, leaseMs } = options
  const schedule = createDueSchedule()
  // Endpoints to look at again before the schedule is asked, each with the time it is held until.
  const stale = new Map<string, number>()
  let pendingCount = reader.readTogether(() => {
    for (const endpoint of readDueEndpoints(reader)) schedule.put(endpoint)
    return countPending(reader)
  })

  function markStale(endpointId: string, notBefore = 0): void {
    stale.set(endpointId, Math.max(stale.get(endpointId) ?? 0, notBefore))
  }

  function addDue(endpointId: string, dueAt: number): void {
    const endpoint = schedule.get(endpointId)
    if (endpoint === undefined) markStale(endpointId)
    else if (dueAt < endpoint.dueAt) schedule.put({ ...endpoint, dueAt })
  }

  /** After this the schedule says exactly what the store and the leases say. */
  function bringUpToDate(): void {
    for (const lease of leases.takeExpired(clock.monotonic())) markStale(lease.endpointId)
    for (const [endpointId, heldUntil] of stale) {
      const notBefore = Math.max(heldUntil, schedule.get(endpointId)?.notBefore ?? 0)
      const { seq: endpointSeq, deleted_at: deletedAt } = readEndpoint(reader, endpointId)
      const range = { reader, leases, endpointSeq, from: 0 }
      const { nextDueAt: dueAt } = readUnleased(range, () => false)
      if (dueAt === null) schedule.remove(endpointId)
      else schedule.put({ endpointId, endpointSeq, dueAt, notBefore, deletedAt })
      stale.delete(endpointId)
    }
  }

  /** Leases what is due of one endpoint; leaves in `endpoint.dueAt` when there is more. */
  function claimFrom(endpoint: DueEndpoint, limit: number, claim: Claim): ClaimedDelivery[] {
    const { endpointId, endpointSeq, deletedAt, dueAt: from } = endpoint
    const { taken, nextDueAt } = readUnleased(
      { reader, leases, endpointSeq, from },
      (row, count) => count < limit && (row.due_at <= claim.now || deletedAt !== null),
    )
    const seqs = taken.map(({ seq }) => seq)
    const read = readClaimed(reader, seqs, claim.events)
    // All is read: from here on nothing can fail, so nothing is leased and then lost.
    endpoint.dueAt = nextDueAt ?? Infinity
    return taken.map(({ seq, due_at: dueAt }, index) => {
      const delivery = read[index] as StoredDelivery
      const token = leases.nextToken()
      const { id: deliveryId, attemptCount, seriesAttemptCount } = delivery
      const { untilMonotonic } = claim
      const counts = { attemptCount, seriesAttemptCount }
      leases.insert({ deliveryId, endpointId, seq, dueAt, ...counts, token, untilMonotonic })
      return {
        ...delivery,
        endpointId,
        isEndpointDeleted: deletedAt !== null,
        leaseToken: token,
        leaseUntilMonotonic: untilMonotonic,
      }
    })
  }

  /** Ends a lease; false where it is not in force any more. */
  function release(token: number): boolean {
    const lease = leases.get(token, clock.monotonic())
    if (lease !== undefined) leases.remove(lease.seq)
    return lease !== undefined
  }

  /** The endpoints with something due, earliest first; each is to be taken out before the next. */
  function* dueEndpoints(now: number): Generator<DueEndpoint> {
    for (;;) {
      const endpoint = schedule.first()
      if (endpoint === undefined || readyAt(endpoint) > now) return
      yield endpoint
    }
  }

  function* dueEndpointsOf(ids: ReadonlySet<string>, now: number): Generator<DueEndpoint> {
    for (const id of ids) {
      const endpoint = schedule.get(id)
      if (endpoint !== undefined && readyAt(endpoint) <= now) yield endpoint
    }
  }

  function claimDue(request: ClaimRequest): ClaimedDelivery[] {
    const { limit, fullEndpointIds, onlyEndpointIds, pace } = request
    bringUpToDate()
    const claim: Claim = {
      now: clock.now(),
      untilMonotonic: clock.monotonic() + leaseMs,
      events: new Map(),
    }
    const claimed: ClaimedDelivery[] = []
    const visited: DueEndpoint[] = []
    try {
      const due =
        onlyEndpointIds === undefined
          ? dueEndpoints(claim.now)
          : dueEndpointsOf(onlyEndpointIds, claim.now)
      for (const endpoint of due) {
        schedule.remove(endpoint.endpointId)
        visited.push(endpoint)
        if (fullEndpointIds.has(endpoint.endpointId)) continue
        const isHeld = pace?.endpointIds.has(endpoint.endpointId) && endpoint.deletedAt === null
        const held = isHeld ? pace : undefined
        const room = Math.min((held ?? request).perEndpointMax, limit - claimed.length)
        for (const delivery of claimFrom(endpoint, room, claim)) claimed.push(delivery)
        if (held !== undefined) {
          endpoint.notBefore = Math.max(endpoint.notBefore, claim.now + held.holdMs)
        }
        if (claimed.length >= limit) break
      }
    } catch (error) {
      for (const { leaseToken, endpointId } of claimed) {
        release(leaseToken)
        markStale(endpointId)
      }
      throw error
    } finally {
      for (const endpoint of visited) if (endpoint.dueAt !== Infinity) schedule.put(endpoint)
    }
    return claimed
  }

  return {
    claimDue: async (request) => reader.readTogether(() => claimDue(request)),

    async releaseClaims(releases) {
      for (const { endpointId, leaseToken, notBefore } of releases) {
        if (!release(leaseToken)) continue
        markStale(endpointId, notBefore ?? 0)
      }
    },

    async nextDueAt() {
      return reader.protect(() => {
        bringUpToDate()
        const first = schedule.first()
        return first === undefined ? null : readyAt(first)
      })
    },

    async backlog() {
      return reader.protect(() => {
        bringUpToDate()
        return { pending: pendingCount, oldestDueAt: schedule.oldestDueAt() }
      })
    },

    mayHoldDue(endpointId) {
      if (stale.has(endpointId)) return true
      return (schedule.get(endpointId)?.dueAt ?? Infinity) <= clock.now()
    },

    apply(effects) {
      for (const effect of effects) {
        if (effect.kind === 'handOver' || effect.kind === 'lease') {
          leases.insert(effect.lease)
          pendingCount += 1
        } else if (effect.kind === 'due') {
          addDue(effect.endpointId, effect.dueAt)
          pendingCount += 1
        } else if (effect.kind === 'settle') {
          // A lease that ran out during its own transaction was put back into the schedule.
          if (leases.remove(effect.seq) === undefined) markStale(effect.endpointId)
          if (effect.dueAt === null) pendingCount -= 1
          else addDue(effect.endpointId, effect.dueAt)
        } else if (effect.kind === 'retry') {
          leases.remove(effect.seq)
          markStale(effect.endpointId)
          if (!effect.wasPending) pendingCount += 1
        } else if (effect.kind === 'hasten') {
          const endpoint = schedule.get(effect.endpointId)
          const notBefore = (endpoint?.notBefore ?? 0) - effect.byMs
          if (endpoint !== undefined) schedule.put({ ...endpoint, notBefore })
          stale.set(effect.endpointId, (stale.get(effect.endpointId) ?? 0) - effect.byMs)
        } else if (effect.kind === 'endpointDeleted') {
          const endpoint = schedule.get(effect.endpointId)
          if (endpoint !== undefined) schedule.put({ ...endpoint, deletedAt: effect.at })
        }
      }
    },
  }
}

/** What all deliveries of one claim share. */
interface Claim {
  now: number
  untilMonotonic: number
  events: Map<number, ClaimedEvent>
}

interface PendingRow {
  seq: number
  due_at: number
}

/**
 * Each endpoint with pending deliveries and its earliest one. Skips from endpoint to endpoint in the
 * index, so it takes as long as there are such endpoints, not deliveries.
 */
function* readDueEndpoints(reader: Connection): Generator<DueEndpoint> {
  let endpointSeq = 0
  while (true) {
    const row = reader.one<{ seq: number; due_at: number; id: string; deleted_at: number | null }>(
      `select due.seq, due.due_at, ep.id, ep.deleted_at
       from (
         select endpoint_seq as seq, due_at
         from deliveries indexed by deliveries_pending
         where status = 'pending' and endpoint_seq > ?
         order by endpoint_seq, due_at
         limit 1
       ) as due
       join endpoints ep on ep.seq = due.seq`,
      endpointSeq,
    )
    if (row === undefined) return
    endpointSeq = row.seq
    const { id: endpointId, due_at: dueAt, deleted_at: deletedAt } = row
    yield { endpointId, endpointSeq, dueAt, notBefore: 0, deletedAt }
  }
}

function countPending(reader: Connection): number {
  const row = reader.one<{ count: number }>(
    `select count(*) as count from deliveries indexed by deliveries_pending
     where status = 'pending'`,
  )
  return row?.count ?? 0
}

function readEndpoint(reader: Connection, endpointId: string) {
  const row = reader.one<{ seq: number; deleted_at: number | null }>(
    'select seq, deleted_at from endpoints where id = ?',
    endpointId,
  )
  assert(row !== undefined, 'Deliveries are due for an endpoint that does not exist.')
  return row
}

/**
 * The endpoint's deliveries that are due at or after `from` and that nobody has leased, oldest
 * first, as long as `takes` says yes; and when the one is due that it first refused.
 *
 * Plan (SQLite 3.53.4, 2026-11-21): SEARCH deliveries USING COVERING INDEX deliveries_pending
 * (endpoint_seq=? AND due_at>?). Reads what it takes and one more, whatever the backlog.
 */
function readUnleased(
  range: { reader: Connection; leases: Leases; endpointSeq: number; from: number },
  takes: (row: PendingRow, takenCount: number) => boolean,
): { taken: PendingRow[]; nextDueAt: number | null } {
  const taken: PendingRow[] = []
  const rows = range.reader
    .statement(
      `select seq, due_at from deliveries indexed by deliveries_pending
       where status = 'pending' and endpoint_seq = ? and due_at >= ?
       order by due_at, created_at, seq`,
    )
    .iterate(range.endpointSeq, range.from)
  for (const value of rows) {
    const row = value as unknown as PendingRow
    if (range.leases.holdsSeq(row.seq)) continue
    if (!takes(row, taken.length)) return { taken, nextDueAt: row.due_at }
    taken.push(row)
  }
  return { taken, nextDueAt: null }
}
