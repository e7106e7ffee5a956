import { composioFormat } from './composio-format.ts'
import { devtuneFormat } from './devtune-format.ts'
import { dinieFormat } from './dinie-format.ts'
import { githubFormat } from './github-format.ts'
import { hCompanyFormat } from './h-company-format.ts'
import { readSecrets, type WebhookSecret } from './held-secrets.ts'
import { createImportedKeys } from './imported-keys.ts'
import type { KeySets } from './key-sets.ts'
import { matchSignatures, type SignatureMatch } from './match-signatures.ts'
import { standardFormat, standardHeadersFormat } from './standard-format.ts'
import { stripeFormat } from './stripe-format.ts'
import type { Bytes, HeaderReader, WebhookFormat } from './webhook-format.ts'
import { createHeaderReader, type WebhookHeaders } from './webhook-headers.ts'
import { WebhookVerificationError } from './webhook-verification-error.ts'

const formats = {
  standard: standardFormat,
  // Nothing is known of Mobilerun's own; Countersign signs for it as Standard Webhooks does.
  mobilerun: standardHeadersFormat,
  composio: composioFormat,
  'h-company': hCompanyFormat,
  devtune: devtuneFormat,
  dinie: dinieFormat,
  stripe: stripeFormat,
  github: githubFormat,
} satisfies Record<WebhookFormatName, WebhookFormat>

/** Keys are imported once for a secret; more than these, and the oldest are imported again. */
const keysMax = 64
// Module state on purpose: verifyWebhook is a plain function, and the cache holds nothing that
// its callers do not hold already. Keys cannot be exported from it.
const keys = createImportedKeys({ keysMax })
/**
 * The same of key sets that are followed, by their addresses. Loaded with the first address: most
 * receivers hold secrets, and should not carry a fifth more for this.
 */
const keySets: KeySets = {
  read: async (url) => (await loadKeySets()).read(url),
  readAnew: async (url) => (await loadKeySets()).readAnew(url),
}
let loading: Promise<KeySets> | null = null

function loadKeySets(): Promise<KeySets> {
  loading ??= import('./key-sets.ts').then(({ createKeySets }) =>
    createKeySets({
      setsMax: 64,
      fetch: (url, init) => fetch(url, init),
      now: () => performance.now(),
    }),
  )
  return loading
}

/**
 * What a delivery of each format carries beside type and data. Where there is no `timestamp`, none
 * was signed: an old delivery can be sent again for ever, and only `id` may tell, if there is one.
 */
interface WebhookOrigins {
  standard: { id: string; timestamp: Date }
  mobilerun: { id: string; timestamp: Date }
  composio: { id: string; timestamp: Date }
  'h-company': { id: string; timestamp: Date }
  devtune: { id: null; timestamp: null }
  dinie: { id: string; timestamp: Date }
  stripe: { id: string; timestamp: Date }
  github: { id: string; timestamp: null }
}

/** The formats of delivery that `verifyWebhook` understands. */
export type WebhookFormatName = keyof WebhookOrigins

/**
 * How to verify.
 *
 * @example
 * const options: VerifyWebhookOptions = { toleranceSeconds: 60 }
 * await verifyWebhook(body, headers, secrets, options)
 * @example
 * const options: VerifyWebhookOptions<'stripe'> = { format: 'stripe' }
 * await verifyWebhook(body, headers, secrets, options)
 */
export interface VerifyWebhookOptions<TFormat extends WebhookFormatName = 'standard'> {
  /**
   * How far the timestamp may be from now, both ways, in seconds. Default 300. Without effect in
   * formats that sign no time: `devtune`, `github`.
   */
  toleranceSeconds?: number | undefined
  /** Takes the place of the clock, for tests. */
  now?: Date | undefined
  /** Default `standard` (Standard Webhooks, HMAC and Ed25519). `composio` reads its V1, V2 and V3 alike. */
  format?: TFormat | undefined
}

/** What `type` and `data` of a delivery may be; narrow it with a union of your own events. */
export interface WebhookEvent {
  type: string | null
  data: unknown
}

/**
 * A delivery whose signature, timestamp and body hold.
 *
 * @example
 * type OrderPaid = { type: 'order.paid'; data: { orderId: string } }
 * type OrderShipped = { type: 'order.shipped'; data: { orderId: string; carrier: string } }
 * const event = await verifyWebhook<OrderPaid | OrderShipped>(body, headers, secrets)
 * if (event.type === 'order.shipped') console.log(event.data.carrier)
 */
export type VerifiedWebhook<
  TEvent extends WebhookEvent = WebhookEvent,
  TFormat extends WebhookFormatName = 'standard',
> = TEvent extends unknown
  ? {
      /**
       * The same on every attempt of one event: drop what you have seen. Null for `devtune`, which
       * has none. Not signed for `github`: a replay may bring another one.
       */
      id: WebhookOrigins[TFormat]['id']
      /** When this attempt was signed; null for `devtune` and `github`, which do not sign a time. */
      timestamp: WebhookOrigins[TFormat]['timestamp']
      /** The event type; null where the delivery has none. Not signed for `github`. */
      type: TEvent['type']
      /** What the event is about, which for `github` is the whole body; undefined where absent. */
      data: TEvent['data']
      /** The whole body, parsed; undefined where it is empty. */
      payload: unknown
      /** Which of the given secrets matched; of several, the one that the sender has newest. */
      matchedSecretIndex: number
      /**
       * The sender's id of that secret: of a key from a JWK set its `kid`, else what the delivery
       * tells, which is not signed; null where neither does.
       */
      matchedSecretId: string | null
    }
  : never

/**
 * Verifies that a request is a webhook signed with one of the secrets, in time, and parses it.
 * Pass the body exactly as it came, before any parsing. During a rotation pass the old and the
 * new secret, in any order.
 *
 * Where the sender signs with Ed25519, pass its public key, or the address of its key set: the keys
 * are remembered for as long as the answer allows, read again when a signature fits none of them
 * (at most every 10 seconds), and used for an hour more while the address does not answer. Only
 * `https` addresses are read, and this very machine's.
 *
 * The type parameter describes what the sender promises; the shape of `data` is not checked.
 *
 * @param secrets as the sender shows them. For `standard` and `mobilerun` the prefix `whsec_` may
 * be left out. Public keys, JWK sets and addresses are for `standard` alone.
 * @throws WebhookVerificationError for whatever is wrong with the request.
 * @throws KeySetError where nothing matched and a key set could not be read: answer 503.
 * @throws TypeError for whatever is wrong with the secrets or the options; never repeats a secret.
 * @example
 * const event = await verifyWebhook(body, headers, ['whsec_b2xkIHNlY3JldA==', 'whsec_bmV3IHNlY3JldA=='])
 * console.log(event.id, event.type, event.data)
 * @example
 * const push = await verifyWebhook(body, headers, secrets, { format: 'github' })
 * console.log(push.id, push.type, push.data)
 * @example
 * const keySet = 'https://hooks.example.com/.well-known/webhooks/ep_1/keys.json'
 * const signed = await verifyWebhook(body, headers, [keySet, 'whsec_b2xkIHNlY3JldA=='])
 * console.log(signed.matchedSecretId)
 */
export async function verifyWebhook<TEvent extends WebhookEvent = WebhookEvent>(
  body: string | Uint8Array | ArrayBuffer,
  headers: WebhookHeaders,
  secrets: WebhookSecret | readonly WebhookSecret[],
  options?: VerifyWebhookOptions,
): Promise<VerifiedWebhook<TEvent>>
export async function verifyWebhook<
  TEvent extends WebhookEvent = WebhookEvent,
  TFormat extends WebhookFormatName = WebhookFormatName,
>(
  body: string | Uint8Array | ArrayBuffer,
  headers: WebhookHeaders,
  secrets: WebhookSecret | readonly WebhookSecret[],
  options: VerifyWebhookOptions<TFormat>,
): Promise<VerifiedWebhook<TEvent, TFormat>>
export async function verifyWebhook(
  body: string | Uint8Array | ArrayBuffer,
  headers: WebhookHeaders,
  secrets: WebhookSecret | readonly WebhookSecret[],
  options: VerifyWebhookOptions<WebhookFormatName> = {},
): Promise<VerifiedWebhook<WebhookEvent, WebhookFormatName>> {
  const { toleranceSeconds = 300, now = new Date(), format: formatName = 'standard' } = options
  requireOptions(toleranceSeconds, now, formatName)
  const format: WebhookFormat = formats[formatName]
  const held = await readSecrets(secrets, format, formatName, keys)

  const bytes = copyBytes(body)
  const header = createHeaderReader(headers)
  const claim = format.readClaim(header, bytes)
  const { timestampSeconds } = claim
  if (timestampSeconds !== null) checkTimestamp(timestampSeconds, toleranceSeconds, now)
  const match = await matchSignatures(claim, held, format, { keys, keySets })
  if (match === null) {
    throw new WebhookVerificationError('no_match', 'No signature was made with any of the secrets')
  }
  const payload = bytes.length === 0 ? undefined : parseJson(bytes)
  return {
    ...format.readContent(payload, header),
    timestamp: timestampSeconds === null ? null : new Date(timestampSeconds * 1_000),
    payload,
    matchedSecretIndex: match.secretIndex,
    matchedSecretId: findSecretId(match, claim.signatures.length, header),
  }
}

/**
 * Headers for your answer that tell the sender which secret you use, so that it sees when a
 * rotation has reached you. Empty where the delivery did not name its secrets.
 *
 * @example
 * const event = await verifyWebhook(body, headers, secrets)
 * const response = new Response(null, { status: 204, headers: toResponseHeaders(event) })
 */
export function toResponseHeaders(
  result: Pick<VerifiedWebhook, 'matchedSecretId'>,
): Record<string, string> {
  if (result.matchedSecretId === null) return {}
  return { 'webhook-verified-secret': result.matchedSecretId }
}

function requireOptions(toleranceSeconds: number, now: Date, format: string): void {
  // Comparisons with NaN are false: unchecked, it would switch the replay protection off.
  if (!(toleranceSeconds >= 0 && toleranceSeconds < Number.POSITIVE_INFINITY)) {
    throw new TypeError('toleranceSeconds must be a finite number, 0 or more')
  }
  if (Number.isNaN(now.getTime())) throw new TypeError('now must be a valid Date')
  if (!Object.hasOwn(formats, format)) throw new TypeError('format is not one that is known here')
}

/** A copy, so that a buffer that its owner uses again cannot change while it is checked. */
function copyBytes(body: unknown): Bytes {
  if (typeof body === 'string') return new TextEncoder().encode(body)
  // No `instanceof`: test runners and frames hand over the buffers of another realm.
  if (ArrayBuffer.isView(body)) {
    return Uint8Array.from(new Uint8Array(body.buffer, body.byteOffset, body.byteLength))
  }
  if (isArrayBuffer(body)) return new Uint8Array(body.slice(0))
  // Not a TypeError: with body parsers, what arrives here is up to whoever sent the request.
  throw new WebhookVerificationError(
    'malformed',
    'The body must be the raw text or bytes, as they came; is a body parser in between?',
  )
}

function isArrayBuffer(value: unknown): value is ArrayBuffer {
  return Object.prototype.toString.call(value) === '[object ArrayBuffer]'
}

function checkTimestamp(timestampSeconds: number, toleranceSeconds: number, now: Date): void {
  const ageSeconds = Math.floor(now.getTime() / 1_000) - timestampSeconds
  if (ageSeconds > toleranceSeconds) {
    throw new WebhookVerificationError('timestamp_too_old', 'The timestamp is too long ago')
  }
  if (-ageSeconds > toleranceSeconds) {
    throw new WebhookVerificationError('timestamp_too_new', 'The timestamp is too far ahead')
  }
}

/** What an id of a secret may look like; safe to send back in a header. */
const secretIdPattern = /^[A-Za-z0-9_-]{1,128}$/

function findSecretId(
  { keyId, position }: SignatureMatch,
  signatureCount: number,
  header: HeaderReader,
): string | null {
  // It goes back to the sender in a header, so it has to look like an id.
  if (keyId !== null && secretIdPattern.test(keyId)) return keyId
  const ids = readSecretIds(header('webhook-secret-ids'))
  // Lists of different lengths do not line up, so a position means nothing in the other one.
  return ids.length === signatureCount ? (ids[position] ?? null) : null
}

/**
 * The ids of the secrets behind the signatures, in the same order, in whatever format. They are not
 * signed, so they are only ever reported, and only if all look like ids.
 */
function readSecretIds(header: string | null): string[] {
  const ids = header === null ? [] : header.split(',').map((id) => id.trim())
  return ids.every((id) => secretIdPattern.test(id)) ? ids : []
}

function parseJson(bytes: Bytes): unknown {
  try {
    // From the verified bytes, never from the text that was passed: what is not UTF-8 fails here.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new WebhookVerificationError('malformed', 'The body is signed but is not JSON')
  }
}
