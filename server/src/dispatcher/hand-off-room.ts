import { limits } from '../core/limits.ts'

/**
 * Counts what the sender has been given and has not answered yet, in all and for each endpoint, so
 * that memory stays bounded however far receivers fall behind: what finds no room stays in the
 * store.
 *
 * What is not known to answer soon may take three quarters of it, and an endpoint that was not tried
 * yet a little more: so thousands of receivers that hang leave room for the rest.
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
  /** The endpoint's last attempt ended soon, or did not. */
  learn(endpointId: string, isPrompt: boolean): void
  /** Undoes a reservation. */
  cancel(endpointId: string, dataBytes: number): void
  outstanding(): number
  /** How many deliveries a claim may bring, of whatever endpoint… */
  free(): number
  /** …and of those that answer soon. */
  freeForPrompt(): number
  promptEndpointIds(): ReadonlySet<string>
  /** Endpoints that have all they may have, until a quarter of it is done. */
  fullEndpointIds(): ReadonlySet<string>
  /** Whether, since this was last asked, there is room again where there was none. */
  takeOpened(): boolean
}

interface Share {
  outstanding: number
  bytes: number
  max: number
}

/** At so much of its share an endpoint is full no more: one at a time is not worth a claim. */
const refillShare = 3 / 4
const slowShareMax = 3 / 4
const untriedShareMax = 7 / 8

export function createHandOffRoom(): HandOffRoom {
  const shares = new Map<string, Share>()
  const full = new Set<string>()
  /** Endpoints that were tried; those tried last come last. */
  const tried = new Set<string>()
  let triedLast: string | null = null
  const promptIds = new Set<string>()
  let outstanding = 0
  let outstandingBytes = 0
  /** Of both, what belongs to endpoints that are not known to answer soon. */
  let slow = 0
  let slowBytes = 0
  let hasOpened = false

  const shareOf = (endpointId: string): Share => {
    let share = shares.get(endpointId)
    if (share === undefined) {
      share = { outstanding: 0, bytes: 0, max: limits.handOffPerEndpointMax }
      shares.set(endpointId, share)
    }
    return share
  }
  const noteFullness = (endpointId: string, share: Share) => {
    if (share.outstanding >= share.max) full.add(endpointId)
    else if (share.outstanding <= share.max * refillShare && full.delete(endpointId)) {
      hasOpened = true
    }
    if (share.outstanding === 0 && share.max === limits.handOffPerEndpointMax) {
      shares.delete(endpointId)
    }
  }
  const count = (endpointId: string, change: 1 | -1, dataBytes: number): Share => {
    const share = shareOf(endpointId)
    const changeBytes = change * dataBytes
    share.outstanding += change
    share.bytes += changeBytes
    outstanding += change
    outstandingBytes += changeBytes
    if (!promptIds.has(endpointId)) {
      slow += change
      slowBytes += changeBytes
    }
    return share
  }
  const add = (endpointId: string, dataBytes: number) =>
    noteFullness(endpointId, count(endpointId, 1, dataBytes))
  const mayTake = (endpointId: string, dataBytes: number): boolean => {
    if (promptIds.has(endpointId)) return true
    const isUntried = !tried.has(endpointId) && !shares.has(endpointId)
    const share = isUntried ? untriedShareMax : slowShareMax
    return (
      slow < limits.handOffMax * share && slowBytes + dataBytes <= limits.handOffBytesMax * share
    )
  }
  /** What it has outstanding changes sides with it. */
  const setPrompt = (endpointId: string, isPrompt: boolean) => {
    if (promptIds.has(endpointId) === isPrompt) return
    const { outstanding: own, bytes } = shares.get(endpointId) ?? { outstanding: 0, bytes: 0 }
    slow += isPrompt ? -own : own
    slowBytes += isPrompt ? -bytes : bytes
    if (isPrompt) promptIds.add(endpointId)
    else promptIds.delete(endpointId)
  }

  const freeForPrompt = () =>
    outstandingBytes >= limits.handOffBytesMax ? 0 : Math.max(0, limits.handOffMax - outstanding)
  const free = () => {
    if (slowBytes >= limits.handOffBytesMax * slowShareMax) return 0
    return Math.max(0, Math.min(freeForPrompt(), limits.handOffMax * slowShareMax - slow))
  }
  /** Notices where `change` makes room. */
  const opening = (change: () => void) => {
    const wasFree = free() > 0
    const wasFreeForPrompt = freeForPrompt() > 0
    change()
    if ((!wasFree && free() > 0) || (!wasFreeForPrompt && freeForPrompt() > 0)) hasOpened = true
  }

  return {
    reserve(endpointId, dataBytes) {
      if (outstanding >= limits.handOffMax) return false
      if (outstandingBytes + dataBytes > limits.handOffBytesMax) return false
      if (full.has(endpointId) || !mayTake(endpointId, dataBytes)) return false
      add(endpointId, dataBytes)
      return true
    },
    add,
    settle(endpointId, dataBytes, wasSent) {
      opening(() => {
        const share = count(endpointId, -1, dataBytes)
        share.max = wasSent
          ? Math.min(limits.handOffPerEndpointMax, share.max + 1)
          : Math.max(limits.handOffPerEndpointMin, Math.floor(share.max / 2))
        noteFullness(endpointId, share)
      })
    },
    learn(endpointId, isPrompt) {
      if (promptIds.has(endpointId) !== isPrompt) opening(() => setPrompt(endpointId, isPrompt))
      if (endpointId === triedLast) return
      triedLast = endpointId
      tried.delete(endpointId)
      const oldest =
        tried.size >= limits.senderEndpointsMax ? tried.values().next().value : undefined
      if (oldest !== undefined) {
        setPrompt(oldest, false)
        tried.delete(oldest)
      }
      tried.add(endpointId)
    },
    cancel(endpointId, dataBytes) {
      opening(() => noteFullness(endpointId, count(endpointId, -1, dataBytes)))
    },
    outstanding: () => outstanding,
    free,
    freeForPrompt,
    promptEndpointIds: () => promptIds,
    fullEndpointIds: () => full,
    takeOpened() {
      const had = hasOpened
      hasOpened = false
      return had
    },
  }
}
