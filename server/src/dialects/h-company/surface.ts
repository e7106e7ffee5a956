import { type Answer, jsonAnswer } from '../../api/answer.ts'
import { apiLimits } from '../../api/api-limits.ts'
import { bearerOf } from '../../api/authenticate.ts'
import { idempotencyHeader } from '../../api/idempotency.ts'
import { retryAfterSecondsOf } from '../../api/problem.ts'
import { unixRateLimitHeaders } from '../../api/rate-limit.ts'
import type { Surface } from '../../api/surface.ts'
import type { AppError, ErrorDetails, FieldError } from '../../core/errors.ts'
import { keyProject } from '../key-project.ts'
import { ownFieldNames } from '../own-field-names.ts'

/** H Company's ways: Bearer keys of a project, and a `detail` that is a text, or a list for 422. */
export const hCompanySurface: Surface = {
  credentialOf: ({ authorization }) => bearerOf(authorization),
  projectRefOf: keyProject,
  presentError,
  rateLimitHeaders: unixRateLimitHeaders,
  idempotencyHeaders: [idempotencyHeader],
}

/** The names that our fields have here. */
export const fieldNames = { event_types: 'enabled_events', state: 'disabled' } as const

function presentError(error: AppError): Answer {
  const { details } = error
  const status = statusOf(error)
  const detail = status === 422 ? locatedErrors(details) : textOf(error)
  return { ...jsonAnswer(status, { detail }), headers: headersOf(error) }
}

/** The limit of webhooks is a 400 here; the rest has our own status. */
function statusOf({ code, status }: AppError): number {
  return code === 'endpoint_limit_reached' ? 400 : status
}

function textOf({ code, details }: AppError): string {
  // The same whatever is wrong with an id: that nobody has it, or whose it is.
  return code === 'not_found' ? 'Webhook not found or you do not have access.' : details.detail
}

/** Each with its place; what was sent is not repeated, as it may be a secret in a wrong place. */
function locatedErrors({ errors, param, detail, ...rest }: ErrorDetails) {
  const place: string = rest.place ?? 'body'
  const found: FieldError[] = errors ?? [{ param: param ?? '', detail, code: 'invalid_value' }]
  return ownFieldNames(found.slice(0, apiLimits.fieldErrorsMax), fieldNames).map((error) => ({
    loc: [place, ...error.param.split('.').filter((part) => part !== '' && part !== place)].map(
      (part) => (/^\d+$/.test(part) ? Number(part) : part),
    ),
    msg: error.detail,
    type: error.code,
  }))
}

function headersOf(error: AppError): Record<string, string> {
  if (error.code === 'unauthorized') return { 'www-authenticate': 'Bearer' }
  const seconds = retryAfterSecondsOf(error)
  return seconds === null ? {} : { 'retry-after': String(seconds) }
}
