import fastifyCors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'

/** What a page may read of an answer, beyond what every page may. */
const exposedHeaders = [
  ...['X-Request-Id', 'Idempotent-Replayed', 'Retry-After', 'Allow'],
  ...['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset'],
]

/** What a page may send. */
const allowedHeaders = [
  ...['Authorization', 'Content-Type', 'Idempotency-Key', 'Last-Event-ID'],
  ...['X-Idempotency-Key', 'X-API-Key', 'X-User-API-Key'],
]

const preflightKeptSeconds = 600

/** What answers carry to whoever names no origin. */
export function answerHeadersFor(origins: readonly string[]): Readonly<Record<string, string>> {
  if (origins.length === 0) return {}
  return { vary: 'Origin', 'access-control-expose-headers': exposedHeaders.join(', ') }
}

/**
 * Lets pages of the given origins call every API from a browser. Keys travel in headers that a page
 * sets by itself, so cookies and the like are never asked for, and no origin is ever reflected.
 */
export function addCors(app: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return
  app.register(fastifyCors, {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders,
    exposedHeaders,
    maxAge: preflightKeptSeconds,
    credentials: false,
  })
}
