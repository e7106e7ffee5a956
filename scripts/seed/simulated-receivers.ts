import { verifyWebhook, WebhookVerificationError } from '@countersign/sdk'
import type {
  Exchange,
  HttpSender,
  OutgoingRequest,
} from '../../server/src/dispatcher/http-sender.ts'

/** How a receiver behaves while nothing else is said of it. */
export interface Character {
  /** Typical milliseconds to an answer; a few answers take much longer. */
  latencyMs: number
  /** The part of the requests that it answers with 500, 502 or 503. */
  errorShare: number
  /** Takes every request, whatever its signature. */
  trustsAnything?: true
  /** Refuses requests with two signatures, and is not the only one. */
  cannotParseTwo?: true
  /** Says with which secret it verified. */
  reportsSecret?: true
}

/** What a receiver does to everything for a while. */
export interface Trouble {
  since: number
  /** Null: it has not ended. */
  until: number | null
  answer: TroubleAnswer
}

type TransportError = 'connect' | 'timeout' | 'dns' | 'tls'
export type TroubleAnswer = TransportError | 301 | 401 | 410 | 429 | 502

/** One receiver of the seeded store. */
export interface SimulatedReceiver {
  url: string
  format: string
  character: Character
  troubles: Trouble[]
  /** The secrets in its configuration. */
  secrets: string[]
}

interface Answer {
  statusCode: number
  headers?: Record<string, string>
  body?: string
}

const noAnswer: Record<
  TransportError,
  { detail: string; durationMs: (timeoutMs: number) => number }
> = {
  connect: { detail: 'The connection was refused.', durationMs: () => 38 },
  timeout: { detail: 'No answer came in time.', durationMs: (timeoutMs) => timeoutMs },
  dns: { detail: 'The name does not resolve.', durationMs: () => 12 },
  tls: { detail: 'The certificate has expired.', durationMs: () => 61 },
}

const troubledAnswers: Record<Exclude<TroubleAnswer, TransportError>, Answer> = {
  301: { statusCode: 301, headers: { location: 'https://www.example/moved' } },
  401: json(401, { error: 'invalid signature' }),
  410: json(410, { error: 'this integration was removed' }),
  429: { ...json(429, { error: 'slow down' }), headers: { 'retry-after': '45' } },
  502: {
    statusCode: 502,
    headers: { 'content-type': 'text/html' },
    body: '<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>',
  },
}

/**
 * A network of receivers that are not there: each answers as its character and its troubles say, and
 * really verifies what it gets.
 */
export function createSimulatedNetwork(options: {
  receivers: ReadonlyMap<string, SimulatedReceiver>
  now: () => number
  random: () => number
}): Pick<HttpSender, 'send'> {
  return {
    send(request, done) {
      setImmediate(async () => done(await exchange(request, options)))
    },
  }
}

async function exchange(
  request: OutgoingRequest,
  { receivers, now, random }: Parameters<typeof createSimulatedNetwork>[0],
): Promise<Exchange> {
  const requestHeaders = request.sign() ?? fail()
  const receiver = receivers.get(request.url)
  const trouble = receiver === undefined ? 'dns' : troubleAt(receiver, now())
  if (typeof trouble === 'string') {
    const { detail, durationMs } = noAnswer[trouble]
    return {
      kind: 'error',
      error: trouble,
      detail,
      durationMs: durationMs(request.timeoutMs),
      isOurShortage: false,
      requestHeaders,
      response: null,
    }
  }
  const answer =
    trouble === null && receiver !== undefined
      ? await answerOf(receiver, request, requestHeaders, { now, random })
      : troubledAnswers[trouble ?? 502]
  return {
    kind: 'response',
    statusCode: answer.statusCode,
    headers: answer.headers ?? {},
    body: new TextEncoder().encode(answer.body ?? ''),
    bodyTruncated: false,
    requestHeaders,
    durationMs: durationOf(receiver?.character.latencyMs ?? 50, random),
  }
}

/** Only where other nodes change secrets may there be nothing to sign with. */
function fail(): never {
  throw new Error('What a lone node knows of an endpoint is always fresh.')
}

function troubleAt({ troubles }: SimulatedReceiver, now: number): TroubleAnswer | null {
  const current = troubles.find(({ since, until }) => since <= now && (until ?? Infinity) > now)
  return current?.answer ?? null
}

async function answerOf(
  receiver: SimulatedReceiver,
  { body }: OutgoingRequest,
  headers: Record<string, string>,
  { now, random }: { now: () => number; random: () => number },
): Promise<Answer> {
  const { character, format, secrets } = receiver
  if (random() < character.errorShare) return failure(random())
  if (character.trustsAnything) return json(200, { received: true })
  const isDouble = String(headers['webhook-signature'] ?? '').includes(' ')
  if (character.cannotParseTwo && isDouble) return json(401, { error: 'malformed signature' })
  try {
    const options = { now: new Date(now()), format: format as 'standard' }
    const { matchedSecretId } = await verifyWebhook(body, headers, secrets, options)
    const isReported = character.reportsSecret && matchedSecretId !== null
    return isReported
      ? { statusCode: 204, headers: { 'webhook-verified-secret': matchedSecretId } }
      : json(200, { received: true })
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error
    return json(401, { error: 'invalid signature' })
  }
}

function failure(fraction: number): Answer {
  if (fraction < 0.4) return troubledAnswers[502]
  return json(fraction < 0.7 ? 500 : 503, { error: 'upstream unavailable' })
}

/** Most near the typical time, a few far above it. */
function durationOf(typicalMs: number, random: () => number): number {
  const usual = typicalMs * (0.6 + 0.8 * random())
  return random() < 0.02 ? usual * (3 + 9 * random()) : usual
}

function json(statusCode: number, value: object): Answer {
  return {
    statusCode,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(value),
  }
}
