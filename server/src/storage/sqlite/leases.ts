import { createNumberTable } from '../../core/number-table.ts'

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
  /** The lease under this token, if it is in force at `monotonicNow`. */
  get(token: number, monotonicNow: number): Lease | undefined
  /** The lease on this delivery, if one is in force at `monotonicNow`. */
  onSeq(seq: number, monotonicNow: number): Lease | undefined
  holdsSeq(seq: number): boolean
  /** Ends the lease on this delivery. */
  remove(seq: number): Lease | undefined
  /** Removes and returns what has run out. */
  takeExpired(monotonicNow: number): Lease[]
}

export function createLeases(): Leases {
  const byToken = createNumberTable<Lease>()
  const bySeq = createNumberTable<Lease>()
  let lastToken = 0
  /** No lease has an older token. All last equally long, so their order is that of expiry. */
  let oldestToken = 1

  function remove(seq: number): Lease | undefined {
    const lease = bySeq.remove(seq)
    if (lease === undefined) return undefined
    byToken.remove(lease.token)
    if (lease.token === oldestToken) findOldest()
    return lease
  }

  /** Each token is passed once, so this costs as much as the leases that there were. */
  function findOldest(): void {
    while (oldestToken <= lastToken && byToken.get(oldestToken) === undefined) oldestToken += 1
  }

  const inForce = (lease: Lease | undefined, monotonicNow: number) =>
    lease !== undefined && lease.untilMonotonic > monotonicNow ? lease : undefined

  return {
    nextToken: () => ++lastToken,
    insert(lease) {
      remove(lease.seq)
      byToken.set(lease.token, lease)
      bySeq.set(lease.seq, lease)
      // Its token was given before its commit, and may have been passed meanwhile.
      oldestToken = Math.min(oldestToken, lease.token)
    },
    get: (token, monotonicNow) => inForce(byToken.get(token), monotonicNow),
    onSeq: (seq, monotonicNow) => inForce(bySeq.get(seq), monotonicNow),
    holdsSeq: (seq) => bySeq.get(seq) !== undefined,
    remove,
    takeExpired(monotonicNow) {
      const expired: Lease[] = []
      findOldest()
      for (;;) {
        const oldest = byToken.get(oldestToken)
        if (oldest === undefined || oldest.untilMonotonic > monotonicNow) return expired
        expired.push(oldest)
        remove(oldest.seq)
      }
    },
  }
}
