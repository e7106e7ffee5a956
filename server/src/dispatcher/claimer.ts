import type { Clock } from '../core/clock.ts'
import { limits } from '../core/limits.ts'
import type { ClaimedDelivery, ClaimPace, ClaimRequest, Storage } from '../storage/storage.ts'
import type { HandOffRoom } from './hand-off-room.ts'
import { dataLength } from './under-way.ts'

/** Brings due deliveries from the store: retries, and what found no room at its commit. */
export interface Claimer {
  /** There may be something due now. */
  wake(): void
  /** Some deliveries are done: looks again if something had to wait for the room that they had. */
  roomMade(): void
  stop(): void
}

/** Between looks while something is due that finds no room, and after a failure. */
const lookAgainMs = 250
/** The longest sleep, so that no timer overflows. */
const sleepMsMax = 60_000

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
        // Inside the loop: a wake during this wait must not be slept through. And without a wait
        // after it, for the same reason.
        sleepUntil(await storage.nextDueAt())
      } while (mustClaimAgain && !isStopped)
    } catch (error) {
      options.onError('Due deliveries could not be claimed; trying again.', error)
      wakeAfter(lookAgainMs)
    } finally {
      isClaiming = false
    }
  }
  const sleepUntil = (dueAt: number | null) => {
    const waitMs = dueAt === null ? null : dueAt - clock.now()
    isStarved = waitMs !== null && waitMs <= 0
    if (isStarved && room.takeOpened()) mustClaimAgain = true
    clearTimeout(timer)
    if (waitMs !== null) wakeAfter(isStarved ? lookAgainMs : waitMs)
  }
  const wakeAfter = (delayMs: number) => {
    clearTimeout(timer)
    if (isStopped) return
    timer = setTimeout(claim, Math.min(Math.max(delayMs, 1), sleepMsMax))
  }

  return {
    wake: () => void claim(),
    roomMade() {
      if (isStarved && room.takeOpened()) void claim()
    },
    stop() {
      isStopped = true
      clearTimeout(timer)
    },
  }
}
