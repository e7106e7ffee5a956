import { AppError, type ErrorCode, errorTable, type FieldError } from '../core/errors.ts'
import {
  StorageConflictError,
  StorageOverloadedError,
  StorageUnavailableError,
} from '../storage/storage.ts'
import type { Answer } from './answer.ts'
import { apiLimits } from './api-limits.ts'

/** Page that explains every code, below the public URL. */
export const errorsPagePath = '/docs/errors'

/**
 * Any failure as a refusal of the closed table. What is not known to be harmless becomes
 * `internal_error` with nothing of it in the answer; the error itself stays as `cause` for the log.
 */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  if (error instanceof StorageOverloadedError) {
    return refusal('overloaded', 'More is waiting to be written than may wait.', error)
  }
  if (error instanceof StorageUnavailableError) {
    return refusal('storage_unavailable', 'The store does not answer as it should.', error)
  }
  if (error instanceof StorageConflictError && error.constraint !== 'idempotency_key') {
    return refusal('uid_taken', 'Another resource took this uid a moment ago.', error, 'uid')
  }
  return refusal('internal_error', 'The request failed for a reason that is in the log.', error)
}

/** The answer to a refusal: a problem document (RFC 9457). */
export function problemAnswer(
  error: AppError,
  options: { requestId: string; publicUrl: string | null },
): Answer {
  const { status } = errorTable[error.code]
  return {
    status,
    contentType: 'application/problem+json; charset=utf-8',
    text: JSON.stringify({
      type: `${options.publicUrl ?? ''}${errorsPagePath}#${error.code}`,
      status,
      instance: options.requestId,
      ...errorBody(error),
    }),
    headers: headersOf(error),
  }
}

/** What tells about an error, in a problem as in one result of a batch. */
export function errorBody(error: AppError): {
  code: ErrorCode
  title: string
  detail: string
  param?: string
  errors?: FieldError[]
} {
  const { detail, param, errors, extra } = error.details
  return {
    code: error.code,
    title: errorTable[error.code].title,
    detail,
    ...(param === undefined ? {} : { param }),
    ...(errors === undefined ? {} : { errors: errors.slice(0, apiLimits.fieldErrorsMax) }),
    ...extra,
  }
}

/** What goes into `Retry-After`; null: no such header. */
export function retryAfterSecondsOf({ code, details }: AppError): number | null {
  if (details.retryAfterSeconds !== undefined) return details.retryAfterSeconds
  if (code === 'overloaded') return apiLimits.overloadedRetryAfterSeconds
  return code === 'storage_unavailable' ? apiLimits.unavailableRetryAfterSeconds : null
}

function refusal(code: ErrorCode, detail: string, cause: unknown, param?: string): AppError {
  return new AppError(code, { detail, cause, ...(param === undefined ? {} : { param }) })
}

function headersOf(error: AppError): Record<string, string> {
  if (error.code === 'unauthorized') return { 'www-authenticate': 'Bearer' }
  const seconds = retryAfterSecondsOf(error)
  return seconds === null ? {} : { 'retry-after': String(seconds) }
}
