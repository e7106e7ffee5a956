import { type Answer, jsonAnswer } from '../../api/answer.ts'
import { apiLimits } from '../../api/api-limits.ts'
import { bearerOf } from '../../api/authenticate.ts'
import { idempotencyHeader } from '../../api/idempotency.ts'
import { retryAfterSecondsOf } from '../../api/problem.ts'
import { unixRateLimitHeaders } from '../../api/rate-limit.ts'
import type { Surface } from '../../api/surface.ts'
import type { AppError, FieldError } from '../../core/errors.ts'
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
export const fieldNames = { event_types: 'enabled_events' } as const

function presentError(error: AppError): Answer {
  const status = statusOf(error)
  const detail = status === 422 ? locatedErrors(error) : textOf(error)
  return { ...jsonAnswer(status, { detail }), headers: headersOf(error) }
}

/**
 * A conflict is a 400 here, as the limit of webhooks is. Its clients may send a 409 again by
 * themselves, and a rotate that lost against another one would then cut off the winner's secret; so
 * 409 is left to what does get better by itself.
 */
function statusOf({ code, status }: AppError): number {
  return status === 409 && code !== 'idempotency_in_flight' ? 400 : status
}

function textOf({ code, details }: AppError): string {
  // The same whatever is wrong with an id: that nobody has it, or whose it is.
  return code === 'not_found' ? "Webhook not found or you don't have access." : details.detail
}

/** Each with its place; what was sent is not repeated, as it may be a secret in a wrong place. */
function locatedErrors({ code, details }: AppError) {
  const { errors, param = '', detail, place = 'body' } = details
  const found: FieldError[] = errors ?? [{ param, detail, code }]
  return ownFieldNames(found.slice(0, apiLimits.fieldErrorsMax), fieldNames).map((error) => ({
    loc: locationOf(error.param, place),
    msg: error.detail,
    type: error.code,
  }))
}

/** `enabled_events.0` of the body → `["body", "enabled_events", 0]`. */
function locationOf(param: string, place: string): (string | number)[] {
  if (param.toLowerCase() === idempotencyHeader) return ['header', param]
  // What is wrong with the whole has no path.
  if (param === '' || param === place) return [place]
  return [place, ...param.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part))]
}

function headersOf(error: AppError): Record<string, string> {
  if (error.code === 'unauthorized') return { 'www-authenticate': 'Bearer' }
  const seconds = retryAfterSecondsOf(error)
  return seconds === null ? {} : { 'retry-after': String(seconds) }
}
