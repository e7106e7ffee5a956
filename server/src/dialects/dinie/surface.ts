import type { IncomingHttpHeaders } from 'node:http'
import type { Answer } from '../../api/answer.ts'
import { apiLimits } from '../../api/api-limits.ts'
import { bearerOf } from '../../api/authenticate.ts'
import { retryAfterSecondsOf } from '../../api/problem.ts'
import { unixRateLimitHeaders } from '../../api/rate-limit.ts'
import type { Surface } from '../../api/surface.ts'
import { type AppError, errorTable, type FieldError } from '../../core/errors.ts'
import { keyProject } from '../key-project.ts'
import { ownFieldNames } from '../own-field-names.ts'

/** Dinie's ways: access tokens as Bearer, problem documents with Dinie's types (dialects.md 5.1, 5.7). */
export const dinieSurface = surfaceThatAsksFor('Bearer')

/** The same where the access tokens come from, which asks for client credentials (RFC 6749, 5.2). */
export const dinieTokenSurface = surfaceThatAsksFor('Basic realm="Countersign", charset="UTF-8"')

/** The names that our fields have here. */
export const fieldNames = { event_types: 'events', state: 'status' } as const

function surfaceThatAsksFor(challenge: string): Surface {
  return {
    credentialOf: ({ authorization }: IncomingHttpHeaders) => bearerOf(authorization),
    projectRefOf: keyProject,
    presentError: (error, about) => presentError(error, about, challenge),
    rateLimitHeaders: unixRateLimitHeaders,
    // The documents name the first, the clients send the second.
    idempotencyHeaders: ['idempotency-key', 'x-idempotency-key'],
  }
}

const typesBase = 'https://api.dinie.com.br/errors/'

/** By status; its documents name eight, and clients know a problem by its status first. */
const slugs: Readonly<Record<number, string>> = {
  400: 'invalid-request',
  401: 'authentication-failed',
  403: 'forbidden',
  404: 'not-found',
  405: 'method-not-allowed',
  409: 'conflict',
  413: 'payload-too-large',
  415: 'unsupported-media-type',
  422: 'validation-failed',
  429: 'rate-limit-exceeded',
  503: 'service-unavailable',
}

const tokenCodes = {
  missing: 'missing_token',
  expired: 'token_expired',
  invalid: 'invalid_token',
} as const

function presentError(
  error: AppError,
  { requestId }: { requestId: string },
  challenge: string,
): Answer {
  const { status, details } = error
  const errors = fieldErrorsOf(details.errors ?? [])
  const param = details.param === undefined ? undefined : ownName(details.param)
  const text = JSON.stringify({
    type: typesBase + (slugs[status] ?? (status < 500 ? 'invalid-request' : 'internal')),
    title: errorTable[error.code].title,
    status,
    detail: detailOf(error, errors),
    instance: requestId,
    code: codeOf(error),
    ...(param === undefined ? {} : { param }),
    ...(errors.length === 0 ? {} : { errors }),
  })
  return {
    status,
    contentType: 'application/problem+json; charset=utf-8',
    text,
    headers: headersOf(error, challenge),
  }
}

function codeOf({ code, details }: AppError): string {
  return code === 'unauthorized' ? tokenCodes[details.credential ?? 'invalid'] : code
}

function detailOf({ code, details }: AppError, errors: readonly FieldError[]): string {
  // The same whatever is wrong with an id: its form, that nobody has it, or whose it is.
  if (code === 'not_found') return 'There is no such webhook endpoint.'
  const [only, second] = errors
  if (only === undefined) return details.detail
  return second === undefined
    ? `${only.param}: ${only.detail}`
    : `${errors.length} fields are not right; see errors.`
}

function fieldErrorsOf(errors: readonly FieldError[]): FieldError[] {
  return ownFieldNames(errors.slice(0, apiLimits.fieldErrorsMax), fieldNames)
}

function ownName(param: string): string {
  const [named] = ownFieldNames([{ param, detail: '', code: '' }], fieldNames)
  return named?.param ?? param
}

function headersOf(error: AppError, challenge: string): Record<string, string> {
  if (error.code === 'unauthorized') return { 'www-authenticate': challenge }
  const seconds = retryAfterSecondsOf(error)
  return seconds === null ? {} : { 'retry-after': String(seconds) }
}
