import type { Principal } from '../core/authorization.ts'
import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { apiLimits } from './api-limits.ts'
import { createStreamReader, type StreamItem, type StreamReaderOptions } from './stream-reader.ts'
import { presentDelivery } from './wire/delivery.ts'
import { eventText } from './wire/event.ts'

/** What one stream is about. */
export interface StreamRequest extends Omit<StreamReaderOptions, 'storage'> {
  principal: Principal
  /** Throws, or rejects, where the caller may no longer read the stream. */
  requireAuthority(): Promise<void> | void
}

/** The streams that this process serves. */
export interface Streams {
  /**
   * The text of a stream, piece by piece as the client takes it, until `closed` is aborted.
   * @throws AppError `rate_limit_exceeded` where the key or the project has too many.
   */
  open(request: StreamRequest): (closed: AbortSignal) => AsyncGenerator<string>
  /** Something was accepted: streams look at once instead of in a while. */
  wake(): void
  /** Ends every stream: the server stops. */
  stop(): void
}

export function createStreams(options: {
  storage: StreamReaderOptions['storage']
  clock: Clock
}): Streams {
  const { storage, clock } = options
  const counts = new Map<string, number>()
  const stopping = new AbortController()
  let woken = Promise.withResolvers<void>()
  // All streams together take a tenth of this thread's time at most.
  let nextPollAt = 0

  const take = (owner: string, max: number) => {
    const count = counts.get(owner) ?? 0
    if (count >= max) throw tooMany(max)
    counts.set(owner, count + 1)
  }
  const giveBack = (owner: string) => {
    const count = (counts.get(owner) ?? 1) - 1
    if (count === 0) counts.delete(owner)
    else counts.set(owner, count)
  }

  /** Tells, in good time, with what a stream ends whose caller may no longer read it. */
  const createRefusal = ({ requireAuthority }: StreamRequest): (() => Promise<string | null>) => {
    let authorizedAt = clock.monotonic()
    return async () => {
      if (clock.monotonic() - authorizedAt < apiLimits.streamAuthorityMs) return null
      try {
        await requireAuthority()
      } catch (error) {
        if (!(error instanceof AppError)) throw error
        return `event: end\ndata: ${JSON.stringify({ code: error.code })}\n\n`
      }
      authorizedAt = clock.monotonic()
      return null
    }
  }

  async function* tell(request: StreamRequest, closed: AbortSignal): AsyncGenerator<string> {
    const reader = createStreamReader({ ...request, storage })
    const refusal = createRefusal(request)
    let toldAt = clock.monotonic()
    // An id without data: whoever is cut off before the first item goes on from here.
    yield `retry: ${apiLimits.streamRetryMs}\nid: ${idOf(request)}\n\n`
    while (!closed.aborted) {
      let end = await refusal()
      if (end !== null) return yield end
      let busyMs = 0
      let wentOnAt = clock.monotonic()
      for await (const item of reader.poll()) {
        // Also in the middle: a client that reads slowly can draw a poll out for hours.
        end = await refusal()
        if (end !== null) return yield end
        toldAt = clock.monotonic()
        busyMs += toldAt - wentOnAt
        yield textOf(item, request.floor)
        // What the client takes is no time of this thread: other streams do not wait for it.
        wentOnAt = clock.monotonic()
      }
      busyMs += clock.monotonic() - wentOnAt
      const restMs = Math.min(busyMs * 9, apiLimits.streamRestMsMax)
      nextPollAt = Math.max(nextPollAt, clock.monotonic() + restMs)
      if (clock.monotonic() - toldAt >= apiLimits.streamSilenceMs) {
        toldAt = clock.monotonic()
        yield ': still here\n\n'
      }
      await pause(closed)
    }
  }

  /** Until something was accepted or a while has passed, and not before it is this thread's turn. */
  const pause = async (closed: AbortSignal) => {
    const turn = Math.max(apiLimits.streamPollMinMs, nextPollAt - clock.monotonic())
    await wait(turn, closed)
    if (!closed.aborted) await Promise.race([woken.promise, wait(apiLimits.streamPollMs, closed)])
  }

  return {
    open(request) {
      const { principal, projectId } = request
      const owner = `key ${principal.actor.id ?? 'root'}`
      const project = `project ${projectId}`
      take(owner, apiLimits.streamsPerKeyMax)
      try {
        take(project, apiLimits.streamsPerProjectMax)
      } catch (error) {
        giveBack(owner)
        throw error
      }
      return async function* (closed) {
        try {
          yield* tell(request, AbortSignal.any([closed, stopping.signal]))
        } finally {
          giveBack(owner)
          giveBack(project)
        }
      }
    },
    wake() {
      woken.resolve()
      woken = Promise.withResolvers()
    },
    stop: () => stopping.abort(),
  }
}

function textOf(item: StreamItem, floor: number): string {
  const { kind, position } = item
  const data =
    kind === 'event'
      ? eventText(item.event)
      : JSON.stringify(kind === 'delivery' ? presentDelivery(item.delivery) : {})
  return `id: ${idOf({ position, floor })}\nevent: ${kind}\ndata: ${data}\n\n`
}

/** Where a stream is, for `Last-Event-ID`; it is the same to every node. */
function idOf({ position, floor }: { position: number; floor: number }): string {
  return `${position}-${floor}`
}

/** What `idOf` wrote; null for anything else. */
export function readStreamId(id: string): { position: number; floor: number } | null {
  const [, position, floor] = /^(\d{1,15})-(\d{1,15})$/.exec(id) ?? []
  return position === undefined ? null : { position: Number(position), floor: Number(floor) }
}

function wait(ms: number, closed: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      closed.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    closed.addEventListener('abort', end)
    if (closed.aborted) end()
  })
}

function tooMany(max: number): AppError {
  return new AppError('rate_limit_exceeded', {
    detail: `There may be ${max} streams at once. Close one first.`,
    retryAfterSeconds: apiLimits.overloadedRetryAfterSeconds,
  })
}
