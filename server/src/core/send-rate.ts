import { RETRY_AFTER_MAX_MS } from './retry-after.ts'

/**
 * How fast one endpoint may be sent to. Three things hold it back, each on its own: the owner's limit,
 * a rate that follows what the receiver can take, and a pause that the receiver asked for.
 *
 * A plain record that the functions below change; they get the time, and nobody else writes to it,
 * except `limitPerSecond`, which may be set at any time.
 */
export interface SendRate {
  /** The owner's limit, never exceeded in any second; null for none. */
  limitPerSecond: number | null
  /** What the receiver seems to take; null while nothing suggests a limit. */
  adaptivePerSecond: number | null
  /** The receiver asked for a pause until then (`Retry-After`). */
  pausedUntil: number
  /** What the last refusal cost: the pause that came with it; 0 where it was none. */
  pauseMs: number
  /** The next request may leave then, by the rates; in fractions of a millisecond. */
  nextAt: number
  /** The latest time that was passed in: tells when the clock has stepped back. */
  seenAt: number
  /** Requests that left since `windowAt`, and how many left in the second before that. */
  windowAt: number
  sentInWindow: number
  sentInWindowBefore: number
  /** Answers to requests that left after the last cut; older ones fade (`MEMORY_MAX`). */
  acceptedCount: number
  refusedCount: number
  /** The rate at which the receiver last took a part and refused a part. */
  contestedPerSecond: number
  cutAt: number
  /** The first answer to a request that left after the last cut; null until it has come. */
  heardAt: number | null
  refusedAt: number
  raisedAt: number
  /** Failures since the last success, without refusals. */
  failuresInARow: number
}

/** What an attempt tells about the receiver's speed. */
export interface SendOutcome {
  /** When the request left, on the scale of `now`. */
  startedAt: number
  /** Null where there was no answer. */
  statusCode: number | null
  /** As `retryAfterOf` read it. */
  retryAfterMs: number | null
}

/** However often it is refused, an endpoint is tried this often, so that its return is noticed. */
export const RATE_FLOOR_PER_SECOND = 0.2

/**
 * How often one that only fails is tried, however much it has waiting, until the next success: its
 * return is noticed within 50 ms. A receiver that fails at once frees its slot at once: a share of
 * the slots does not hold it back, and with 10,000 retries due every 5 s it cost a healthy endpoint
 * four tenths of its rate; tried 100 times a second, still a twentieth (measured).
 */
export const RATE_FAILING_PER_SECOND = 20

/**
 * How often all that only fail are tried together. Where 200 answered 503 at once, and had 20,000
 * retries due every 5 s, they cost a healthy endpoint a quarter of its rate; tried 1,000 times a
 * second, a seventh (measured).
 */
export const RATE_FAILING_TOGETHER_PER_SECOND = 500

/** So many failures in a row may be chance at an endpoint that is not out of order. */
export const FAILURES_TOLERATED = 20

/** Above this, and four times what was last contested, the adaptive rate is dropped. */
export const RATE_FREE_PER_SECOND = 1000

/** The rate that the first cut starts from, where fewer requests left in the last seconds. */
export const RATE_START_PER_SECOND = 10

export function createSendRate(limitPerSecond: number | null): SendRate {
  return {
    limitPerSecond,
    adaptivePerSecond: null,
    pausedUntil: 0,
    pauseMs: 0,
    nextAt: 0,
    seenAt: 0,
    windowAt: 0,
    sentInWindow: 0,
    sentInWindowBefore: 0,
    acceptedCount: 0,
    refusedCount: 0,
    contestedPerSecond: 0,
    cutAt: NEVER,
    heardAt: null,
    refusedAt: 0,
    raisedAt: 0,
    failuresInARow: 0,
  }
}

/**
 * Asks to send one request. 0: send it now, it is counted. Else: the time at which to ask again,
 * always after `now`.
 *
 * The bucket is hardly deeper than a token: requests leave evenly spaced, not in bursts. A caller who
 * comes late is paid back up to `LATENESS_FORGIVEN_MS`.
 */
export function takeAt(rate: SendRate, now: number): number {
  followClock(rate, now)
  if (now < rate.pausedUntil) return rate.pausedUntil
  const gapMs = gapBetween(rate)
  if (gapMs > 0) {
    if (now < rate.nextAt) return Math.max(Math.ceil(rate.nextAt), now + 1)
    rate.nextAt = Math.max(rate.nextAt, now - LATENESS_FORGIVEN_MS) + gapMs
  }
  countSent(rate, now)
  return 0
}

/**
 * Takes an attempt's outcome into account (delivery.md, Retry): 429, 502 and 504 lower the rate, a
 * success raises it again, `Retry-After` pauses the endpoint. Other failures say nothing about speed;
 * but where nothing else comes for a while, the endpoint is not worth more than `RATE_FAILING_PER_SECOND`.
 */
export function afterOutcome(rate: SendRate, outcome: SendOutcome, now: number): void {
  followClock(rate, now)
  if (isSuccess(outcome)) rate.failuresInARow = 0
  // The adaptive rate has its own answer to refusals, and knows better how many are taken.
  else if (!isRefusal(outcome)) rate.failuresInARow += 1
  if (outcome.retryAfterMs !== null) {
    const pauseMs = Math.min(outcome.retryAfterMs, RETRY_AFTER_MAX_MS)
    rate.pausedUntil = Math.max(rate.pausedUntil, now + pauseMs)
    // A time in which nothing is sent is no calm.
    rate.refusedAt = Math.max(rate.refusedAt, rate.pausedUntil)
  }
  // What was on its way when the rate was cut tells nothing about the new rate.
  if (outcome.statusCode === null || outcome.startedAt < rate.cutAt) return
  if (isRefusal(outcome)) {
    rate.heardAt ??= now
    rate.refusedCount += 1
    if (outcome.statusCode !== 429 && isNoise(rate)) return
    rate.refusedAt = Math.max(now, rate.pausedUntil)
    rate.pauseMs = outcome.retryAfterMs ?? 0
    // A whole second of answers shows which share is refused; the very first cut does not wait, nor
    // does one before a pause, which ends the answers.
    const isOver = rate.cutAt === NEVER || now < rate.pausedUntil
    if (isOver || now - rate.heardAt >= CUT_INTERVAL_MS) cut(rate, now)
  } else if (isSuccess(outcome)) {
    rate.heardAt ??= now
    rate.acceptedCount += 1
    if (rate.adaptivePerSecond !== null) raise(rate, rate.adaptivePerSecond, now)
  }
  if (rate.acceptedCount + rate.refusedCount > MEMORY_MAX) {
    rate.acceptedCount /= 2
    rate.refusedCount /= 2
  }
}

/** The rate in force: the lower of the owner's and the receiver's; null for none. */
export function ratePerSecond(rate: SendRate): number | null {
  if (rate.adaptivePerSecond === null) return rate.limitPerSecond
  return Math.min(rate.adaptivePerSecond, rate.limitPerSecond ?? Number.POSITIVE_INFINITY)
}

/** The rate of each of `count` endpoints that only fail. */
export function failingPerSecond(count: number): number {
  return Math.min(RATE_FAILING_PER_SECOND, RATE_FAILING_TOGETHER_PER_SECOND / count)
}

/** When the clock steps back, every remembered time steps back with it, so no wait grows longer. */
function followClock(rate: SendRate, now: number): void {
  const stepMs = rate.seenAt - now
  rate.seenAt = now
  if (stepMs <= 0) return
  rate.pausedUntil -= stepMs
  rate.nextAt -= stepMs
  rate.windowAt -= stepMs
  rate.cutAt -= stepMs
  if (rate.heardAt !== null) rate.heardAt -= stepMs
  rate.refusedAt -= stepMs
  rate.raisedAt -= stepMs
}

/** Milliseconds between two requests, by the rate in force; 0 for no rate. */
function gapBetween(rate: SendRate): number {
  const { limitPerSecond, adaptivePerSecond } = rate
  // Wider by what can be paid back, so that not even then a second holds more than the limit.
  const limitGapMs =
    limitPerSecond === null ? 0 : (SECOND_MS + LATENESS_FORGIVEN_MS) / limitPerSecond
  const adaptiveGapMs = adaptivePerSecond === null ? 0 : SECOND_MS / adaptivePerSecond
  const failingGapMs =
    rate.failuresInARow < FAILURES_TOLERATED ? 0 : SECOND_MS / RATE_FAILING_PER_SECOND
  return Math.max(limitGapMs, adaptiveGapMs, failingGapMs)
}

function isSuccess({ statusCode }: SendOutcome): boolean {
  return statusCode !== null && statusCode >= 200 && statusCode < 300
}

function isRefusal({ statusCode }: SendOutcome): boolean {
  return statusCode !== null && REFUSALS.has(statusCode)
}

function countSent(rate: SendRate, now: number): void {
  const ageMs = now - rate.windowAt
  if (ageMs >= SECOND_MS) {
    rate.sentInWindowBefore = ageMs < 2 * SECOND_MS ? rate.sentInWindow : 0
    rate.windowAt = now
    rate.sentInWindow = 0
  }
  rate.sentInWindow += 1
}

/**
 * Takes off the share that was refused, and at least a tenth, so that the rate ends below what the
 * receiver takes.
 */
function cut(rate: SendRate, now: number): void {
  const sentPerSecond = Math.max(rate.sentInWindow, rate.sentInWindowBefore, RATE_START_PER_SECOND)
  const before = Math.min(
    rate.adaptivePerSecond ?? sentPerSecond,
    rate.limitPerSecond ?? Number.POSITIVE_INFINITY,
  )
  // A pause cuts off the answers that would tell the share, and is not to be asked for again soon.
  const shareMin = now < rate.pausedUntil ? PAUSED_SHARE_MIN : 0
  const share = Math.max(refusedShare(rate), shareMin)
  // Where nothing is taken any more, nothing is learnt about how much would be.
  const isOutage = rate.acceptedCount === 0 && rate.adaptivePerSecond !== null
  if (!isOutage) rate.contestedPerSecond = before * (1 - share)
  const kept = 1 - Math.min(Math.max(share, CUT_SHARE_MIN), CUT_SHARE_MAX)
  rate.adaptivePerSecond = Math.max(RATE_FLOOR_PER_SECOND, before * kept)
  rate.cutAt = now
  rate.heardAt = null
  rate.raisedAt = now
  rate.acceptedCount = 0
  rate.refusedCount = 0
}

/** A gateway fails now and then without being overloaded; 429 has only one meaning. */
function isNoise(rate: SendRate): boolean {
  return rate.refusedCount < 2 || refusedShare(rate) < GATEWAY_NOISE_SHARE
}

function refusedShare(rate: SendRate): number {
  return rate.refusedCount / (rate.acceptedCount + rate.refusedCount + EVIDENCE_MIN)
}

/**
 * Doubles every second up to nine tenths of what was last contested; from there gently, the more so
 * the longer the pause that a refusal costs, and faster the longer nothing is refused. Time in which
 * nothing was sent does not count for more than a second.
 */
function raise(rate: SendRate, adaptivePerSecond: number, now: number): void {
  const elapsedMs = Math.min(now - rate.raisedAt, SECOND_MS)
  rate.raisedAt = now
  const calmMs = now - rate.refusedAt
  const isContested = adaptivePerSecond >= rate.contestedPerSecond * 0.9
  const slower = 1 + Math.min(rate.pauseMs, RAISE_PAUSE_MAX_MS) / RAISE_QUICKENS_MS
  const doublingsPerSecond = isContested
    ? Math.min(
        1,
        (RAISE_DOUBLINGS_PER_SECOND / slower) * 2 ** (calmMs / (RAISE_QUICKENS_MS * slower)),
      )
    : 1
  const raised = adaptivePerSecond * 2 ** ((doublingsPerSecond * elapsedMs) / SECOND_MS)
  const isFree =
    raised >= RATE_FREE_PER_SECOND && raised >= FREE_OVER_CONTESTED * rate.contestedPerSecond
  rate.adaptivePerSecond = isFree ? null : raised
}

const SECOND_MS = 1000

/** Stays what it is when the clock steps back. */
const NEVER = Number.NEGATIVE_INFINITY

/** A timer is late by a few milliseconds, and must not cost that much of the rate each time. */
const LATENESS_FORGIVEN_MS = 20

const REFUSALS: ReadonlySet<number> = new Set([429, 502, 504])

/** When there are more answers than this, all of them count half. */
const MEMORY_MAX = 32

/** Imagined acceptances that keep one refusal among the first answers from weighing too much. */
const EVIDENCE_MIN = 3

const GATEWAY_NOISE_SHARE = 0.2

const CUT_INTERVAL_MS = 1000
const CUT_SHARE_MIN = 0.1
const CUT_SHARE_MAX = 0.9
const PAUSED_SHARE_MIN = 0.25

/** About 3 % a second, right after a cut. */
const RAISE_DOUBLINGS_PER_SECOND = 0.04
/** The gentle rise doubles in speed after each such time without a refusal. */
const RAISE_QUICKENS_MS = 10_000
/** Beyond this a pause slows the rise no further: one hour's pause must not cost a day. */
const RAISE_PAUSE_MAX_MS = 60_000

const FREE_OVER_CONTESTED = 4
