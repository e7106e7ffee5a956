/** A delivery that this node holds until a result is recorded or the time is up. */
export interface Lease {
  deliveryId: string
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
  /** The node's lease on the delivery, as long as it is in force by the node's own clock. */
  get(deliveryId: string, monotonicNow: number): Lease | undefined
  remove(deliveryId: string): Lease | undefined
  /** Removes and returns what has run out. */
  takeExpired(monotonicNow: number): Lease[]
  takeAll(): Lease[]
}

export function createLeases(): Leases {
  // All leases last equally long on a monotonic clock, so the map's order is the order of expiry.
  const leases = new Map<string, Lease>()

  function remove(deliveryId: string): Lease | undefined {
    const lease = leases.get(deliveryId)
    leases.delete(deliveryId)
    return lease
  }

  return {
    insert(lease) {
      leases.delete(lease.deliveryId)
      leases.set(lease.deliveryId, lease)
    },
    get(deliveryId, monotonicNow) {
      const lease = leases.get(deliveryId)
      return lease !== undefined && lease.untilMonotonic > monotonicNow ? lease : undefined
    },
    remove,
    takeExpired(monotonicNow) {
      const expired: Lease[] = []
      for (const lease of leases.values()) {
        // Commits may end in another order than they began, by far less than a second.
        if (lease.untilMonotonic > monotonicNow) break
        expired.push(lease)
      }
      for (const lease of expired) leases.delete(lease.deliveryId)
      return expired
    },
    takeAll() {
      const all = [...leases.values()]
      leases.clear()
      return all
    },
  }
}
