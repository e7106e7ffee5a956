import { jsonAnswer } from '../../api/answer.ts'
import { apiLimits } from '../../api/api-limits.ts'
import { bearerOf } from '../../api/authenticate.ts'
import { idempotencyHeader } from '../../api/idempotency.ts'
import { retryAfterSecondsOf } from '../../api/problem.ts'
import { unixRateLimitHeaders } from '../../api/rate-limit.ts'
import type { Surface } from '../../api/surface.ts'
import type { AppError } from '../../core/errors.ts'
import { keyProject } from '../key-project.ts'
import { ownFieldNames } from '../own-field-names.ts'

/** Mobilerun's ways: Bearer keys of a project, and `{"error": text}` for every refusal. */
export const mobilerunSurface: Surface = {
  credentialOf: ({ authorization }) => bearerOf(authorization),
  projectRefOf: keyProject,
  presentError: (error) => ({
    ...jsonAnswer(error.status, { error: textOf(error) }),
    headers: headersOf(error),
  }),
  rateLimitHeaders: unixRateLimitHeaders,
  idempotencyHeaders: [idempotencyHeader],
}

/** The names that our fields have here. */
export const fieldNames = { event_types: 'eventTypes' } as const

function textOf({ code, details }: AppError): string {
  // The same whatever is wrong with an id: its form, that nobody has it, or whose it is.
  if (code === 'not_found') return 'There is no such webhook, or no such delivery of it.'
  if (details.errors === undefined) return details.detail
  return ownFieldNames(details.errors.slice(0, apiLimits.fieldErrorsMax), fieldNames)
    .map(({ param, detail }) => `${param}: ${detail}`)
    .join(' ')
}

function headersOf(error: AppError): Record<string, string> {
  if (error.code === 'unauthorized') return { 'www-authenticate': 'Bearer' }
  const seconds = retryAfterSecondsOf(error)
  return {
    ...(seconds === null ? {} : { 'retry-after': String(seconds) }),
    ...(isVainToRepeat(error) ? { 'x-should-retry': 'false' } : {}),
  }
}

/**
 * Mobilerun's clients send a 409 again by themselves unless this header forbids it. A rotate that
 * lost against another one would then kill the winner's secret, unasked.
 */
function isVainToRepeat({ status, code }: AppError): boolean {
  return status === 409 && code !== 'idempotency_in_flight'
}
