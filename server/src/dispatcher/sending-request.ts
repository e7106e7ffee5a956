import assert from 'node:assert'
import type { ConnectionPool } from './connection-pool.ts'
import type { Deadline, DeadlineWheel } from './deadline-wheel.ts'
import type { Dialer, DialTarget } from './dialer.ts'
import type { HttpConnection, ResponseHandler } from './http-connection.ts'
import type { Exchange, OutgoingRequest, SendError } from './http-sender.ts'
import type { ResponseHead } from './response-head.ts'
import { ResponseRecord } from './response-record.ts'
import { classifyFailure, toDetail } from './send-failure.ts'
import type { TransportLimits } from './transport-limits.ts'

/** A URL that was checked, in the parts that sending needs. */
export interface Destination extends DialTarget {
  /** Scheme, host and port: what connections are shared by. */
  readonly origin: string
  /** With the query. */
  readonly path: string
}

/** What every request of one sender shares. */
export interface SenderParts {
  wheel: DeadlineWheel
  pool: ConnectionPool
  dialer: Dialer
  limits: TransportLimits
  monotonicNow: () => number
  onBug: (error: unknown) => void
  /**
   * In no order. Not a Set: under this churn a Set leaves chains of outgrown tables behind, which
   * keep finished requests alive until the next full collection (measured: 80 MB more).
   */
  inFlight: SendingRequest[]
}

const notSigned = 'The request could not be signed; nothing was sent.'

/**
 * One request on its way: a connection is taken or dialled, the request signed and dispatched, the
 * response recorded. It is the connection's handler itself, to spare an object on each request.
 */
export class SendingRequest implements ResponseHandler {
  readonly #parts: SenderParts
  readonly #request: OutgoingRequest
  readonly #done: (exchange: Exchange) => void
  readonly #startedAtMs: number
  /** Its place in `inFlight`. */
  #index: number
  #destination: Destination | null = null
  #deadline: Deadline | null = null
  #dialing: { cancel(): void } | null = null
  #connection: HttpConnection | null = null
  #requestHeaders: Record<string, string> | null = null
  #isWritten = false
  #hasResponseBegun = false
  #response: ResponseRecord | null = null
  #exchange: Exchange | null = null

  constructor(parts: SenderParts, request: OutgoingRequest, done: (exchange: Exchange) => void) {
    this.#parts = parts
    this.#request = request
    this.#done = done
    this.#startedAtMs = parts.monotonicNow()
    this.#index = parts.inFlight.push(this) - 1
  }

  start(destination: Destination): void {
    this.#destination = destination
    this.#deadline = this.#parts.wheel.arm(
      this.#request.timeoutMs,
      () => this.#onDeadline(),
      this.#startedAtMs,
    )
    const connection = this.#parts.pool.take(destination.origin)
    if (connection === null) this.#dial(destination)
    else this.#dispatchOn(connection, this.#startedAtMs)
  }

  fail(error: SendError, detail: string, isOurShortage = false): void {
    this.#settle({
      kind: 'error',
      error,
      detail: toDetail(detail, this.#parts.limits.errorDetailLengthMax),
      isOurShortage,
      requestHeaders: this.#requestHeaders,
      response: this.#response?.read() ?? null,
      durationMs: this.#parts.monotonicNow() - this.#startedAtMs,
    })
  }

  #dial(destination: Destination): void {
    this.#dialing = this.#parts.dialer.dial(destination, (result) => {
      this.#dialing = null
      if (result.ok) this.#dispatchOn(this.#parts.pool.adopt(destination.origin, result.socket))
      else this.fail(result.error, result.detail, result.isOurShortage)
    })
  }

  #dispatchOn(connection: HttpConnection, nowMs = this.#parts.monotonicNow()): void {
    this.#connection = connection
    this.#isWritten = false
    let headers: Record<string, string> | null
    try {
      headers = this.#request.sign()
    } catch (error) {
      this.fail('connect', notSigned)
      this.#parts.onBug(error)
      return
    }
    if (headers === null) {
      this.fail('connect', notSigned)
      return
    }
    this.#requestHeaders = headers
    // Counted from before signing: a slow `sign`, or a process that was suspended, counts too.
    if (this.#parts.monotonicNow() - nowMs > this.#parts.limits.signatureAgeMaxMs) {
      // Later, so that whatever made this late has its turn, and the deadline.
      setImmediate(() => {
        if (this.#exchange === null) this.#dispatchOn(connection)
      })
      return
    }
    try {
      connection.post(this.#destination!.path, headers, this.#request.body, this)
      this.#isWritten = true
    } catch (error) {
      const { error: kind, detail } = classifyFailure(error as Error)
      this.fail(kind, detail)
    }
  }

  onBytes(): void {
    this.#hasResponseBegun = true
  }

  onHead({ statusCode, headers }: ResponseHead): void {
    this.#response = new ResponseRecord(statusCode, headers, this.#parts.limits)
  }

  onBody(part: Uint8Array): void {
    this.#response!.append(part)
  }

  onEnd(): void {
    assert(this.#response !== null && this.#requestHeaders !== null, 'a response has a beginning')
    const { statusCode, headers, body, bodyTruncated } = this.#response.read()
    this.#settle({
      kind: 'response',
      statusCode,
      headers,
      body,
      bodyTruncated,
      requestHeaders: this.#requestHeaders,
      durationMs: this.#parts.monotonicNow() - this.#startedAtMs,
    })
  }

  onFailure(error: Error | null): void {
    if (this.#exchange !== null) return
    const connection = this.#connection!
    const failure = classifyFailure(error)
    // A receiver may close an idle connection while the next request is on its way. That is no
    // failure of the receiver, so it is tried once more within the same deadline: on a new
    // connection, whose loss is not excused.
    if (failure.error === 'reset' && connection.isReused && !this.#hasResponseBegun) {
      this.#connection = null
      this.#dial(this.#destination!)
      return
    }
    this.fail(failure.error, failure.detail)
  }

  onBug(error: unknown): void {
    this.#parts.onBug(error)
  }

  #onDeadline(): void {
    this.fail(
      'timeout',
      `No whole response within ${this.#request.timeoutMs} ms: ${this.#phase()}.`,
    )
  }

  #phase(): string {
    if (this.#response !== null) return 'the body of the response did not end'
    if (this.#isWritten) return 'the request was sent, no response came'
    return this.#connection === null
      ? 'the connection was not established'
      : 'the request could not be sent in time'
  }

  #settle(exchange: Exchange): void {
    if (this.#exchange !== null) return
    this.#exchange = exchange
    if (this.#deadline !== null) this.#parts.wheel.disarm(this.#deadline)
    this.#dialing?.cancel()
    // Later, but in this turn: never within the call, and a caller who sends the next request at once
    // must not do so while this one's bytes are read.
    queueMicrotask(() => this.#finish(exchange))
  }

  #finish(exchange: Exchange): void {
    const connection = this.#connection
    if (connection !== null) {
      if (exchange.kind === 'response') this.#parts.pool.release(connection)
      else connection.destroy()
    }
    this.#leave()
    try {
      this.#done(exchange)
    } catch (error) {
      this.#parts.onBug(error)
    }
  }

  #leave(): void {
    const last = this.#parts.inFlight.pop()!
    if (last === this) return
    this.#parts.inFlight[this.#index] = last
    last.#index = this.#index
  }
}
