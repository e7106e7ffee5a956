import type { WebhookFormatName } from './verify-webhook.ts'
import {
  createWebhookReceiver,
  readBytes,
  type WebhookReceiverOptions,
} from './webhook-receiver.ts'

/**
 * A receiver for everything that speaks `Request` and `Response`: Hono, Next.js, Workers, Deno, Bun.
 *
 * @throws (when it is called) TypeError for secrets or options that are none, and what `onEvent`
 *   throws.
 * @example
 * // Next.js, in `app/webhooks/route.ts`: export const POST = handler. Hono:
 * // app.post('/webhooks', (c) => handler(c.req.raw)). Workers: export default { fetch: handler }.
 * const handler = webhookHandler({
 *   secrets,
 *   onEvent: (event) => console.log(event.type, event.data),
 * })
 */
export function webhookHandler<TFormat extends WebhookFormatName = 'standard'>(
  options: WebhookReceiverOptions<TFormat>,
): (request: Request) => Promise<Response> {
  const receiver = createWebhookReceiver(options)
  return async (request) => {
    const bytes = await readBytes(chunksOf(request.body), receiver.bodyBytesMax)
    const { status, headers, body } = await receiver.receive(bytes, request.headers)
    // 204 must have no body, not even an empty one.
    return new Response(body === '' ? null : body, { status, headers })
  }
}

/** As much of a request as Express and `node:http` have in common. */
export interface NodeRequest extends AsyncIterable<Uint8Array> {
  headers: Readonly<Record<string, string | string[] | undefined>>
  /** Whether somebody has read from it. */
  readableDidRead: boolean
  body?: unknown
}

/** As much of a response as Express and `node:http` have in common. */
export interface NodeResponse {
  writeHead(status: number, headers: Record<string, string>): { end(body: string): unknown }
}

/**
 * A receiver for Express. It takes the body that `express.raw` has read, or reads it itself; a
 * body that `express.json` has parsed is gone, so put this route before that middleware.
 *
 * @example
 * express.post('/webhooks', expressWebhookHandler({
 *   secrets,
 *   onEvent: (event) => console.log(event.type, event.data),
 * }))
 */
export function expressWebhookHandler<TFormat extends WebhookFormatName = 'standard'>(
  options: WebhookReceiverOptions<TFormat>,
): ExpressWebhookHandler {
  const receiver = createWebhookReceiver(options)
  return async (request, response, next) => {
    try {
      const given = await bodyOf(request, receiver.bodyBytesMax)
      const { status, headers, body } = await receiver.receive(given, request.headers)
      response.writeHead(status, headers).end(body)
    } catch (error) {
      next(error)
    }
  }
}

/** What `expressWebhookHandler` makes. */
export type ExpressWebhookHandler = (
  request: NodeRequest,
  response: NodeResponse,
  next: (error: unknown) => void,
) => Promise<void>

/** As much of Fastify as the plugin uses. */
export interface FastifyLike {
  removeAllContentTypeParsers(): void
  addContentTypeParser(
    type: string,
    options: { parseAs: 'buffer'; bodyLimit: number },
    parser: (
      request: unknown,
      body: Uint8Array,
      done: (error: null, body: Uint8Array) => void,
    ) => void,
  ): unknown
  post(
    path: string,
    handler: (request: FastifyLikeRequest, reply: FastifyLikeReply) => Promise<unknown>,
  ): unknown
}

/** As much of Fastify's request as the plugin uses. */
export interface FastifyLikeRequest {
  headers: Readonly<Record<string, string | string[] | undefined>>
  body: unknown
}

/** As much of Fastify's reply as the plugin uses. */
export interface FastifyLikeReply {
  code(status: number): {
    headers(headers: Record<string, string>): { send(body: string): unknown }
  }
}

/**
 * A plugin for Fastify with one route. Only in it are bodies left as bytes; the rest of the
 * application parses as before.
 *
 * @param path the route, under the prefix that the plugin is registered with.
 * @example
 * fastify.register(fastifyWebhooks('/webhooks', {
 *   secrets,
 *   onEvent: (event) => console.log(event.type, event.data),
 * }))
 */
export function fastifyWebhooks<TFormat extends WebhookFormatName = 'standard'>(
  path: string,
  options: WebhookReceiverOptions<TFormat>,
): (instance: FastifyLike) => Promise<void> {
  const receiver = createWebhookReceiver(options)
  return async (instance) => {
    const parsing = { parseAs: 'buffer', bodyLimit: receiver.bodyBytesMax } as const
    instance.removeAllContentTypeParsers()
    instance.addContentTypeParser('*', parsing, (_request, body, done) => done(null, body))
    instance.post(path, async (request, reply) => {
      const given = isBody(request.body) ? request.body : ''
      const { status, headers, body } = await receiver.receive(given, request.headers)
      return reply.code(status).headers(headers).send(body)
    })
  }
}

async function bodyOf(request: NodeRequest, bytesMax: number): Promise<string | Uint8Array | null> {
  if (isBody(request.body)) return request.body
  if (request.readableDidRead) {
    throw new TypeError(
      'a body parser has taken the body: register the webhook route before it, or use express.raw',
    )
  }
  return readBytes(request, bytesMax)
}

function isBody(body: unknown): body is string | Uint8Array {
  return typeof body === 'string' || ArrayBuffer.isView(body)
}

/** With a reader: not every runtime can iterate over a stream. */
async function* chunksOf(stream: Request['body']): AsyncGenerator<Uint8Array> {
  const reader = stream?.getReader()
  for (;;) {
    const next = await reader?.read()
    if (next === undefined || next.done) return
    yield next.value
  }
}
