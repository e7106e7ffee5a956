import { isFresh } from '../core/cache-lifetime.ts'
import type { Clock } from '../core/clock.ts'
import type { IdPrefix } from '../core/ids.ts'
import { limits } from '../core/limits.ts'
import { afterOutcome, createSendRate, type SendRate, takeAt } from '../core/send-rate.ts'
import type { Format } from '../formats/format.ts'
import { formatOf } from '../formats/registry.ts'
import type { AddressGuard } from './address-guard.ts'
import { type AttemptInput, attempt as makeAttempt } from './attempt.ts'
import { createFairQueue } from './fair-queue.ts'
import { createHeldAttempts, type HeldAttempt } from './held-attempts.ts'
import type { HttpSender } from './http-sender.ts'
import { type Echoes, echoesOf } from './kept-response.ts'
import { probeKeys } from './probe-keys.ts'
import {
  type FromSender,
  isPromptVerdict,
  type SenderDelivery,
  type SenderEndpoint,
  type SenderEvent,
  type SenderProbe,
  type SenderResult,
  type ToSender,
  type Verdict,
} from './sender-messages.ts'
import { createSigning, type Signing } from './signing.ts'

export interface SenderOptions {
  clock: Clock
  newId: (prefix: IdPrefix) => string
  randomBytes: (size: number) => Uint8Array
  http: Pick<HttpSender, 'send'>
  guard: Pick<AddressGuard, 'checkUrl'>
  slotsMax: number
  attemptTimeoutMs: number
  userAgent: string
  post: (message: FromSender) => void
  /** Runs soon, after the present turn of the event loop. */
  soon: (work: () => void) => void
  /** Runs once after a while; a later call replaces an earlier one. */
  wakeAfter: (delayMs: number, work: () => void) => void
}

export interface Sender {
  receive(message: ToSender): void
}

/** Deliveries to an endpoint that may not be sent to for longer than this go back to the store. */
const parkAfterMs = 2_000
/** What may not be signed for looks again after this, if it was not told to before. */
const staleLookAgainMs = 50

/** After a connection could not be opened for want of descriptors; and how often that is told. */
const shortagePauseMs = 1_000
const shortageToldEveryMs = 10_000

/** One delivery on its way through the sender thread. */
interface Job extends SenderDelivery {
  shared: SharedEvent
}

/** An event and the bodies made of it, one per format however many endpoints it goes to. */
interface SharedEvent {
  event: SenderEvent
  bodies: Map<string, Uint8Array>
}

/** What does not come from the endpoint. */
type OwnInput = Pick<AttemptInput, 'body' | 'attemptNumber' | 'keysAt' | 'signedAgoMs'>

interface KnownEndpoint {
  endpoint: SenderEndpoint
  echoes: Echoes
  format: Format
  signing: Signing
  rate: SendRate
  /** Its last attempt ended soon, well or not. */
  isPrompt: boolean
  latched: Set<string>
  urlRefusal: string | null
}

/**
 * The sending half of the dispatcher, in a thread of its own: queues deliveries fairly, makes the
 * attempts, and tells what became of each. Knows no store and keeps nothing across a restart.
 */
export function createSender(options: SenderOptions): Sender {
  const { clock, post, randomBytes } = options
  const endpoints = new Map<string, KnownEndpoint>()
  const queue = createFairQueue<Job>({
    slotsMax: options.slotsMax,
    isPrompt: (endpointId) => endpoints.get(endpointId)?.isPrompt ?? false,
    gate: (job, now) => {
      const known = endpoints.get(job.endpointId)
      // What goes back unsent must not use up the turn of what could be sent.
      if (known === undefined || !hasTime(job)) return 0
      if (!maySign(known)) return now + staleLookAgainMs
      const goesAt = takeAt(known.rate, now)
      if (goesAt - now > parkAfterMs) pausedUntil.set(job.endpointId, goesAt)
      return goesAt
    },
  })
  /**
   * What is left of the lease exceeds the timeout, by what recording may take on a busy machine: an
   * attempt may begin.
   */
  const hasTime = ({ leaseUntilMonotonic }: SenderDelivery) =>
    leaseUntilMonotonic - clock.monotonic() > options.attemptTimeoutMs + limits.leaseRecordingMs
  /** What is known of the endpoint may be signed with: it was read not long ago. */
  const maySign = ({ endpoint }: KnownEndpoint) => isFresh(endpoint.freshUntilMonotonic, clock)
  const pausedUntil = new Map<string, number>()
  const held = createHeldAttempts((endpointId) => {
    const known = endpoints.get(endpointId)
    // Of one that was forgotten, whoever goes on finds out.
    return known === undefined || maySign(known)
  })
  let results: SenderResult[] = []
  let expiredSecretIds: string[] = []
  let inFlight = 0
  let isStopping = false
  let isFlushPlanned = false
  let shortageToldAt = Number.NEGATIVE_INFINITY

  const flush = () => {
    isFlushPlanned = false
    if (results.length > 0 || expiredSecretIds.length > 0) {
      post({ kind: 'results', results, expiredSecretIds })
      results = []
      expiredSecretIds = []
    }
    if (isStopping && inFlight === 0) post({ kind: 'idle' })
  }
  const planFlush = () => {
    if (isFlushPlanned) return
    isFlushPlanned = true
    options.soon(flush)
  }
  const report = (job: SenderDelivery, verdict: Verdict) => {
    results.push({
      deliveryId: job.id,
      projectId: job.projectId,
      endpointId: job.endpointId,
      leaseToken: job.leaseToken,
      verdict,
    })
    planFlush()
  }

  const learn = (endpoint: SenderEndpoint) => {
    const before = endpoints.get(endpoint.id)
    const latched = before?.latched ?? new Set<string>()
    const check = options.guard.checkUrl(endpoint.url)
    // What was learned of the receiver's speed outlives a change of the endpoint.
    const rate = before?.rate ?? createSendRate(endpoint.rateLimitPerSecond)
    rate.limitPerSecond = endpoint.rateLimitPerSecond
    endpoints.set(endpoint.id, {
      endpoint,
      echoes: echoesOf(endpoint.headers),
      format: formatOf(endpoint.format),
      latched,
      signing: createSigning(endpoint.secrets, latched, (secretId) => {
        expiredSecretIds.push(secretId)
        planFlush()
      }),
      rate,
      isPrompt: before?.isPrompt ?? false,
      urlRefusal: check.ok ? null : check.detail,
    })
    queue.reopen(endpoint.id)
    if (endpoint.condition !== 'active') {
      for (const job of queue.drain(endpoint.id)) refuseInactive(job, endpoint.condition)
    }
  }
  const renew = (endpointId: string, freshUntilMonotonic: number) => {
    const known = endpoints.get(endpointId)
    if (known === undefined) return
    known.endpoint.freshUntilMonotonic = freshUntilMonotonic
    queue.reopen(endpointId)
  }
  const refuseInactive = (job: Job, condition: 'disabled' | 'deleted') =>
    report(job, { kind: condition === 'deleted' ? 'endpoint_deleted' : 'skipped' })

  const inputOf = (known: KnownEndpoint, event: SenderEvent, own: OwnInput): AttemptInput => ({
    attemptId: options.newId('att'),
    endpoint: known.endpoint,
    echoes: known.echoes,
    format: known.format,
    event,
    body: own.body,
    attemptNumber: own.attemptNumber,
    timeoutMs: options.attemptTimeoutMs,
    userAgent: options.userAgent,
    now: clock.now,
    keysAt: own.keysAt,
    urlRefusal: known.urlRefusal,
    signedAgoMs: own.signedAgoMs,
  })
  const start = (job: Job, known: KnownEndpoint, finish: () => void) => {
    inFlight++
    const input = inputOf(known, job.shared.event, {
      body: bodyOf(job, known.format),
      attemptNumber: job.attemptNumber,
      // Looked up anew: the endpoint may have learned of a rotation while a connection was made.
      keysAt(now: number) {
        const present = endpoints.get(job.endpointId) ?? known
        return maySign(present) ? present.signing.keysAt(now) : null
      },
      signedAgoMs: 0,
    })
    makeAttempt(options.http, input, (verdict) => {
      inFlight--
      if (verdict.isStale) {
        const giveUp = () => report(job, { kind: 'released', notBefore: null })
        if (!job.isImmediate) {
          giveUp()
          return finish()
        }
        const { endpointId } = job
        return hold({ endpointId, hasTime: () => hasTime(job), goOn: () => enqueue(job), giveUp })
      }
      if (verdict.isOurShortage && !job.isImmediate) {
        noteShortage(verdict.attempt.errorDetail ?? '')
        report(job, { kind: 'released', notBefore: clock.now() + shortagePauseMs })
        return finish()
      }
      noteSpeed(job.endpointId, isPromptVerdict(verdict))
      if (!job.isImmediate) {
        const { retryAfterMs, attempt } = verdict
        const statusCode = attempt.response?.statusCode ?? null
        const outcome = { statusCode, retryAfterMs, startedAt: attempt.startedAt }
        afterOutcome(known.rate, outcome, clock.now())
      }
      report(job, verdict)
      finish()
    })
  }

  const hold = (attempt: HeldAttempt) => {
    if (isStopping) return attempt.giveUp()
    held.hold(attempt)
    pump()
  }

  /** The endpoint may have been learnt anew since the attempt began. */
  const noteSpeed = (endpointId: string, isPrompt: boolean) => {
    const known = endpoints.get(endpointId)
    if (known !== undefined) known.isPrompt = isPrompt
    queue.setPrompt(endpointId, isPrompt)
  }

  const noteShortage = (detail: string) => {
    const now = clock.monotonic()
    if (now - shortageToldAt < shortageToldEveryMs) return
    shortageToldAt = now
    post({ kind: 'short', detail })
  }

  /** Fills the free slots with the deliveries whose turn it is. */
  const pump = () => {
    held.look()
    for (;;) {
      const job = queue.next(clock.now())
      if (job === null) break
      const known = endpoints.get(job.endpointId)
      if (known === undefined || !hasTime(job)) {
        queue.done(job)
        // With what waits behind it: that was leased later, and would overtake it.
        for (const late of [job, ...queue.drain(job.endpointId)]) {
          report(late, { kind: 'released', notBefore: null })
        }
        continue
      }
      start(job, known, () => {
        queue.done(job)
        // Nothing waits for the slot as a rule, and then there is nothing to look at.
        if (queue.size > 0) pump()
      })
    }
    if (pausedUntil.size > 0) parkPaused()
    const wakeAt = queue.wakeAt()
    const wakeAfterMs = wakeAt === null ? Infinity : Math.max(1, wakeAt - clock.now())
    const lookAfterMs = held.size > 0 ? staleLookAgainMs : Infinity
    const soonest = Math.min(wakeAfterMs, lookAfterMs)
    if (soonest < Infinity) options.wakeAfter(soonest, pump)
  }

  /** Gives back what waits for a receiver that asked for patience: the store waits better. */
  const parkPaused = () => {
    for (const [endpointId, notBefore] of pausedUntil) {
      for (const job of queue.drain(endpointId)) report(job, { kind: 'released', notBefore })
    }
    pausedUntil.clear()
  }

  /** Whatever the endpoint's state: whoever asked for it wants to know. */
  const probe = (request: SenderProbe, until = clock.monotonic() + options.attemptTimeoutMs) => {
    const { id, endpointId, event } = request
    const known = endpoints.get(endpointId)
    const giveUp = () => {
      const answer = { at: clock.now(), statusCode: null, error: 'released', durationMs: 0 }
      post({ kind: 'probed', id, answer })
    }
    const keysOf = ({ endpoint }: KnownEndpoint) => probeKeys(request, endpoint, randomBytes)
    if (known === undefined || keysOf(known) === null || known.endpoint.condition === 'deleted') {
      return giveUp()
    }
    inFlight++
    const input = inputOf(known, event, {
      body: Buffer.from(known.format.body(event, id)),
      attemptNumber: 1,
      // Looked up anew, as for a delivery: a secret may have been ended while a connection was made.
      keysAt() {
        const present = endpoints.get(endpointId)
        return present !== undefined && maySign(present) ? keysOf(present) : null
      },
      signedAgoMs: request.signedAgoMs,
    })
    makeAttempt(options.http, input, ({ attempt, isStale }) => {
      inFlight--
      planFlush()
      if (isStale) {
        const hasTime = () => clock.monotonic() < until
        return hold({ endpointId, hasTime, goOn: () => probe(request, until), giveUp })
      }
      const { startedAt: at, durationMs, error, response } = attempt
      const statusCode = response?.statusCode ?? null
      // Only an answer that came whole is one.
      const isAnswer = error === null || error === 'http_status' || error === 'redirect'
      const answer = { at, statusCode: isAnswer ? statusCode : null, error, durationMs }
      post({ kind: 'probed', id, answer })
    })
  }

  const enqueue = (job: Job) => {
    const known = endpoints.get(job.endpointId)
    if (known !== undefined && job.isImmediate) {
      if (known.endpoint.condition === 'deleted') return refuseInactive(job, 'deleted')
      return start(job, known, () => {})
    }
    if (isStopping || known === undefined) {
      return report(job, { kind: 'released', notBefore: null })
    }
    const { condition } = known.endpoint
    if (condition !== 'active') return refuseInactive(job, condition)
    queue.push(job)
  }

  const stop = () => {
    isStopping = true
    held.giveUpAll()
    for (const id of endpoints.keys()) {
      for (const job of queue.drain(id)) report(job, { kind: 'released', notBefore: null })
    }
    planFlush()
  }

  return {
    receive(message) {
      switch (message.kind) {
        case 'endpoints':
          message.endpoints.forEach(learn)
          post({ kind: 'acknowledged', acknowledge: message.acknowledge })
          break
        case 'fresh':
          for (const id of message.endpointIds) renew(id, message.freshUntilMonotonic)
          break
        case 'forget':
          for (const id of message.endpointIds) {
            if (queue.queued(id) === 0) endpoints.delete(id)
          }
          break
        case 'deliveries': {
          const shared = message.events.map((event) => ({ event, bodies: new Map() }))
          for (const delivery of message.deliveries) {
            const own = shared[delivery.event]
            if (own !== undefined) enqueue({ ...delivery, shared: own })
          }
          break
        }
        case 'probe':
          probe(message.probe)
          break
        case 'stop':
          stop()
          break
      }
      pump()
    },
  }
}

function bodyOf({ id, shared }: Job, format: Format): Uint8Array {
  if (format.isBodyPerDelivery) return Buffer.from(format.body(shared.event, id))
  const made = shared.bodies.get(format.name)
  if (made !== undefined) return made
  const body = Buffer.from(format.body(shared.event, id))
  shared.bodies.set(format.name, body)
  return body
}
