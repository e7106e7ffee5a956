import { bearerOf } from './authenticate.ts'
import { idempotencyHeader } from './idempotency.ts'
import { problemAnswer } from './problem.ts'
import { unixRateLimitHeaders } from './rate-limit.ts'
import type { Surface } from './surface.ts'

/** The surface of the native API: Bearer keys, problem documents, `X-RateLimit-*` (api.md). */
export function nativeSurface(publicUrl: string | null): Surface {
  return {
    credentialOf: ({ authorization }) => bearerOf(authorization),
    // A place in the path that was left empty names no project, and does not stand for none.
    projectRefOf: ({ project }) => (project === '' ? null : (project ?? '')),
    presentError: (error, { requestId }) => problemAnswer(error, { requestId, publicUrl }),
    rateLimitHeaders: unixRateLimitHeaders,
    idempotencyHeaders: [idempotencyHeader],
  }
}
