import type { FieldError } from './resources.ts'

/**
 * What every error of this package extends. Messages never hold an API key or a signing secret.
 *
 * @example
 * try {
 *   await client.projects.list().page()
 * } catch (error) {
 *   if (error instanceof CountersignError) console.error(error.name, error.message)
 * }
 */
export class CountersignError extends Error {
  override readonly name: string = 'CountersignError'
}

/** What an `ApiError` is made of. */
export interface ApiErrorDetails {
  status: number
  code: string
  title: string
  detail: string | null
  param: string | null
  errors: FieldError[]
  requestId: string | null
  retryAfterMs: number | null
  extensions: Record<string, unknown>
}

/**
 * The server answered, and the answer is an error (RFC 9457 problem details).
 *
 * @example
 * try {
 *   await client.endpoints.rotateSecret(project, endpoint)
 * } catch (error) {
 *   if (error instanceof ApiError && error.code === 'rotation_in_progress') {
 *     console.error('open rotation:', error.extensions.rotationId, error.requestId)
 *   }
 * }
 */
export class ApiError extends CountersignError {
  override readonly name = 'ApiError'
  /** HTTP status of the answer. */
  readonly status: number
  /**
   * Machine-readable code, such as `not_found`. Where the answer is not a problem document:
   * `http_<status>`, or `unreadable_answer` where it claims success.
   */
  readonly code: string
  /** One sentence for the code. */
  readonly title: string
  /** What happened this time. */
  readonly detail: string | null
  /** The field at fault, or the first of them. */
  readonly param: string | null
  /** Every field at fault. */
  readonly errors: readonly FieldError[]
  /** The server's id of this request, for its operator. */
  readonly requestId: string | null
  /** How long the server asks to wait before another try, in milliseconds. */
  readonly retryAfterMs: number | null
  /** Further members of the problem document, such as `rotationId`. */
  readonly extensions: Readonly<Record<string, unknown>>

  constructor(details: ApiErrorDetails) {
    const request = details.requestId === null ? '' : ` (request ${details.requestId})`
    super(`${details.status} ${details.code}: ${details.detail ?? details.title}${request}`)
    this.status = details.status
    this.code = details.code
    this.title = details.title
    this.detail = details.detail
    this.param = details.param
    this.errors = details.errors
    this.requestId = details.requestId
    this.retryAfterMs = details.retryAfterMs
    this.extensions = details.extensions
  }
}

/**
 * No answer came: the server could not be reached, or the connection broke before the answer was
 * complete. Whether the call took effect is unknown; calling again with the same
 * `idempotencyKey` is safe.
 *
 * @example
 * try {
 *   await client.events.publish(project, { type: 'order.paid', data: { order: 7 } })
 * } catch (error) {
 *   if (error instanceof ConnectionError) console.error('is the server up?', error.cause)
 * }
 */
export class ConnectionError extends CountersignError {
  override readonly name: string = 'ConnectionError'
}

/**
 * No complete answer came within `timeoutMs`. As with every `ConnectionError`, the call may have
 * taken effect.
 *
 * @example
 * try {
 *   await client.endpoints.test(project, endpoint, {}, { timeoutMs: 5_000 })
 * } catch (error) {
 *   if (error instanceof TimeoutError) console.error('slower than', error.timeoutMs, 'ms')
 * }
 */
export class TimeoutError extends ConnectionError {
  override readonly name = 'TimeoutError'
  readonly timeoutMs: number

  constructor(timeoutMs: number) {
    super(`No answer within ${timeoutMs} ms`)
    this.timeoutMs = timeoutMs
  }
}
