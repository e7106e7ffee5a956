import type { Clock } from '../core/clock.ts'
import { limits } from '../core/limits.ts'
import { createSingleRun } from '../core/single-run.ts'
import type { AttemptResult, ClaimRelease, Storage, Transaction } from '../storage/storage.ts'
import { nextStep } from './next-step.ts'
import type { AttemptedVerdict, SenderResult } from './sender-messages.ts'
import type { UnderWay } from './under-way.ts'

/** What one attempt says about an endpoint's health. */
export interface RecordedOutcome {
  succeeded: boolean
  exhausted: boolean
  /** The receiver answered 410 Gone. */
  gone: boolean
  /** Null where there was no answer. */
  statusCode: number | null
  /** Which of the request's several secrets the receiver says it verified with. */
  reportedSecretId: string | null
  at: number
}

/** Stores what the sender reports, in batches that grow by themselves while one is written. */
export interface Recorder {
  add(results: readonly SenderResult[], expiredSecretIds: readonly string[]): void
  /** Resolves when everything that was added is stored. */
  settled(): Promise<void>
}

export interface RecorderOptions {
  storage: Pick<Storage, 'transact' | 'releaseClaims'>
  clock: Clock
  underWay: UnderWay
  randomFraction: () => number
  retryScheduleOf: (endpointId: string) => readonly number[]
  settleHealth(
    tx: Transaction,
    endpointId: string,
    outcomes: readonly RecordedOutcome[],
  ): Promise<void>
  /** Told after each batch: something may be due, and there is room again. */
  onStored: (batch: { results: readonly SortedResult[]; fencedCount: number }) => void
  onError: (message: string, error: unknown) => void
  isStopping: () => boolean
}

/** A result beside what the store is to make of it; `next` null: given back unattempted. */
export interface SortedResult {
  result: SenderResult
  next: AttemptResult['next'] | null
  /** Since the event was accepted; null where this was not a first attempt. */
  firstAttemptDelayMs: number | null
  isTest: boolean
}

const tryAgainMs = 250

export function createRecorder(options: RecorderOptions): Recorder {
  const { storage, clock, underWay } = options
  const lastSignedAt = new Map<string, number>()
  const waiting: SenderResult[] = []
  const expired: string[] = []

  /** MUST come through: an outcome that is not recorded means that the delivery is sent again. */
  const writing = createSingleRun(async () => {
    while (waiting.length > 0 || expired.length > 0) {
      const results = waiting.splice(0, limits.writeBatchMax)
      const expiredSecretIds = expired.splice(0)
      while (!(await wrote(results, expiredSecretIds))) {
        if (options.isStopping()) return
        await new Promise((resolve) => setTimeout(resolve, tryAgainMs))
      }
    }
  })
  const wrote = async (results: readonly SenderResult[], expiredSecretIds: readonly string[]) => {
    try {
      await write(results, expiredSecretIds)
      return true
    } catch (error) {
      options.onError('Results could not be recorded; trying again.', error)
      return false
    }
  }

  const write = async (results: readonly SenderResult[], expiredSecretIds: readonly string[]) => {
    const now = clock.now()
    const sorted = results.flatMap((result) => sortOut(result, now))
    const attempts = sorted.flatMap(attemptResultOf)
    const signed = secretsToTouch(attempts, now)

    // First, for it may be repeated: the batch is tried again as a whole when either fails.
    const releases = sorted.flatMap(releaseOf)
    if (releases.length > 0) await storage.releaseClaims(releases)
    let recorded: Recorded = { stored: sorted, fencedCount: 0 }
    if (attempts.length > 0 || expiredSecretIds.length > 0) {
      recorded = await storage.transact(
        async (tx) => {
          const { fencedDeliveryIds } = await tx.recordAttempts(attempts)
          const kept = withoutFenced(sorted, fencedDeliveryIds)
          for (const [endpointId, outcomes] of outcomesByEndpoint(kept.stored)) {
            await options.settleHealth(tx, endpointId, outcomes)
          }
          if (signed.length > 0) await tx.touchSecrets(signed)
          if (expiredSecretIds.length > 0) await tx.latchExpiredSecrets(expiredSecretIds, now)
          return kept
        },
        { isInterleaved: true },
      )
    }
    for (const { id, at } of signed) lastSignedAt.set(id, at)
    for (const { result } of sorted) underWay.settle(result)
    options.onStored({ results: recorded.stored, fencedCount: recorded.fencedCount })
  }

  const sortOut = (result: SenderResult, now: number): SortedResult[] => {
    const delivery = underWay.deliveryOf(result)
    if (delivery === undefined) return []
    const next = nextStep(delivery, result.verdict, {
      now,
      retryScheduleMs: options.retryScheduleOf(result.endpointId),
      randomFraction: options.randomFraction(),
    })
    const isFirst = delivery.attemptCount === 0 && result.verdict.kind === 'attempted'
    const firstAttemptDelayMs =
      isFirst && result.verdict.kind === 'attempted'
        ? result.verdict.attempt.startedAt - delivery.event.createdAt
        : null
    return [{ result, next, firstAttemptDelayMs, isTest: delivery.isTest }]
  }

  /** `last_signed_at` may lag by a minute, so it is not written with every attempt. */
  const secretsToTouch = (attempts: readonly AttemptResult[], now: number) => {
    if (lastSignedAt.size > limits.senderEndpointsMax) lastSignedAt.clear()
    const ids = new Set<string>()
    for (const { attempt } of attempts) {
      for (const id of attempt?.secretIds ?? []) {
        if (now - (lastSignedAt.get(id) ?? 0) >= limits.lastSignedLagMs) ids.add(id)
      }
    }
    return [...ids].map((id) => ({ id, at: now }))
  }

  return {
    add(results, expiredSecretIds) {
      waiting.push(...results)
      expired.push(...expiredSecretIds)
      writing.start()
    },
    settled: writing.settled,
  }
}

function attemptResultOf({ result, next }: SortedResult): AttemptResult[] {
  if (next === null) return []
  const { deliveryId, projectId, endpointId, leaseToken, verdict } = result
  const attempt = verdict.kind === 'attempted' ? verdict.attempt : null
  return [{ deliveryId, projectId, endpointId, leaseToken, attempt, next }]
}

function releaseOf({ result }: SortedResult): ClaimRelease[] {
  const { deliveryId, endpointId, leaseToken, verdict } = result
  if (verdict.kind !== 'released') return []
  return [{ deliveryId, endpointId, leaseToken, notBefore: verdict.notBefore }]
}

interface Recorded {
  stored: readonly SortedResult[]
  fencedCount: number
}

/** Nearly always there is none, and a set that is asked for a new text takes its time. */
function withoutFenced(
  sorted: readonly SortedResult[],
  fencedDeliveryIds: readonly string[],
): Recorded {
  if (fencedDeliveryIds.length === 0) return { stored: sorted, fencedCount: 0 }
  const fenced = new Set(fencedDeliveryIds)
  const stored = sorted.filter(({ result }) => !fenced.has(result.deliveryId))
  return { stored, fencedCount: fenced.size }
}

/** Outcomes that count in an endpoint's health: real attempts, recorded under their lease. */
function outcomesByEndpoint(stored: readonly SortedResult[]): Map<string, RecordedOutcome[]> {
  const byEndpoint = new Map<string, RecordedOutcome[]>()
  for (const { result, next, isTest } of stored) {
    const { verdict, endpointId } = result
    if (verdict.kind !== 'attempted' || isTest) continue
    const outcome: RecordedOutcome = {
      succeeded: verdict.succeeded,
      exhausted: next?.status === 'failed',
      gone: verdict.isGone,
      statusCode: verdict.attempt.response?.statusCode ?? null,
      reportedSecretId: reportedSecretOf(verdict),
      at: verdict.attempt.startedAt + verdict.attempt.durationMs,
    }
    const own = byEndpoint.get(endpointId)
    if (own === undefined) byEndpoint.set(endpointId, [outcome])
    else own.push(outcome)
  }
  return byEndpoint
}

/** Counts only on a success, and only where the receiver had a choice (rotation.md section 5). */
function reportedSecretOf({ succeeded, attempt }: AttemptedVerdict): string | null {
  if (!succeeded || attempt.secretIds.length < 2) return null
  const reported = attempt.response?.headers['webhook-verified-secret']
  return reported !== undefined && attempt.secretIds.includes(reported) ? reported : null
}
