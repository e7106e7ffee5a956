import type { AttemptError, AttemptResponse } from '../core/delivery.ts'
import { retryAfterOf } from '../core/retry-after.ts'
import type { Format } from '../formats/format.ts'
import { secretIdsHeader } from '../formats/secret-ids-header.ts'
import type { Exchange, HttpSender } from './http-sender.ts'
import { type Echoes, keptResponse, maskedValue } from './kept-response.ts'
import type { AttemptedVerdict, SenderEndpoint, SenderSecret } from './sender-messages.ts'

export interface AttemptInput {
  attemptId: string
  endpoint: SenderEndpoint
  /** Of the endpoint's custom headers. */
  echoes: Echoes
  format: Format
  event: { id: string; type: string }
  body: Uint8Array
  attemptNumber: number
  timeoutMs: number
  userAgent: string
  now: () => number
  /**
   * The signing set of an instant; asked when the connection is in hand. Null: what is known of it is
   * too old, so that nothing may be sent.
   */
  keysAt: (now: number) => readonly SenderSecret[] | null
  /** Why this URL may never be sent to under the present configuration; null when it may. */
  urlRefusal: string | null
  /** How long ago the request claims to be signed; 0 but for a probe of stale timestamps. */
  signedAgoMs: number
}

/**
 * Makes one HTTP request for a delivery and tells what came of it. Signs with the signing set and
 * the time of the instant at which the connection is ready (rotation.md section 2).
 */
export function attempt(
  http: Pick<HttpSender, 'send'>,
  input: AttemptInput,
  done: (verdict: AttemptedVerdict) => void,
): void {
  const startedAt = input.now()
  if (input.urlRefusal !== null) {
    done(refused(input, startedAt, input.urlRefusal))
    return
  }
  let secretIds: string[] = []
  let isStale = false

  const sign = () => {
    const now = input.now()
    const signingKeys = input.keysAt(now)
    isStale = signingKeys === null
    if (signingKeys === null) return null
    // Formats with one signature sign with the newest alone, and so only that one is recorded.
    const keys = input.endpoint.isSigned ? signingKeys.slice(0, input.format.signaturesMax) : []
    secretIds = keys.map((key) => key.id)
    return signedHeaders(input, keys, now)
  }

  const request = {
    url: input.endpoint.url,
    body: input.body,
    timeoutMs: input.timeoutMs,
    sign,
  }
  http.send(request, (exchange) => {
    const response = responseOf(exchange, input.echoes)
    const error = errorOf(exchange)
    done({
      kind: 'attempted',
      succeeded: error === null,
      isGone: response?.statusCode === 410,
      isRefusedForGood: false,
      isOurShortage: exchange.kind === 'error' && exchange.isOurShortage,
      isStale,
      retryAfterMs: patienceOf(response, input.now),
      attempt: {
        id: input.attemptId,
        startedAt,
        durationMs: Math.round(exchange.durationMs),
        request: {
          method: 'POST',
          url: input.endpoint.url,
          headers: maskedHeaders(exchange.requestHeaders ?? {}, input.endpoint.headers),
        },
        secretIds: exchange.requestHeaders === null ? [] : secretIds,
        response,
        error,
        errorDetail: detailOf(exchange, error),
      },
    })
  })
}

function signedHeaders(
  input: AttemptInput,
  keys: readonly SenderSecret[],
  now: number,
): Record<string, string> {
  return {
    ...input.endpoint.headers,
    'content-type': 'application/json',
    'user-agent': input.userAgent,
    ...input.format.headers({
      eventId: input.event.id,
      eventType: input.event.type,
      timestampSeconds: Math.floor((now - input.signedAgoMs) / 1000),
      attemptNumber: input.attemptNumber,
      body: input.body,
      keys,
    }),
    ...(input.endpoint.hasSecretIds ? secretIdsHeader(keys) : {}),
  }
}

function patienceOf(response: AttemptResponse | null, now: () => number): number | null {
  const value = response?.headers['retry-after']
  if (response === null || value === undefined) return null
  return retryAfterOf(response.statusCode, value, now())
}

function refused(input: AttemptInput, startedAt: number, errorDetail: string): AttemptedVerdict {
  return {
    kind: 'attempted',
    succeeded: false,
    isGone: false,
    isRefusedForGood: true,
    isOurShortage: false,
    isStale: false,
    retryAfterMs: null,
    attempt: {
      id: input.attemptId,
      startedAt,
      durationMs: 0,
      request: { method: 'POST', url: input.endpoint.url, headers: {} },
      secretIds: [],
      response: null,
      error: 'refused_address',
      errorDetail,
    },
  }
}

function errorOf(exchange: Exchange): AttemptError | null {
  if (exchange.kind === 'error') return exchange.error
  const { statusCode } = exchange
  if (statusCode >= 200 && statusCode < 300) return null
  return statusCode >= 300 && statusCode < 400 ? 'redirect' : 'http_status'
}

function detailOf(exchange: Exchange, error: AttemptError | null): string | null {
  if (exchange.kind === 'error') return exchange.detail
  if (error === null) return null
  return error === 'redirect'
    ? `The receiver answered ${exchange.statusCode}; redirects are never followed.`
    : `The receiver answered ${exchange.statusCode}.`
}

function responseOf(exchange: Exchange, echoes: Echoes): AttemptResponse | null {
  const isBrokenOff = exchange.kind === 'error'
  const received = isBrokenOff ? exchange.response : exchange
  return received === null ? null : keptResponse(received, { echoes, isBrokenOff })
}

function maskedHeaders(
  sent: Record<string, string>,
  custom: Record<string, string>,
): Record<string, string> {
  const masked = { ...sent }
  for (const name in custom) masked[name] = maskedValue
  return masked
}
