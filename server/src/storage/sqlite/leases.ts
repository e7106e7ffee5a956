/** A delivery that this process holds until a result is recorded or the time is up. */
export interface Lease {
  deliveryId: string
  endpointId: string
  seq: number
  /** What the store says: by it the delivery is due again when the lease is lost. */
  dueAt: number
  attemptCount: number
  seriesAttemptCount: number
  token: number
  untilMonotonic: number
}

/**
 * The leases in force. They live in memory, for one process holds the whole database: after a
 * restart there are none, and what was in flight is due at once (delivery.md, Leases).
 */
export interface Leases {
  nextToken(): number
  insert(lease: Lease): void
  /** The lease in force on the delivery at `monotonicNow`. */
  get(deliveryId: string, monotonicNow: number): Lease | undefined
  holdsSeq(seq: number): boolean
  remove(deliveryId: string): Lease | undefined
  /** Removes and returns what has run out. */
  takeExpired(monotonicNow: number): Lease[]
}

export function createLeases(): Leases {
  // All leases last equally long on a monotonic clock, so the map's order is the order of expiry.
  const leases = new Map<string, Lease>()
  const seqs = new Set<number>()
  let lastToken = 0

  function remove(deliveryId: string): Lease | undefined {
    const lease = leases.get(deliveryId)
    if (lease === undefined) return undefined
    leases.delete(deliveryId)
    seqs.delete(lease.seq)
    return lease
  }

  return {
    nextToken: () => ++lastToken,
    insert(lease) {
      leases.set(lease.deliveryId, lease)
      seqs.add(lease.seq)
    },
    get(deliveryId, monotonicNow) {
      const lease = leases.get(deliveryId)
      return lease !== undefined && lease.untilMonotonic > monotonicNow ? lease : undefined
    },
    holdsSeq: (seq) => seqs.has(seq),
    remove,
    takeExpired(monotonicNow) {
      const expired: Lease[] = []
      for (const lease of leases.values()) {
        if (lease.untilMonotonic > monotonicNow) break
        expired.push(lease)
      }
      for (const lease of expired) remove(lease.deliveryId)
      return expired
    },
  }
}
