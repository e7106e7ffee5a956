import assert from 'node:assert'
import type { Dispatcher } from 'undici'
import type { Connection, ConnectionPool } from './connection-pool.ts'
import type { Deadline, DeadlineWheel } from './deadline-wheel.ts'
import type { Dialer, DialTarget } from './dialer.ts'
import type { Exchange, OutgoingRequest, SendError } from './http-sender.ts'
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

/** Thrown into the client to take a request back before it is written; the connection survives. */
const signatureTooOld = new Error('The signature is too old to be sent.')

/**
 * One request on its way: a connection is taken or dialled, the request signed and dispatched, the
 * response recorded. It is undici's handler itself, to spare an object on each request.
 */
export class SendingRequest implements Dispatcher.DispatchHandler {
  readonly #parts: SenderParts
  readonly #request: OutgoingRequest
  readonly #done: (exchange: Exchange) => void
  readonly #startedAtMs: number
  /** Its place in `inFlight`. */
  #index: number
  #destination: Destination | null = null
  #deadline: Deadline | null = null
  #dialing: { cancel(): void } | null = null
  #connection: Connection | null = null
  #requestHeaders: Record<string, string> | null = null
  #signedAtMs = 0
  #isWritten = false
  #hasResponseBegun = false
  #bytesReadMax = 0
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

  #dispatchOn(connection: Connection, nowMs = this.#parts.monotonicNow()): void {
    this.#connection = connection
    this.#isWritten = false
    // From before signing, so that a slow `sign` counts too.
    this.#signedAtMs = nowMs
    let headers: Record<string, string> | null
    try {
      headers = this.#request.sign()
      if (headers !== null) assertHostIsOurs(headers)
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
    this.#bytesReadMax = connection.socket.bytesRead + this.#parts.limits.responseReadBytesMax
    connection.reader = this
    connection.client.dispatch(
      {
        method: 'POST',
        path: this.#destination!.path,
        headers,
        body: this.#request.body,
      },
      this,
    )
  }

  /** Called in the same step as the write: on a reused connection a turn after the dispatch. */
  onRequestStart(): void {
    const ageMs = this.#parts.monotonicNow() - this.#signedAtMs
    if (ageMs > this.#parts.limits.signatureAgeMaxMs) throw signatureTooOld
    this.#isWritten = true
  }

  onResponseStarted(): void {
    this.#hasResponseBegun = true
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    // Interim responses are skipped; onRead bounds them.
    if (statusCode < 200) return
    this.#response = new ResponseRecord(statusCode, headers, this.#parts.limits)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#response?.append(chunk)
  }

  onResponseEnd(): void {
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

  onRead(): void {
    if (this.#connection!.socket.bytesRead <= this.#bytesReadMax) return
    this.fail('response_too_large', 'The response is larger than what is read of one.')
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#exchange !== null) return
    const connection = this.#connection!
    if (error === signatureTooOld) {
      // Not within the call: the client is about to take this request off its queue.
      queueMicrotask(() => {
        if (this.#exchange === null) this.#dispatchOn(connection)
      })
      return
    }
    const failure = classifyFailure(error)
    // A receiver may close an idle connection while the next request is on its way. That is no
    // failure of the receiver, so it is tried once more within the same deadline: on a new
    // connection, whose loss is not excused.
    if (failure.error === 'reset' && connection.isReused && !this.#hasResponseBegun) {
      this.#connection = null
      this.#parts.pool.destroy(connection)
      this.#dial(this.#destination!)
      return
    }
    this.fail(failure.error, failure.detail)
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
    return 'the connection was not established'
  }

  #settle(exchange: Exchange): void {
    if (this.#exchange !== null) return
    this.#exchange = exchange
    if (this.#deadline !== null) this.#parts.wheel.disarm(this.#deadline)
    this.#dialing?.cancel()
    // Later, but in this turn. Undici decides only after the last callback whether the connection
    // lives on, and a caller who sends the next request at once must not do so inside its parser.
    queueMicrotask(() => this.#finish(exchange))
  }

  #finish(exchange: Exchange): void {
    const connection = this.#connection
    if (connection !== null) {
      connection.reader = null
      if (exchange.kind === 'response') this.#parts.pool.release(connection)
      else this.#parts.pool.destroy(connection)
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

/** undici would send it in place of the URL's, and look for another certificate. */
function assertHostIsOurs(headers: Record<string, string>): void {
  for (const name in headers) {
    assert(name.length !== 4 || name.toLowerCase() !== 'host', "the host header is the URL's")
  }
}
