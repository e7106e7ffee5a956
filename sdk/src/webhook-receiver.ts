import type { WebhookSecret } from './held-secrets.ts'
import { handleOnce, type SeenStore } from './seen-store.ts'
import {
  toResponseHeaders,
  type VerifiedWebhook,
  type VerifyWebhookOptions,
  verifyWebhook,
  type WebhookEvent,
  type WebhookFormatName,
} from './verify-webhook.ts'
import type { WebhookHeaders } from './webhook-headers.ts'
import { WebhookVerificationError } from './webhook-verification-error.ts'

/** A body of the largest `data` that a server may send, 1 MiB, and what stands around it. */
const bodyBytesDefaultMax = 2 * 1024 * 1024

type Secrets = WebhookSecret | readonly WebhookSecret[]

/**
 * What a receiver does with deliveries, in any framework.
 *
 * @example
 * const options: WebhookReceiverOptions = {
 *   secrets: () => secrets,
 *   seen: memorySeenStore(),
 *   onEvent: (event) => console.log(event.id, event.type, event.data),
 * }
 */
export interface WebhookReceiverOptions<TFormat extends WebhookFormatName = 'standard'>
  extends VerifyWebhookOptions<TFormat> {
  /** One or several; or a function, asked for each delivery, so that a new one needs no restart. */
  secrets: Secrets | (() => Secrets | Promise<Secrets>)
  /**
   * Handles a verified event. The answer waits for it, and what it throws goes to the framework,
   * whose answer 500 makes the sender try again.
   */
  onEvent(event: VerifiedWebhook<WebhookEvent, TFormat>): unknown
  /** Where given, each event is handled once, as `handleOnce` does it. */
  seen?: SeenStore | undefined
  /** Names an event for `seen`; its `id` where absent. `devtune` has none and so needs this. */
  seenAs?: ((event: VerifiedWebhook<WebhookEvent, TFormat>) => string) | undefined
  /** Larger bodies are refused with 413, in bytes. Default 2 MiB. */
  bodyBytesMax?: number | undefined
}

/** What to answer to a delivery. */
export interface WebhookAnswer {
  /**
   * 204: handled, now or before. 401: not signed as it should be; the body has the code. 409: it
   * is being handled at this moment. 413: too large.
   */
  status: 204 | 401 | 409 | 413
  headers: Record<string, string>
  body: string
}

/** What the adapters have in common. `body` null: it was larger than `bodyBytesMax`. */
export interface WebhookReceiver {
  bodyBytesMax: number
  receive(body: string | Uint8Array | null, headers: WebhookHeaders): Promise<WebhookAnswer>
}

/** Makes the part of a receiver that no framework is needed for. */
export function createWebhookReceiver<TFormat extends WebhookFormatName>(
  options: WebhookReceiverOptions<TFormat>,
): WebhookReceiver {
  const { secrets, bodyBytesMax = bodyBytesDefaultMax } = options
  return {
    bodyBytesMax,
    async receive(body, headers) {
      if (body === null || byteLength(body) > bodyBytesMax) return answer(413, 'too_large')
      const inForce = typeof secrets === 'function' ? await secrets() : secrets
      let event: VerifiedWebhook<WebhookEvent, TFormat>
      try {
        event = await verifyWebhook<WebhookEvent, TFormat>(body, headers, inForce, options)
      } catch (error) {
        if (error instanceof WebhookVerificationError) return answer(401, error.code)
        throw error
      }
      const outcome = await handle(event, options)
      if (outcome === 'busy') return answer(409, 'busy')
      return { status: 204, headers: toResponseHeaders(event), body: '' }
    },
  }
}

async function handle<TFormat extends WebhookFormatName>(
  event: VerifiedWebhook<WebhookEvent, TFormat>,
  { seen, seenAs, onEvent }: WebhookReceiverOptions<TFormat>,
): Promise<'handled' | 'handled_before' | 'busy'> {
  if (seen === undefined) {
    await onEvent(event)
    return 'handled'
  }
  const id = seenAs ? seenAs(event) : event.id
  if (typeof id !== 'string') {
    throw new TypeError('the format has no event id: say with seenAs what an event is seen as')
  }
  return handleOnce(seen, id, () => onEvent(event))
}

function answer(status: WebhookAnswer['status'], body: string): WebhookAnswer {
  return { status, headers: { 'content-type': 'text/plain' }, body }
}

function byteLength(body: string | Uint8Array): number {
  return typeof body === 'string' ? new TextEncoder().encode(body).length : body.byteLength
}

/**
 * Reads a body up to a bound, in bytes; null where there is more. What is beyond is read and thrown
 * away: a request that is left in the middle could not be answered.
 */
export async function readBytes(
  chunks: AsyncIterable<Uint8Array>,
  bytesMax: number,
): Promise<Uint8Array | null> {
  const kept: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    length += chunk.byteLength
    if (length <= bytesMax) kept.push(chunk)
    else kept.length = 0
  }
  if (length > bytesMax) return null
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const chunk of kept) {
    bytes.set(chunk, offset)
    offset += chunk.byteLength
  }
  return bytes
}
