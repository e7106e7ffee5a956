import { createNumberTable } from '../../core/number-table.ts'

/** A delivery that this node holds until a result is recorded or the time is up. */
export interface Lease {
  endpointId: string
  projectSeq: number
  seq: number
  token: number
  untilMonotonic: number
}

/**
 * The leases of this node. What counts is in the store; from these the node knows which rows its
 * results are about, that a lease has run out before it asks, and what to give back when it stops.
 */
export interface Leases {
  insert(lease: Lease): void
  /** The lease under this token, as long as it is in force by the node's own clock. */
  get(token: number, monotonicNow: number): Lease | undefined
  /** Ends the lease on this delivery; where a token is given, that one and no newer one. */
  remove(seq: number, token?: number): Lease | undefined
  /** Removes and returns what has run out. */
  takeExpired(monotonicNow: number): Lease[]
  takeAll(): Lease[]
}

export function createLeases(): Leases {
  const byToken = createNumberTable<Lease>()
  const bySeq = createNumberTable<Lease>()
  /** No lease runs out before. All last equally long, so this is looked at once in that time. */
  let soonest = Number.POSITIVE_INFINITY

  function remove(seq: number, token?: number): Lease | undefined {
    const lease = bySeq.get(seq)
    if (lease === undefined || (token ?? lease.token) !== lease.token) return undefined
    bySeq.remove(seq)
    byToken.remove(lease.token)
    return lease
  }

  function take(leases: readonly Lease[]): Lease[] {
    return leases.flatMap(({ seq }) => remove(seq) ?? [])
  }

  return {
    insert(lease) {
      remove(lease.seq)
      byToken.set(lease.token, lease)
      bySeq.set(lease.seq, lease)
      soonest = Math.min(soonest, lease.untilMonotonic)
    },
    get(token, monotonicNow) {
      const lease = byToken.get(token)
      return lease !== undefined && lease.untilMonotonic > monotonicNow ? lease : undefined
    },
    remove,
    takeExpired(monotonicNow) {
      if (monotonicNow < soonest) return []
      const all = bySeq.values()
      const expired = all.filter(({ untilMonotonic }) => untilMonotonic <= monotonicNow)
      soonest = Number.POSITIVE_INFINITY
      for (const { untilMonotonic } of all) {
        if (untilMonotonic > monotonicNow) soonest = Math.min(soonest, untilMonotonic)
      }
      return take(expired)
    },
    takeAll: () => take(bySeq.values()),
  }
}
