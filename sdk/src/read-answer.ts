import { toCamelCase } from './camel-case.ts'
import { ApiError, type ApiErrorDetails } from './errors.ts'
import type { FieldError } from './resources.ts'
import { parseRetryAfterMs } from './retry-policy.ts'

/** The members of RFC 9457 and of this API that `ApiError` has fields for. */
const knownMembers = new Set([
  'type',
  'title',
  'status',
  'detail',
  'instance',
  'code',
  'param',
  'errors',
])

/**
 * Turns a complete answer into its parsed JSON, or undefined for 204.
 *
 * @throws ApiError for any answer but success. A body that is no problem document is left out of
 *   the error: it comes from something in between and may hold anything, even the key.
 */
export function readAnswer(response: Response, text: string, now: Date): unknown {
  if (response.status === 204) return undefined
  const body = parseJson(text)
  if (!response.ok) throw new ApiError(describeProblem(response, body, now))
  if (body === undefined) {
    throw new ApiError({
      ...describeProblem(response, undefined, now),
      code: 'unreadable_answer',
      title: 'The answer is not JSON; does baseUrl lead to a Countersign server?',
    })
  }
  return body
}

function describeProblem(response: Response, body: unknown, now: Date): ApiErrorDetails {
  const isProblem = /^application\/problem\+json\b/i.test(
    response.headers.get('content-type') ?? '',
  )
  const problem = isProblem && isObject(body) ? body : {}
  const extensions = Object.entries(problem).filter(([name]) => !knownMembers.has(name))
  return {
    status: response.status,
    code: asText(problem.code) ?? `http_${response.status}`,
    title: asText(problem.title) ?? describeStatus(response),
    detail: asText(problem.detail),
    param: asText(problem.param),
    errors: Array.isArray(problem.errors) ? problem.errors.filter(isFieldError) : [],
    requestId: response.headers.get('x-request-id') ?? asText(problem.instance),
    retryAfterMs: parseRetryAfterMs(response.headers.get('retry-after'), now),
    extensions: toCamelCase<Record<string, unknown>>(Object.fromEntries(extensions)),
  }
}

function describeStatus(response: Response): string {
  // Redirects are not followed: a POST would turn into a GET, and the key must not travel.
  const isRedirect =
    response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)
  if (isRedirect) return 'The answer is a redirect; does baseUrl lead to a Countersign server?'
  return response.statusText || 'The answer is an error without further details'
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isFieldError(value: unknown): value is FieldError {
  return isObject(value) && [value.param, value.detail, value.code].every((v) => asText(v) !== null)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function asText(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
