import { CountersignError } from './errors.ts'

/**
 * Why a request is not taken for a webhook.
 * - `missing_header`: a header that the format needs is absent or empty; it may be unsigned.
 * - `timestamp_too_old`, `timestamp_too_new`: outside the tolerance; a replay, or a wrong clock.
 * - `no_match`: no signature was made with any of the secrets; a forgery, or a wrong secret.
 * - `malformed`: a header or the body is not what the format says; nothing was taken from it.
 */
export type WebhookVerificationErrorCode =
  | 'missing_header'
  | 'timestamp_too_old'
  | 'timestamp_too_new'
  | 'no_match'
  | 'malformed'

/**
 * The request is not a webhook signed with one of the secrets. Answer it with 400.
 *
 * @example
 * try {
 *   await verifyWebhook(body, headers, secrets)
 * } catch (error) {
 *   if (!(error instanceof WebhookVerificationError)) throw error
 *   console.error('refused:', error.code)
 * }
 */
export class WebhookVerificationError extends CountersignError {
  override readonly name = 'WebhookVerificationError'
  readonly code: WebhookVerificationErrorCode

  constructor(code: WebhookVerificationErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
