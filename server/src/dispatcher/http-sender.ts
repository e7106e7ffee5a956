import assert from 'node:assert'
import type { AttemptError } from '../core/delivery.ts'
import { type AddressGuard, portOf } from './address-guard.ts'
import { createConnectionPool } from './connection-pool.ts'
import { createDeadlineWheel } from './deadline-wheel.ts'
import { createDialer } from './dialer.ts'
import type { ReceivedResponse } from './response-record.ts'
import { type Destination, type SenderParts, SendingRequest } from './sending-request.ts'
import { type TransportLimits, transportLimits } from './transport-limits.ts'

export interface OutgoingRequest {
  url: string
  body: string | Uint8Array
  /** For everything: DNS, connecting, TLS, sending and the whole response. */
  timeoutMs: number
  /**
   * All headers of the request, signature included; `host` and `content-length` are the sender's.
   * Called when a connection is in hand, right before the bytes go to the socket, and again when
   * `signatureAgeMaxMs` passed in between or the request is sent once more. If it throws, that is
   * a bug: it goes to `onBug`, and the exchange is an error before anything was sent. Null ends the
   * exchange in the same way, and is none.
   */
  sign: () => Record<string, string> | null
}

export type SendError = Exclude<AttemptError, 'redirect' | 'http_status'>

interface ExchangeBase {
  /** The headers of the last signing; null when it never came to one. */
  requestHeaders: Record<string, string> | null
  durationMs: number
}

/** What came of a request. A redirect is a response like any other. */
export type Exchange =
  | (ExchangeBase & ReceivedResponse & { kind: 'response'; requestHeaders: Record<string, string> })
  | (ExchangeBase & {
      kind: 'error'
      error: SendError
      /** For a person; bounded, without secrets. */
      detail: string
      /** This process may open no more connections: the receiver was not asked. */
      isOurShortage: boolean
      /** What had arrived when the exchange broke off in the middle of a response. */
      response: ReceivedResponse | null
    })

export interface HttpSender {
  /** POSTs once. `done` is called exactly once, never within the call. Never throws later. */
  send(request: OutgoingRequest, done: (exchange: Exchange) => void): void
  /** `deadlines` counts what the timer wheel holds: requests, and addresses about to be tried. */
  stats(): { inFlight: number; connectionsOpen: number; connectionsIdle: number; deadlines: number }
  /**
   * Ends what is in flight with `reset` and closes every connection; later requests end the same
   * way. To stop without failing attempts, wait for them first.
   */
  close(): Promise<void>
}

/** The only outgoing HTTP of the product. */
export function createHttpSender({
  guard,
  monotonicNow,
  onBug,
  ca = [],
  limits = {},
}: {
  guard: AddressGuard
  /** Milliseconds that never step back. */
  monotonicNow: () => number
  /**
   * Told of what a caller's function threw: `sign` or `done`. The exchange goes on to its end; what
   * this throws in turn is nobody's to catch, which ends the thread.
   */
  onBug: (error: unknown) => void
  /** Certificates (PEM) that are trusted beside the usual ones. */
  ca?: readonly string[]
  limits?: Partial<TransportLimits>
}): HttpSender {
  const bounds = { ...transportLimits, ...limits }
  const wheel = createDeadlineWheel({ monotonicNow })
  const pool = createConnectionPool({ monotonicNow, limits: bounds })
  const dialer = createDialer({ guard, wheel, limits: bounds, ca })
  const locate = createLocator(guard, bounds.urlsKeptMax)
  const inFlight: SendingRequest[] = []
  const parts: SenderParts = { wheel, pool, dialer, limits: bounds, monotonicNow, onBug, inFlight }
  let isClosed = false

  return {
    send(request, done) {
      assert(request.timeoutMs > 0, 'a request has time to be sent')
      const sending = new SendingRequest(parts, request, done)
      if (isClosed) return sending.fail('reset', senderClosed)
      const location = locate(request.url)
      if (location.ok) sending.start(location)
      else sending.fail('refused_address', location.detail)
    },
    stats() {
      const { open, idle } = pool.stats()
      return {
        inFlight: inFlight.length,
        connectionsOpen: open,
        connectionsIdle: idle,
        deadlines: wheel.size,
      }
    },
    async close() {
      isClosed = true
      for (const sending of inFlight) sending.fail('reset', senderClosed)
      await pool.close()
      wheel.close()
    },
  }
}

const senderClosed = 'The server stopped before the exchange was over.'

type Location = (Destination & { ok: true }) | { ok: false; detail: string }

/** Parses and checks each URL once: the answer cannot change while the process lives. */
function createLocator(guard: AddressGuard, urlsKeptMax: number): (text: string) => Location {
  const kept = new Map<string, Location>()
  return (text) => {
    const known = kept.get(text)
    if (known !== undefined) return known
    const check = guard.checkUrl(text)
    const location: Location = check.ok
      ? {
          ok: true,
          origin: check.url.origin,
          path: check.url.pathname + check.url.search,
          hostname: check.url.hostname,
          port: portOf(check.url),
          isTls: check.url.protocol === 'https:',
        }
      : { ok: false, detail: check.detail }
    const oldest = kept.size >= urlsKeptMax ? kept.keys().next().value : undefined
    if (oldest !== undefined) kept.delete(oldest)
    kept.set(text, location)
    return location
  }
}
