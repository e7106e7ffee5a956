import { Buffer } from 'node:buffer'
import { hash } from 'node:crypto'
import type { ActionContext } from '../actions/action-context.ts'
import { AppError, invalidField } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { idempotencyContext } from '../core/secret-box.ts'
import {
  type IdempotentAnswer,
  type Storage,
  StorageConflictError,
  type Transaction,
} from '../storage/storage.ts'
import { type Answer, jsonContentType } from './answer.ts'
import { toAppError } from './problem.ts'
import type { Surface } from './surface.ts'

export const idempotencyHeader = 'idempotency-key'
/** Set on an answer that was kept from an earlier request. */
export const replayedHeader = 'idempotent-replayed'

/** One POST under an Idempotency-Key. */
export interface KeyedRequest<Result> {
  key: string
  method: string
  /** As sent, without the query. */
  path: string
  /** The raw body: two bodies are the same when their bytes are. */
  bytes: Uint8Array
  holdsSecret: boolean
  context: ActionContext
  act(context: ActionContext): Promise<Result>
  /** Pure, so that the answer can be kept in the transaction of its effect. */
  present(result: Result): Answer
  presentError: Surface['presentError']
}

export interface Idempotency {
  /** Acts once however often the request comes, and answers the same each time. */
  answerOnce<Result>(request: KeyedRequest<Result>): Promise<Answer>
}

/**
 * Keeps answers for 24 hours per API key, method, path and Idempotency-Key, in the transaction of
 * their effect: after a crash both are there or neither is (api.md, Conventions).
 */
export function createIdempotency(options: {
  /** How long a twin waits for the request that came first. */
  waitMs: number
}): Idempotency {
  // One request at a time for each scope, in this process. Between nodes the store decides.
  const running = new Map<string, Promise<void>>()

  return {
    async answerOnce(request) {
      refuseBadKey(request.key)
      const scope = scopeOf(request)
      const endTurn = await takeTurn(running, scope, request.context, options.waitMs)
      try {
        return (await replay(scope, request)) ?? (await actAndKeep(scope, request))
      } finally {
        endTurn()
      }
    },
  }
}

function refuseBadKey(key: string): void {
  if (key.length >= 1 && key.length <= limits.idempotencyKeyLengthMax) return
  throw invalidField(
    'Idempotency-Key',
    `Must have 1 to ${limits.idempotencyKeyLengthMax} characters.`,
  )
}

/** The key itself is not stored, and cannot be told from what is. */
function scopeOf({ key, method, path, context }: KeyedRequest<unknown>): string {
  const { actor } = context.principal
  // Both root keys are one caller, so that a retry survives their rotation.
  return hash('sha256', JSON.stringify([actor.type, actor.id, method, path, key]))
}

/** Waits until nobody runs under this scope and takes the turn in the same step; ends it when called. */
async function takeTurn(
  running: Map<string, Promise<void>>,
  scope: string,
  { clock }: ActionContext,
  waitMs: number,
): Promise<() => void> {
  const waitsUntil = clock.monotonic() + waitMs
  for (let first = running.get(scope); first !== undefined; first = running.get(scope)) {
    const timeout = Promise.withResolvers<'timeout'>()
    const leftMs = Math.max(0, waitsUntil - clock.monotonic())
    const timer = setTimeout(timeout.resolve, leftMs, 'timeout')
    const winner = await Promise.race([first, timeout.promise])
    clearTimeout(timer)
    if (winner === 'timeout') {
      throw new AppError('idempotency_in_flight', {
        detail: `The first request with this key has not ended within ${waitMs} ms.`,
      })
    }
  }
  const turn = Promise.withResolvers<void>()
  running.set(scope, turn.promise)
  return () => {
    running.delete(scope)
    turn.resolve()
  }
}

/** The answer that was kept, or null where this is the first such request. */
async function replay(scope: string, request: KeyedRequest<unknown>): Promise<Answer | null> {
  const { storage, clock, secretBox } = request.context
  const kept = await storage.findIdempotentAnswer(scope, clock.now())
  if (kept === null) return null
  if (kept.bodyHash !== bodyHashOf(request)) {
    throw new AppError('idempotency_key_reused', {
      detail: 'This key was used on the same path for a request with another body.',
    })
  }
  await untilKnownEverywhere(storage, { createdAt: kept.createdAt, now: clock.now() })
  return {
    status: kept.statusCode,
    contentType: kept.contentType,
    text: kept.isSealed
      ? secretBox.open(kept.body, idempotencyContext(scope))
      : Buffer.from(kept.body).toString('utf8'),
    headers: { ...kept.headers, [replayedHeader]: 'true' },
  }
}

/**
 * The first request may have been cut off before its answer: then what it changed may not be known
 * to every node yet, and the answer promises that it is (rotation.md section 2).
 */
async function untilKnownEverywhere(
  { cacheTtlMs }: Pick<Storage, 'cacheTtlMs'>,
  { createdAt, now }: { createdAt: number; now: number },
): Promise<void> {
  if (cacheTtlMs === 0 || createdAt + cacheTtlMs + commitMsMax < now) return
  await new Promise((resolve) => setTimeout(resolve, cacheTtlMs))
}

/** No transaction of the store takes longer. */
const commitMsMax = 30_000

async function actAndKeep<Result>(scope: string, request: KeyedRequest<Result>): Promise<Answer> {
  const { storage } = request.context
  const problemOf = (error: AppError) =>
    request.presentError(error, { requestId: request.context.requestId ?? '' })
  const keep = async (tx: Transaction, answer: Answer) => {
    await tx.insertIdempotentAnswer(scope, recordOf(scope, request, answer))
    return answer
  }
  let kept: Answer | null = null
  const context: ActionContext = {
    ...request.context,
    keepsAnswer: true,
    transact: (work) =>
      storage.transact(async (tx) => {
        const result = await work(tx)
        // What the transaction of an action results in is what the action results in.
        kept = await keep(tx, request.present(result as Result & typeof result))
        return result
      }),
  }
  try {
    const result = await request.act(context)
    return kept ?? (await storage.transact((tx) => keep(tx, request.present(result))))
  } catch (error) {
    if (isOvertaken(error)) return overtaken(scope, request)
    const refusal = toAppError(error)
    if (!isKept(refusal)) throw error
    return await storage
      .transact((tx) => keep(tx, problemOf(refusal)))
      .catch((reason) => {
        if (isOvertaken(reason)) return overtaken(scope, request)
        throw reason
      })
  }
}

/** Another node kept its answer first; ours has changed nothing. */
async function overtaken(scope: string, request: KeyedRequest<unknown>): Promise<Answer> {
  const answer = await replay(scope, request)
  if (answer !== null) return answer
  throw new AppError('idempotency_in_flight', {
    detail: 'Another request with this key came first.',
  })
}

function isOvertaken(error: unknown): boolean {
  return error instanceof StorageConflictError && error.constraint === 'idempotency_key'
}

/**
 * The action's own refusals are kept; what may go better next time is not. Neither are fields at
 * fault: nothing has happened, and the body that puts them right may come under the same key.
 */
function isKept({ status, code }: AppError): boolean {
  return keptRefusals.has(status) && code !== 'validation_failed'
}

const keptRefusals: ReadonlySet<number> = new Set([404, 409, 422])

function recordOf(scope: string, request: KeyedRequest<unknown>, answer: Answer): IdempotentAnswer {
  const { clock, secretBox } = request.context
  // A refusal may repeat what the caller sent, and a caller may have put a secret in a wrong place.
  const isSealed = request.holdsSecret || answer.status >= 400
  const text = answer.text ?? ''
  const now = clock.now()
  return {
    bodyHash: bodyHashOf(request),
    statusCode: answer.status,
    contentType: answer.contentType ?? jsonContentType,
    headers: answer.headers ?? {},
    body: isSealed ? secretBox.seal(text, idempotencyContext(scope)) : Buffer.from(text),
    isSealed,
    createdAt: now,
    expiresAt: now + limits.idempotencyKeptMs,
  }
}

function bodyHashOf({ bytes }: KeyedRequest<unknown>): string {
  return hash('sha256', bytes)
}
