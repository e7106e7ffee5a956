import type { Clock } from '../core/clock.ts'
import { limits } from '../core/limits.ts'
import type { ClaimedDelivery, ClaimPace, ClaimRequest, Storage } from '../storage/storage.ts'
import type { HandOffRoom } from './hand-off-room.ts'
import { dataLength } from './under-way.ts'

/** Brings due deliveries from the store: retries, and what found no room at its commit. */
export interface Claimer {
  /** There may be something due now. */
  wake(): void
  /** There is something due then. */
  noteDue(dueAt: number): void
  /** Some deliveries are done: looks again if something had to wait for the room that they had. */
  roomMade(): void
  stop(): void
}

/** Between looks while something is due that finds no room, and after a failure. */
const lookAgainMs = 250
/** The longest sleep, so that no timer overflows. */
const sleepMsMax = 60_000
const never = Number.POSITIVE_INFINITY

export function createClaimer(options: {
  storage: Pick<Storage, 'claimDue' | 'nextDueAt'>
  clock: Clock
  room: HandOffRoom
  pace: () => ClaimPace | undefined
  send: (deliveries: readonly ClaimedDelivery[]) => void
  onError: (message: string, error: unknown) => void
}): Claimer {
  const { storage, clock, room } = options
  let isStopped = false
  let isClaiming = false
  let mustClaimAgain = false
  let isStarved = false
  let timer: NodeJS.Timeout | undefined
  /** When `timer` looks again. */
  let looksAt = never
  /** What was heard of while the store was asked, and may be in its answer or not. */
  let notedAt = never

  const claimAll = async () => {
    // Where others fill the room, what goes out quickly would wait behind all that they have.
    if (room.free() < limits.claimBatchMax) {
      await claimWhile(room.freeForPrompt, { onlyEndpointIds: room.promptEndpointIds() })
    }
    await claimWhile(room.free, {})
  }
  const claimWhile = async (
    free: () => number,
    more: Pick<ClaimRequest, 'onlyEndpointIds'>,
  ): Promise<void> => {
    while (!isStopped && free() > 0) {
      const pace = options.pace()
      const claimed = await storage.claimDue({
        limit: Math.min(limits.claimBatchMax, free()),
        perEndpointMax: limits.claimPerEndpointMax,
        fullEndpointIds: room.fullEndpointIds(),
        ...(pace ? { pace } : {}),
        ...more,
      })
      if (claimed.length === 0) return
      for (const delivery of claimed) room.add(delivery.endpointId, dataLength(delivery))
      options.send(claimed)
    }
  }
  const claim = async () => {
    if (isClaiming) {
      mustClaimAgain = true
      return
    }
    isClaiming = true
    try {
      do {
        mustClaimAgain = false
        room.takeOpened()
        await claimAll()
        // Inside the loop: a wake during this wait must not be slept through.
        notedAt = never
        sleepUntil((await storage.nextDueAt()) ?? never)
        // No wait between this and the end: what is heard of from here on is for the timer.
      } while (mustClaimAgain && !isStopped)
    } catch (error) {
      options.onError('Due deliveries could not be claimed; trying again.', error)
      wakeAfter(lookAgainMs)
    } finally {
      isClaiming = false
    }
  }
  const sleepUntil = (dueAt: number) => {
    const now = clock.now()
    isStarved = dueAt <= now
    if (isStarved && room.takeOpened()) mustClaimAgain = true
    wakeAfter(Math.min(isStarved ? lookAgainMs : dueAt - now, notedAt - now))
  }
  const wakeAfter = (delayMs: number) => {
    clearTimeout(timer)
    looksAt = never
    if (isStopped || delayMs === never) return
    const waitMs = Math.min(Math.max(delayMs, 1), sleepMsMax)
    looksAt = clock.now() + waitMs
    timer = setTimeout(claim, waitMs)
  }

  return {
    wake: () => void claim(),
    noteDue(dueAt) {
      if (isClaiming) notedAt = Math.min(notedAt, dueAt)
      else if (dueAt < looksAt) wakeAfter(dueAt - clock.now())
    },
    roomMade() {
      if (isStarved && room.takeOpened()) void claim()
    },
    stop() {
      isStopped = true
      clearTimeout(timer)
    },
  }
}
