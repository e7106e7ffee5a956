import { type Answer, jsonAnswer } from '../../api/answer.ts'
import { apiLimits } from '../../api/api-limits.ts'
import { bearerOf, unauthorized } from '../../api/authenticate.ts'
import { idempotencyHeader } from '../../api/idempotency.ts'
import { STATUS_CODES } from '../../api/node-http.ts'
import { retryAfterSecondsOf } from '../../api/problem.ts'
import type { Quota } from '../../api/rate-limit.ts'
import type { Surface } from '../../api/surface.ts'
import type { AppError, ErrorCode } from '../../core/errors.ts'
import { keyProject } from '../key-project.ts'
import { ownFieldNames } from '../own-field-names.ts'

/** Composio's ways: a key in one of two headers, numbered errors with a slug (dialects.md 2.1, 2.8). */
export const composioSurface: Surface = {
  credentialOf,
  projectRefOf: keyProject,
  presentError,
  rateLimitHeaders: ({ limit, remaining, windowMs }: Quota) => ({
    'x-ratelimit': String(limit),
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-window-size': `${Math.ceil(windowMs / 1000)}s`,
  }),
  idempotencyHeaders: [idempotencyHeader],
}

/** The names that our fields have here. */
export const fieldNames = {
  url: 'webhook_url',
  event_types: 'enabled_events',
  format: 'version',
} as const

/** Every header that can hold a credential of Composio's, and the native one. */
const credentialHeaders = ['x-api-key', 'x-user-api-key', 'x-org-api-key', 'authorization'] as const

/** Two credentials could name two projects, so that nobody could tell which was meant. */
function credentialOf(headers: Readonly<Record<string, unknown>>): string {
  const [name, second] = credentialHeaders.filter((header) => headers[header] !== undefined)
  if (second !== undefined) {
    throw unauthorized(`Send exactly one credential, not both ${name} and ${second}.`)
  }
  if (name === undefined) throw unauthorized('Send a key in the header x-api-key.', 'missing')
  if (name === 'x-org-api-key') throw unauthorized('The keys of organisations open nothing here.')
  const value = String(headers[name])
  return name === 'authorization' ? bearerOf(value) : value
}

function presentError(error: AppError, { requestId }: { requestId: string }): Answer {
  const status = statusOf(error)
  const headers = headersOf(error)
  // The one refusal that has a shape of its own.
  if (status === 429) return { ...jsonAnswer(status, { message: error.details.detail }), headers }
  const errors = fieldErrorsOf(error)
  const suggestedFix = suggestedFixes[error.code]
  const body = {
    message: messageOf(error, errors),
    code: 10_000 + status,
    slug: `HTTP_${STATUS_CODES[status]?.replaceAll(' ', '')}`,
    status,
    request_id: requestId,
    ...(suggestedFix === undefined ? {} : { suggested_fix: suggestedFix }),
    ...(errors.length === 0 ? {} : { errors }),
  }
  return { ...jsonAnswer(status, { error: body }), headers }
}

/** Its documents know no 422: what is wrong with a request is 400. */
function statusOf({ status }: AppError): number {
  return status === 422 ? 400 : status
}

function messageOf({ code, details }: AppError, errors: readonly string[]): string {
  // The same whatever is wrong with an id: its form, that nobody has it, or whose it is.
  if (code === 'not_found') return 'There is no such webhook subscription.'
  if (errors.length === 0) return details.detail
  return errors.length === 1 ? `${errors[0]}` : `${errors.length} fields are not right; see errors.`
}

function fieldErrorsOf({ details }: AppError): string[] {
  const errors = (details.errors ?? []).slice(0, apiLimits.fieldErrorsMax)
  return ownFieldNames(errors, fieldNames).map(({ param, detail }) => `${param}: ${detail}`)
}

const suggestedFixes: Partial<Record<ErrorCode, string>> = {
  unauthorized: 'Send the key of a project in the header x-api-key, and no other credential.',
  forbidden: 'Use the key of a project that has the scope which this call needs.',
  not_found: 'List the webhook subscriptions to see the ids of this project.',
  endpoint_limit_reached: 'Change the webhook subscription that is there, or delete it first.',
  secret_changed: 'Rotate again only if the secret of the other rotation is not wanted.',
  idempotency_in_flight: 'Send the same request again shortly: it gets the answer of the first.',
  idempotency_key_reused: 'Use a new Idempotency-Key for a new request.',
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
 * Composio's clients send a 409 again by themselves unless this header forbids it (dialects.md,
 * section 7, 2). A rotate that lost against another one would then kill the winner's secret.
 */
function isVainToRepeat({ status, code }: AppError): boolean {
  return status === 409 && code !== 'idempotency_in_flight'
}
