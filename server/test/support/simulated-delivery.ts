import assert from 'node:assert/strict'
import { limits } from '../../src/core/limits.ts'
import { retryAfterOf } from '../../src/core/retry-after.ts'
import { createHandOffRoom } from '../../src/dispatcher/hand-off-room.ts'
import type { Exchange, OutgoingRequest } from '../../src/dispatcher/http-sender.ts'
import { nextStep } from '../../src/dispatcher/next-step.ts'
import { createSender } from '../../src/dispatcher/sender.ts'
import type { FromSender, SenderResult } from '../../src/dispatcher/sender-messages.ts'
import {
  addToHeap,
  createTimeHeap,
  earliest,
  type HeapLinks,
  removeFromHeap,
  type TimeHeap,
} from '../../src/dispatcher/time-heap.ts'

/**
 * Delivery on a clock of its own, so that hours pass in seconds: the real sender with its queue, send
 * rates and leases, the real rules of retries and of the room for hand-offs, and in place of the
 * store and the network a list and a function. Single-threaded and without waits: the same input
 * gives the same run.
 */
export interface Simulation {
  readonly now: number
  addEndpoint(options: SimulatedEndpointOptions): SimulatedEndpoint
  /** Lets so much time pass. */
  pass(ms: number): void
}

export interface SimulatedEndpointOptions {
  projectId: string
  /** Events a second, at a time since the start of the simulation; asked again at each event. */
  perSecond: (elapsedMs: number) => number
  receiver: SimulatedReceiver
  limitPerSecond?: number
}

/** Answers a request, at a time since the start of the simulation. */
export type SimulatedReceiver = (elapsedMs: number) => SimulatedAnswer

export interface SimulatedAnswer {
  /** Null: the connection is refused, or no answer comes at all. */
  statusCode: number | null
  /** Infinity: until the attempt's own timeout. */
  afterMs: number
  retryAfterSeconds?: number
}

export interface SimulatedEndpoint {
  readonly acceptedCount: number
  readonly deliveredCount: number
  readonly failedCount: number
  /** Neither delivered nor given up. */
  readonly pendingCount: number
  /** Something is due and not under way, since about when. */
  readonly hasWaiting: boolean
  readonly waitingSince: number
  /** Each request, in the order in which they were sent. */
  readonly requests: readonly SimulatedRequest[]
}

export interface SimulatedRequest {
  /** Which event of the endpoint: they are numbered as they were accepted. */
  number: number
  isFirst: boolean
  acceptedAt: number
  sentAt: number
  /** When it was answered, or failed. */
  endedAt: number
  statusCode: number | null
  /** As the sender understands it; null for none. */
  retryAfterMs: number | null
}

export interface SimulationOptions {
  slotsMax: number
  attemptTimeoutMs: number
  retryScheduleMs: readonly number[]
  /** From 0 to 1. */
  random: () => number
}

interface Delivery extends HeapLinks {
  number: number
  endpoint: Endpoint
  createdAt: number
  dueAt: number
  attemptCount: number
}

interface Endpoint extends SimulatedEndpoint {
  id: string
  options: SimulatedEndpointOptions
  acceptedCount: number
  deliveredCount: number
  failedCount: number
  requests: SimulatedRequest[]
  /** Neither delivered nor given up, by number. */
  open: Map<number, Delivery>
  /** What nobody has leased, by when it is due, then by number. */
  due: TimeHeap<Delivery>
  notBefore: number
  /** Leased, and not under way. */
  queuedCount: number
}

interface Timer extends HeapLinks {
  run: () => void
}

const beginAt = 1_800_000_000_000
const dataBytes = 100
/** Of one endpoint: more than any simulation gets to. */
const numbersMax = 2 ** 22
/** As the dispatcher's claimer does while something is due that finds no room. */
const lookAgainMs = 250

export function createSimulation(options: SimulationOptions): Simulation {
  const timers = createTimeHeap<Timer>()
  const endpoints = new Map<string, Endpoint>()
  const leased = new Map<number, Delivery>()
  const room = createHandOffRoom()
  let now = beginAt
  let lastToken = 0
  let claimTimer: Timer | null = null
  let isStarved = false

  const at = (time: number, run: () => void): Timer => {
    const timer = { wakeAt: Math.max(now, Math.ceil(time)), heapIndex: 0, run }
    addToHeap(timers, timer)
    return timer
  }
  const cancel = (timer: Timer | null) => {
    if (timer !== null && timers.members[timer.heapIndex] === timer) removeFromHeap(timers, timer)
  }
  let wakeTimer: Timer | null = null
  let ids = 0
  const sender = createSender({
    clock: { now: () => now, monotonic: () => now },
    newId: (prefix) => `${prefix}_${++ids}`,
    randomBytes: (size) => new Uint8Array(size),
    http: { send: (request, done) => send(request, done) },
    guard: { checkUrl: (text) => ({ ok: true, url: new URL(text) }) },
    slotsMax: options.slotsMax,
    attemptTimeoutMs: options.attemptTimeoutMs,
    userAgent: 'Simulation',
    post: (message) => void at(now, () => receive(message)),
    soon: (work) => void at(now, work),
    wakeAfter(delayMs, work) {
      cancel(wakeTimer)
      wakeTimer = at(now + delayMs, work)
    },
  })

  /** The network: asks the receiver, and lets the answer come in its time. */
  const send = (request: OutgoingRequest, done: (exchange: Exchange) => void) => {
    const endpoint = endpointAt(new URL(request.url).hostname.split('.')[0])
    const requestHeaders = request.sign()
    assert(requestHeaders !== null, 'What is known of the endpoints never grows too old.')
    const delivery = endpoint.open.get(Number(requestHeaders['webhook-id']))
    assert(delivery !== undefined, 'What is finished is not sent again.')
    const answer = endpoint.options.receiver(now - beginAt)
    const { retryAfterSeconds } = answer
    const durationMs = Math.min(answer.afterMs, request.timeoutMs)
    const statusCode = answer.afterMs > request.timeoutMs ? null : answer.statusCode
    const recorded = {
      number: delivery.number,
      isFirst: delivery.attemptCount === 0,
      acceptedAt: delivery.createdAt,
      sentAt: now,
      endedAt: now + durationMs,
      statusCode,
      retryAfterMs:
        retryAfterSeconds === undefined || statusCode === null
          ? null
          : retryAfterOf(statusCode, String(retryAfterSeconds), now + durationMs),
    }
    endpoint.requests.push(recorded)
    endpoint.queuedCount -= 1
    at(now + durationMs, () =>
      done(
        statusCode === null
          ? {
              kind: 'error',
              error: answer.afterMs > request.timeoutMs ? 'timeout' : 'connect',
              detail: 'simulated',
              response: null,
              isOurShortage: false,
              requestHeaders,
              durationMs,
            }
          : {
              kind: 'response',
              statusCode,
              headers:
                retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) },
              body: new Uint8Array(),
              bodyTruncated: false,
              requestHeaders,
              durationMs,
            },
      ),
    )
  }

  const endpointAt = (id: string | undefined): Endpoint => {
    const endpoint = endpoints.get(id ?? '')
    assert(endpoint !== undefined, `There is no endpoint ${id}.`)
    return endpoint
  }

  const accept = (endpoint: Endpoint) => {
    endpoint.acceptedCount += 1
    const number = endpoint.acceptedCount
    const delivery = {
      number,
      endpoint,
      createdAt: now,
      dueAt: now,
      attemptCount: 0,
      wakeAt: 0,
      heapIndex: 0,
    }
    endpoint.open.set(number, delivery)
    const holdsDue = (earliest(endpoint.due)?.dueAt ?? Infinity) <= now
    if (!holdsDue && room.reserve(endpoint.id, dataBytes)) return handOver([delivery])
    putBack(delivery)
    if (!room.fullEndpointIds().has(endpoint.id)) claim()
  }
  const publish = (endpoint: Endpoint) => {
    const perSecond = endpoint.options.perSecond(now - beginAt)
    if (perSecond > 0) accept(endpoint)
    at(now + 1000 / (perSecond || 1), () => publish(endpoint))
  }

  /** The store: what is due of an endpoint, oldest first. */
  const putBack = (delivery: Delivery) => {
    delivery.wakeAt = (delivery.dueAt - beginAt) * numbersMax + delivery.number
    addToHeap(delivery.endpoint.due, delivery)
  }
  const handOver = (deliveries: readonly Delivery[]) => {
    sender.receive({
      kind: 'deliveries',
      events: deliveries.map(({ number, endpoint }) => ({
        id: String(number),
        projectId: endpoint.options.projectId,
        type: 'a.b',
        timestamp: '2026-11-21T12:00:00.000Z',
        data: '{}',
        metadata: '{}',
      })),
      deliveries: deliveries.map((delivery, event) => {
        leased.set(++lastToken, delivery)
        delivery.endpoint.queuedCount += 1
        return {
          id: `${delivery.endpoint.id}-${delivery.number}`,
          projectId: delivery.endpoint.options.projectId,
          endpointId: delivery.endpoint.id,
          event,
          attemptNumber: delivery.attemptCount + 1,
          isRetry: delivery.attemptCount > 0,
          isImmediate: false,
          leaseToken: lastToken,
          leaseUntilMonotonic: now + options.attemptTimeoutMs + limits.leaseMarginMs,
        }
      }),
    })
  }

  const readyAt = ({ due, notBefore }: Endpoint) => {
    return Math.max(earliest(due)?.dueAt ?? Infinity, notBefore)
  }
  const claimBatch = (): Delivery[] => {
    const claimed: Delivery[] = []
    const full = room.fullEndpointIds()
    const ready = [...endpoints.values()]
      .filter((endpoint) => readyAt(endpoint) <= now && !full.has(endpoint.id))
      .sort((a, b) => readyAt(a) - readyAt(b))
    const limit = Math.min(limits.claimBatchMax, room.free())
    for (const { due } of ready) {
      const most = Math.min(limits.claimPerEndpointMax, limit - claimed.length)
      for (let count = 0; count < most; count++) {
        const delivery = earliest(due)
        if (delivery === undefined || delivery.dueAt > now) break
        removeFromHeap(due, delivery)
        claimed.push(delivery)
      }
    }
    return claimed
  }
  const claim = () => {
    for (let batch = claimBatch(); batch.length > 0; batch = claimBatch()) {
      for (const { endpoint } of batch) room.add(endpoint.id, dataBytes)
      handOver(batch)
    }
    sleepUntilDue()
  }
  const sleepUntilDue = () => {
    const dueAt = Math.min(...[...endpoints.values()].map(readyAt))
    isStarved = dueAt <= now
    cancel(claimTimer)
    claimTimer = null
    if (dueAt < Infinity) claimTimer = at(isStarved ? now + lookAgainMs : dueAt, claim)
  }

  /** The main thread: what the recorder makes of results. */
  const receive = (message: FromSender) => {
    if (message.kind !== 'results') return
    const isDueEarlier = message.results.map(settle).some((isPending) => isPending)
    if (isDueEarlier || isStarved) claim()
  }
  const settle = ({ leaseToken, endpointId, verdict }: SenderResult): boolean => {
    const delivery = leased.get(leaseToken)
    assert(delivery !== undefined, 'The sender answers for what it was given, once.')
    leased.delete(leaseToken)
    room.settle(endpointId, dataBytes, verdict.kind !== 'released')
    const { endpoint } = delivery
    const next = nextStep({ seriesAttemptCount: delivery.attemptCount, isTest: false }, verdict, {
      now,
      retryScheduleMs: options.retryScheduleMs,
      randomFraction: options.random(),
    })
    if (verdict.kind === 'released') {
      endpoint.queuedCount -= 1
      endpoint.notBefore = Math.max(endpoint.notBefore, verdict.notBefore ?? 0)
    } else {
      delivery.attemptCount += 1
    }
    if (next === null || next.status === 'pending') {
      if (next !== null) delivery.dueAt = next.dueAt
      putBack(delivery)
      return true
    }
    endpoint.open.delete(delivery.number)
    if (next.status === 'delivered') endpoint.deliveredCount += 1
    else endpoint.failedCount += 1
    return false
  }

  return {
    get now() {
      return now
    },
    addEndpoint(given) {
      const id = `e${endpoints.size + 1}`
      const endpoint: Endpoint = {
        id,
        options: given,
        acceptedCount: 0,
        deliveredCount: 0,
        failedCount: 0,
        requests: [],
        open: new Map(),
        get pendingCount() {
          return endpoint.open.size
        },
        due: createTimeHeap(),
        notBefore: 0,
        queuedCount: 0,
        get hasWaiting() {
          return endpoint.queuedCount > 0 || (earliest(endpoint.due)?.dueAt ?? Infinity) <= now
        },
        get waitingSince() {
          return endpoint.queuedCount > 0
            ? 0
            : Math.max(earliest(endpoint.due)?.dueAt ?? 0, endpoint.notBefore)
        },
      }
      endpoints.set(id, endpoint)
      sender.receive({ kind: 'endpoints', acknowledge: 0, endpoints: [senderEndpoint(endpoint)] })
      publish(endpoint)
      return endpoint
    },
    pass(ms) {
      const until = now + ms
      for (let timer = earliest(timers); timer && timer.wakeAt <= until; timer = earliest(timers)) {
        removeFromHeap(timers, timer)
        now = timer.wakeAt
        timer.run()
      }
      now = until
    },
  }
}

function senderEndpoint({ id, options }: Endpoint) {
  return {
    id,
    projectId: options.projectId,
    url: `https://${id}.example/`,
    format: 'standard',
    ...{ isSigned: false, hasSecretIds: false },
    condition: 'active' as const,
    headers: {},
    rateLimitPerSecond: options.limitPerSecond ?? null,
    freshUntilMonotonic: Number.POSITIVE_INFINITY,
    secrets: [],
  }
}
