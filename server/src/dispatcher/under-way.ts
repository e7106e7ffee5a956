import { createNumberTable } from '../core/number-table.ts'
import type { ClaimedDelivery } from '../storage/storage.ts'
import type { FailingEndpoints } from './failing-endpoints.ts'
import type { HandOffRoom } from './hand-off-room.ts'
import { isPromptVerdict, type SenderResult, type Verdict } from './sender-messages.ts'

/** The deliveries that are with the sender and not recorded yet. */
export interface UnderWay {
  /** From here on the deliveries are the sender's. Room was taken for them before. */
  add(deliveries: readonly ClaimedDelivery[]): void
  /** As `add`, for one that was given no room: the caller waits for its verdict. */
  addAwaited(delivery: ClaimedDelivery): Promise<Verdict>
  deliveryOf(result: SenderResult): ClaimedDelivery | undefined
  /** The result is stored: frees what the delivery held and tells who waits for it. */
  settle(result: SenderResult): void
  isBusy(endpointId: string): boolean
  busyEndpointIds(): Iterable<string>
}

export function createUnderWay(room: HandOffRoom, failing: FailingEndpoints): UnderWay {
  // By lease token: a delivery can be under way twice for a moment, under an expired lease and a new
  // one.
  const deliveries = createNumberTable<ClaimedDelivery>()
  const waiters = new Map<number, (verdict: Verdict) => void>()
  const countByEndpoint = new Map<string, number>()

  const count = (endpointId: string, change: 1 | -1) => {
    const now = (countByEndpoint.get(endpointId) ?? 0) + change
    if (now === 0) countByEndpoint.delete(endpointId)
    else countByEndpoint.set(endpointId, now)
  }
  const add = (delivery: ClaimedDelivery) => {
    deliveries.set(delivery.leaseToken, delivery)
    count(delivery.endpointId, 1)
  }

  return {
    add: (added) => added.forEach(add),
    addAwaited(delivery) {
      add(delivery)
      return new Promise((resolve) => {
        waiters.set(delivery.leaseToken, resolve)
      })
    },
    deliveryOf: (result) => deliveries.get(result.leaseToken),
    settle(result) {
      const key = result.leaseToken
      const delivery = deliveries.remove(key)
      if (delivery === undefined) return
      count(delivery.endpointId, -1)
      const waiter = waiters.get(key)
      waiters.delete(key)
      const { verdict } = result
      if (waiter !== undefined) return waiter(verdict)
      room.settle(delivery.endpointId, dataLength(delivery), verdict.kind !== 'released')
      if (verdict.kind !== 'attempted') return
      room.learn(delivery.endpointId, isPromptVerdict(verdict))
      failing.note(delivery.endpointId, verdict.succeeded)
    },
    isBusy: (endpointId) => countByEndpoint.has(endpointId),
    busyEndpointIds: () => countByEndpoint.keys(),
  }
}

/** In characters: it has to bound memory, not to be exact. */
export function dataLength(delivery: ClaimedDelivery): number {
  return delivery.event.data.length
}
