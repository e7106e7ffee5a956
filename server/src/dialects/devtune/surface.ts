import { jsonAnswer } from '../../api/answer.ts'
import { apiLimits } from '../../api/api-limits.ts'
import { bearerOf } from '../../api/authenticate.ts'
import { idempotencyHeader } from '../../api/idempotency.ts'
import { retryAfterSecondsOf } from '../../api/problem.ts'
import { unixRateLimitHeaders } from '../../api/rate-limit.ts'
import type { Surface } from '../../api/surface.ts'
import { type AppError, type ErrorCode, errorTable } from '../../core/errors.ts'
import { idOfUuid } from '../../core/ids.ts'
import { refusePortal } from '../key-project.ts'
import { ownFieldNames } from '../own-field-names.ts'

/** DevTune's ways: Bearer keys, the project in the path as a UUID, flat errors with a code. */
export const devtuneSurface: Surface = {
  credentialOf: ({ authorization }) => bearerOf(authorization),
  projectRefOf({ project = '' }, principal) {
    refusePortal(principal)
    return idOfUuid('prj', project)
  },
  presentError(error) {
    const status = statusOf(error)
    const body = { error: codes[status], message: messageOf(error), status }
    return { ...jsonAnswer(status, body), headers: headersOf(error) }
  },
  rateLimitHeaders: unixRateLimitHeaders,
  idempotencyHeaders: [idempotencyHeader],
}

/** The names that our fields have here. */
const fieldNames = { event_types: 'events' } as const

type Status = Exclude<(typeof errorTable)[ErrorCode]['status'], 422>

/** By status. DevTune's documents name those of 400, 401, 403, 404 and 429; the others are ours. */
const codes: Readonly<Record<Status, string>> = {
  400: 'bad_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  408: 'request_timeout',
  409: 'conflict',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  417: 'expectation_failed',
  429: 'rate_limit_exceeded',
  431: 'headers_too_large',
  500: 'internal_error',
  503: 'service_unavailable',
}

/** Its documents know no 422: what is wrong with a request is 400. */
function statusOf({ code }: AppError): Status {
  const { status } = errorTable[code]
  return status === 422 ? 400 : status
}

function messageOf({ code, details }: AppError): string {
  // The same whatever is wrong with an id: its form, that nobody has it, or whose it is.
  if (code === 'not_found') return 'There is no such project, or no such webhook in it.'
  if (details.errors === undefined) return details.detail
  return ownFieldNames(details.errors.slice(0, apiLimits.fieldErrorsMax), fieldNames)
    .map(({ param, detail }) => `${param}: ${detail}`)
    .join(' ')
}

function headersOf(error: AppError): Record<string, string> {
  if (error.code === 'unauthorized') return { 'www-authenticate': 'Bearer' }
  const seconds = retryAfterSecondsOf(error)
  return seconds === null ? {} : { 'retry-after': String(seconds) }
}
