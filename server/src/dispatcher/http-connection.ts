import type { Socket } from 'node:net'
import { requestHead } from './request-head.ts'
import { InvalidResponse } from './response-head.ts'
import { ResponseHeadTooLarge, ResponseParser, type ResponseSink } from './response-parser.ts'
import type { TransportLimits } from './transport-limits.ts'

/** What comes of a request that was sent. Nothing is told after `onEnd` or `onFailure`. */
export interface ResponseHandler extends ResponseSink {
  /** Bytes have arrived, of whatever kind: the receiver has begun to answer. */
  onBytes(): void
  /** The response is whole. */
  onEnd(): void
  /** What arrived is no response, or the connection is lost: `error` is null where it was closed. */
  onFailure(error: Error | null): void
  /** Our own code failed on what arrived; `onFailure` follows. */
  onBug(error: unknown): void
}

/**
 * HTTP/1.1 on one connection that was opened and checked before: one request at a time, and never a
 * second connection. Has no time limit and opens nothing.
 */
export class HttpConnection {
  readonly origin: string
  readonly socket: Socket
  readonly openedAtMs: number
  /** Whether a request was answered on it before. */
  isReused = false
  isIdle = false
  /** While it is idle: when it is to be closed. */
  idleUntilMs = Number.POSITIVE_INFINITY
  readonly #parser: ResponseParser
  readonly #responseBytesMax: number
  #handler: ResponseHandler | null = null
  #bytesLeft = 0
  #error: Error | null = null
  #reusableMs = 0

  constructor(options: {
    origin: string
    socket: Socket
    openedAtMs: number
    limits: TransportLimits
  }) {
    const { socket, limits } = options
    this.origin = options.origin
    this.socket = socket
    this.openedAtMs = options.openedAtMs
    this.#parser = new ResponseParser(limits)
    this.#responseBytesMax = limits.responseReadBytesMax
    socket.on('data', (bytes: Buffer) => this.#onData(bytes))
    socket.on('error', (error) => {
      this.#error = error
    })
    socket.on('end', () => this.#onEnd())
    socket.on('close', () => this.#onEnd())
  }

  /**
   * How long it may be idle after the response that has ended; 0: no request may follow. The receiver
   * wants it closed, or has said more than was asked, or has answered before it read everything:
   * what is left unsent would stand before the next request.
   */
  get reusableMs(): number {
    return this.socket.destroyed || this.socket.writableLength > 0 ? 0 : this.#reusableMs
  }

  /**
   * Sends a request in this very step.
   *
   * @param target path and query, as they stand in a URL
   * @throws InvalidRequest before a byte is sent
   */
  post(
    target: string,
    headers: Readonly<Record<string, string>>,
    body: string | Uint8Array,
    handler: ResponseHandler,
  ): void {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body
    const head = requestHead({ origin: this.origin, target, headers, length: bytes.length })
    this.#handler = handler
    this.#bytesLeft = this.#responseBytesMax
    this.#reusableMs = 0
    this.#parser.begin(handler)
    if (this.socket.destroyed) {
      // Never within the call.
      queueMicrotask(() => this.#onEnd())
      return
    }
    this.#write(head, bytes)
  }

  /** Ends it at once, whatever is on it. */
  destroy(): void {
    this.#handler = null
    this.socket.destroy()
  }

  #write(head: string, body: Uint8Array): void {
    if (body.length <= joinedBytesMax) {
      this.socket.write(joined(head, body))
      return
    }
    this.socket.cork()
    this.socket.write(head, 'latin1')
    this.socket.write(body)
    this.socket.uncork()
  }

  #onData(bytes: Buffer): void {
    const handler = this.#handler
    if (handler === null) {
      // Nobody has asked for anything, and nobody may take it for an answer to what comes next.
      this.destroy()
      return
    }
    this.#bytesLeft -= bytes.length
    handler.onBytes()
    let over: number | null
    try {
      over = this.#parser.read(bytes)
    } catch (error) {
      const isTheirs = error instanceof InvalidResponse || error instanceof ResponseHeadTooLarge
      if (!isTheirs) handler.onBug(error)
      this.#fail(isTheirs ? error : null)
      return
    }
    if (this.#bytesLeft < 0) this.#fail(new ResponseTooLarge(tooLarge))
    else if (over !== null) this.#finish(over === 0)
  }

  #onEnd(): void {
    if (this.#handler === null) this.destroy()
    else if (this.#error === null && this.#parser.finish()) this.#finish(false)
    else this.#fail(this.#error)
  }

  #finish(isAlone: boolean): void {
    const handler = this.#handler!
    this.#handler = null
    this.#reusableMs = isAlone ? this.#parser.reusableMs : 0
    handler.onEnd()
  }

  #fail(error: Error | null): void {
    const handler = this.#handler!
    this.destroy()
    handler.onFailure(error)
  }
}

const tooLarge = 'The response is larger than what is read of one.'

/** The whole response is longer than what is read of one. */
export class ResponseTooLarge extends Error {}

/** Up to here copying a body costs less than handing over two pieces. */
const joinedBytesMax = 16 * 1024

function joined(head: string, body: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(head.length + body.length)
  bytes.write(head, 0, 'latin1')
  bytes.set(body, head.length)
  return bytes
}
