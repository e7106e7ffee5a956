import { limits } from '../core/limits.ts'

/**
 * Counts what the sender has been given and has not answered yet, in all and for each endpoint, so
 * that memory stays bounded however far receivers fall behind: what finds no room stays in the
 * store.
 *
 * An endpoint that gives deliveries back unsent was given more than it can take while a lease
 * lasts; its share is halved then, and grows again by one with each attempt that was made.
 */
export interface HandOffRoom {
  reserve(endpointId: string, dataBytes: number): boolean
  /** Counts claimed deliveries, for which room was asked beforehand. */
  add(endpointId: string, dataBytes: number): void
  /** One delivery is answered: it was attempted, or given back unsent. */
  settle(endpointId: string, dataBytes: number, wasSent: boolean): void
  /** Undoes a reservation. */
  cancel(endpointId: string, dataBytes: number): void
  outstanding(): number
  /** How many deliveries a claim may bring. */
  free(): number
  /** Endpoints that have all they may have. */
  fullEndpointIds(): ReadonlySet<string>
}

interface Share {
  outstanding: number
  max: number
}

export function createHandOffRoom(): HandOffRoom {
  const shares = new Map<string, Share>()
  const full = new Set<string>()
  let outstanding = 0
  let outstandingBytes = 0

  const shareOf = (endpointId: string): Share => {
    let share = shares.get(endpointId)
    if (share === undefined) {
      share = { outstanding: 0, max: limits.handOffPerEndpointMax }
      shares.set(endpointId, share)
    }
    return share
  }
  const noteFullness = (endpointId: string, share: Share) => {
    if (share.outstanding >= share.max) full.add(endpointId)
    else full.delete(endpointId)
    if (share.outstanding === 0 && share.max === limits.handOffPerEndpointMax) {
      shares.delete(endpointId)
    }
  }
  const add = (endpointId: string, dataBytes: number) => {
    const share = shareOf(endpointId)
    share.outstanding++
    outstanding++
    outstandingBytes += dataBytes
    noteFullness(endpointId, share)
  }
  const subtract = (endpointId: string, dataBytes: number): Share => {
    const share = shareOf(endpointId)
    share.outstanding--
    outstanding--
    outstandingBytes -= dataBytes
    return share
  }

  return {
    reserve(endpointId, dataBytes) {
      if (outstanding >= limits.handOffMax) return false
      if (outstandingBytes + dataBytes > limits.handOffBytesMax) return false
      if (full.has(endpointId)) return false
      add(endpointId, dataBytes)
      return true
    },
    add,
    settle(endpointId, dataBytes, wasSent) {
      const share = subtract(endpointId, dataBytes)
      share.max = wasSent
        ? Math.min(limits.handOffPerEndpointMax, share.max + 1)
        : Math.max(limits.handOffPerEndpointMin, Math.floor(share.max / 2))
      noteFullness(endpointId, share)
    },
    cancel(endpointId, dataBytes) {
      noteFullness(endpointId, subtract(endpointId, dataBytes))
    },
    outstanding: () => outstanding,
    free() {
      if (outstandingBytes >= limits.handOffBytesMax) return 0
      return Math.max(0, limits.handOffMax - outstanding)
    },
    fullEndpointIds: () => full,
  }
}
