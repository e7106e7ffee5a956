import type { Clock } from '../core/clock.ts'
import type { ProbeAnswer } from '../core/rotation-evidence.ts'
import type { SecretBox } from '../core/secret-box.ts'
import type {
  ClaimedDelivery,
  CommittedChanges,
  HandOff,
  Storage,
  Transaction,
} from '../storage/storage.ts'
import { createClaimer } from './claimer.ts'
import { createEndpointDirectory } from './endpoint-directory.ts'
import { createFailingEndpoints } from './failing-endpoints.ts'
import { createHandOffRoom } from './hand-off-room.ts'
import { createRecorder, type RecordedOutcome, type SortedResult } from './recorder.ts'
import { createRenewal } from './renewal.ts'
import type { FromSender, SenderProbe, SenderResult, ToSender, Verdict } from './sender-messages.ts'
import { createUnderWay } from './under-way.ts'

/** The sender, in whatever thread it lives. */
export interface SenderLink {
  post(message: ToSender): void
  onMessage(listener: (message: FromSender) => void): void
}

export interface DispatcherOptions {
  storage: Storage
  clock: Clock
  secretBox: SecretBox
  sender: SenderLink
  randomFraction: () => number
  /** Whether due deliveries are brought from the store; false: tests and drills alone are sent. */
  isClaiming: boolean
  defaultRetryScheduleMs: readonly number[]
  /** Moves an endpoint's health on, in the transaction that records the attempts. */
  settleHealth(
    tx: Transaction,
    endpointId: string,
    outcomes: readonly RecordedOutcome[],
  ): Promise<void>
  /** For metrics. */
  onStored(batch: { results: readonly SortedResult[]; fencedCount: number }): void
  onError(message: string, error: unknown): void
}

export interface Dispatcher {
  /** Connect it to the storage before `start`. */
  readonly handOff: HandOff
  start(): void
  /** For the storage's `onCommitted`: resolves when the sender works by the new state. */
  onCommitted(changes: CommittedChanges): Promise<void>
  /** Makes one attempt at once, past every queue, and resolves when it is recorded. */
  attemptNow(delivery: ClaimedDelivery): Promise<Verdict>
  /** Makes one request of a drill; resolves with what came back, also where nothing did. */
  probe(probe: SenderProbe): Promise<ProbeAnswer>
  /** The clock moved: what is due may have changed. */
  wake(): void
  /** Starts nothing new; finishes what is under way within the deadline. */
  stop(deadlineMs: number): Promise<void>
}

/**
 * DELIVERY: take → attempt → record. Deliveries come from a commit's hand-off or are claimed from
 * the store when due; the sender thread attempts them; their results are recorded in batches.
 */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { storage, clock, sender, onError } = options
  let isStopping = false
  const room = createHandOffRoom()
  const failing = createFailingEndpoints(clock)
  const underWay = createUnderWay(room, failing)
  const directory = createEndpointDirectory({
    storage,
    clock,
    secretBox: options.secretBox,
    defaultRetryScheduleMs: options.defaultRetryScheduleMs,
    post: sender.post,
    isBusy: (endpointId) => underWay.isBusy(endpointId) || probed().has(endpointId),
    isStopping: () => isStopping,
    onError,
  })
  const probes = new Map<string, { endpointId: string; end: (answer: ProbeAnswer) => void }>()
  const probed = () => new Set(Array.from(probes.values(), ({ endpointId }) => endpointId))
  const renewal = createRenewal({
    ttlMs: storage.cacheTtlMs,
    renew: directory.renew,
    busyEndpointIds: () => probed().union(new Set(underWay.busyEndpointIds())),
    onError,
  })
  let whenIdle = () => {}
  /** Batches that wait until the sender knows their endpoints; later ones queue up behind them. */
  let batchesWaiting = 0

  const send = (deliveries: readonly ClaimedDelivery[], isImmediate = false) => {
    const endpointIds = deliveries.map((delivery) => delivery.endpointId)
    const post = () => sender.post(messageOf(deliveries, isImmediate))
    renewal.noteUse(endpointIds)
    if (endpointIds.every(directory.isFresh) && batchesWaiting === 0) return post()
    batchesWaiting++
    directory
      .ensure(endpointIds)
      .then(post, (error) => {
        onError('Deliveries could not be handed to the sender; they stay due.', error)
        recorder.add(deliveries.map(releasedResult), [])
      })
      .finally(() => batchesWaiting--)
  }
  const take = (deliveries: readonly ClaimedDelivery[]) => {
    underWay.add(deliveries)
    send(deliveries)
  }
  /** What is due because its endpoint is gone: the sender may not have heard of that yet. */
  const takeClaimed = (claimed: readonly ClaimedDelivery[]) => {
    const orphaned = claimed.filter(({ isEndpointDeleted }) => isEndpointDeleted)
    const owned = claimed.filter(({ isEndpointDeleted }) => !isEndpointDeleted)
    underWay.add(orphaned)
    if (orphaned.length > 0) recorder.add(orphaned.map(orphanedResult), [])
    if (owned.length > 0) take(owned)
  }

  const recorder = createRecorder({
    storage,
    clock,
    underWay,
    randomFraction: options.randomFraction,
    retryScheduleOf: (endpointId) =>
      directory.get(endpointId)?.retryScheduleMs ?? options.defaultRetryScheduleMs,
    settleHealth: options.settleHealth,
    onStored(batch) {
      options.onStored(batch)
      // No commit tells of these: what came back unsent, which is due at once where its endpoint was
      // deleted meanwhile, and what was not recorded because its lease had run out.
      const isUntold = batch.fencedCount > 0 || batch.results.some(({ next }) => next === null)
      if (isUntold) claimer.wake()
      else claimer.roomMade()
    },
    onError,
    isStopping: () => isStopping,
  })
  const claimer = options.isClaiming
    ? createClaimer({ storage, clock, room, pace: failing.pace, send: takeClaimed, onError })
    : idleClaimer

  const endProbe = ({ id, answer }: Extract<FromSender, { kind: 'probed' }>) => {
    probes.get(id)?.end(answer)
    probes.delete(id)
  }

  const receive = (message: FromSender) => {
    if (message.kind === 'results') recorder.add(message.results, message.expiredSecretIds)
    else if (message.kind === 'probed') endProbe(message)
    else if (message.kind === 'acknowledged') directory.acknowledged(message.acknowledge)
    else if (message.kind === 'short') onError(shortOfDescriptors, new Error(message.detail))
    else whenIdle()
  }

  sender.onMessage(receive)

  return {
    handOff: {
      reserve: (endpointId, dataBytes) => !isStopping && room.reserve(endpointId, dataBytes),
      take,
      cancel(reservations) {
        for (const { endpointId, dataBytes } of reservations) room.cancel(endpointId, dataBytes)
      },
    },
    start: claimer.wake,
    async onCommitted(changes) {
      if (changes.hasDueDeliveries) claimer.wake()
      const { endpointIds, projectIds } = changes
      if (endpointIds.size + projectIds.size > 0) await directory.refresh(changes)
    },
    attemptNow(delivery) {
      const verdict = underWay.addAwaited(delivery)
      send([delivery], true)
      return verdict
    },
    async probe(probe) {
      const { id, endpointId } = probe
      await directory.ensure([endpointId])
      renewal.noteUse([endpointId])
      return new Promise((end) => {
        probes.set(id, { endpointId, end })
        sender.post({ kind: 'probe', probe })
      })
    },
    wake: claimer.wake,
    async stop(deadlineMs) {
      isStopping = true
      claimer.stop()
      const idle = new Promise<void>((resolve) => {
        whenIdle = resolve
      })
      sender.post({ kind: 'stop' })
      await withinDeadline(idle, deadlineMs)
      renewal.stop()
      await recorder.settled()
    },
  }
}

const idleClaimer = { wake() {}, roomMade() {}, stop() {} }

const shortOfDescriptors = 'No more connections can be opened; deliveries wait.'

function messageOf(deliveries: readonly ClaimedDelivery[], isImmediate: boolean): ToSender {
  const events: Extract<ToSender, { kind: 'deliveries' }>['events'] = []
  const indexes = new Map<ClaimedDelivery['event'], number>()
  const indexOf = ({ projectId, event }: ClaimedDelivery): number => {
    const known = indexes.get(event)
    if (known !== undefined) return known
    const { id, type, timestamp, data, metadata } = event
    const index = events.push({ id, projectId, type, timestamp, data, metadata }) - 1
    indexes.set(event, index)
    return index
  }
  const sent = deliveries.map((delivery) => ({
    id: delivery.id,
    projectId: delivery.projectId,
    endpointId: delivery.endpointId,
    event: indexOf(delivery),
    attemptNumber: delivery.attemptCount + 1,
    isRetry: delivery.attemptCount > 0,
    isImmediate,
    leaseToken: delivery.leaseToken,
    leaseUntilMonotonic: delivery.leaseUntilMonotonic,
  }))
  return { kind: 'deliveries', events, deliveries: sent }
}

function releasedResult(delivery: ClaimedDelivery): SenderResult {
  return resultOf(delivery, { kind: 'released', notBefore: null })
}

function orphanedResult(delivery: ClaimedDelivery): SenderResult {
  return resultOf(delivery, { kind: 'endpoint_deleted' })
}

function resultOf(delivery: ClaimedDelivery, verdict: Verdict): SenderResult {
  const { id: deliveryId, projectId, endpointId, leaseToken } = delivery
  return { deliveryId, projectId, endpointId, leaseToken, verdict }
}

async function withinDeadline(work: Promise<void>, deadlineMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs)
  })
  await Promise.race([work, late])
  clearTimeout(timer)
}
