/**
 * Every error the product can answer with: its HTTP status on the native surface and its title.
 * `docs/errors.md` and the page at `/docs/errors` are made from this table.
 */
export const errorTable = {
  invalid_json: {
    status: 400,
    title: 'The body is not acceptable JSON',
    help: 'Send one JSON value in UTF-8, no duplicate keys, nested at most 64 levels deep.',
  },
  invalid_request: {
    status: 400,
    title: 'The request is not valid HTTP',
    help: 'Send HTTP/1.1 with a `Host` header; `detail` says what is wrong.',
  },
  unauthorized: {
    status: 401,
    title: 'The key is missing or not valid',
    help: 'Send `Authorization: Bearer <key>` with a root key or a project key that is neither revoked nor expired.',
  },
  forbidden: {
    status: 403,
    title: 'The key may not do this',
    help: 'Use a key of this project that has the scope named in `detail`, or the root key.',
  },
  not_found: {
    status: 404,
    title: 'There is no such thing',
    help: 'Check the path and the id; ids of other projects are never found.',
  },
  method_not_allowed: {
    status: 405,
    title: 'The path exists, the method does not',
    help: 'The `Allow` header lists the methods of this path.',
  },
  request_timeout: {
    status: 408,
    title: 'The request did not arrive in time',
    help: 'Send the whole request without pauses; it may safely be sent again.',
  },
  uid_taken: {
    status: 409,
    title: 'The uid is in use',
    help: 'Another resource of the same kind holds this uid; choose another or use that resource.',
  },
  event_id_conflict: {
    status: 409,
    title: 'The event id was used for another event',
    help: 'The same id with the same type and the same bytes of `data` is answered with the first event; anything else needs a new id.',
  },
  rotation_in_progress: {
    status: 409,
    title: 'A rotation is open on this endpoint',
    help: 'Wait for it to end, complete or cancel it, or send `force: true` to close it and rotate now.',
  },
  rotation_not_active: {
    status: 409,
    title: 'The rotation is staged and not active yet',
    help: 'Its new secret does not sign yet, so nothing can be retired. Cancel it, or wait for `activates_at`.',
  },
  rotation_closed: {
    status: 409,
    title: 'The rotation is closed',
    help: 'A completed or cancelled rotation cannot be changed. Rotate again if you need another secret.',
  },
  receiver_not_verified: {
    status: 409,
    title: 'Nothing proves that the receiver takes the new secret',
    help: 'Let `verify` show it, or send `force: true` to retire the previous secret all the same.',
  },
  receiver_uses_new: {
    status: 409,
    title: 'The receiver takes the new secret already',
    help: 'Going back would have it refuse deliveries. Send `force: true` if it is to be done all the same.',
  },
  claim_used: {
    status: 409,
    title: 'The claim link was used',
    help: 'A secret is given out once only. If it was not you, say so on the page of the link; whoever rotates can rotate again.',
  },
  claim_not_used: {
    status: 409,
    title: 'Nobody has used the claim link yet',
    help: 'Only a used link can be disputed. Use it, or ask for a new one.',
  },
  campaign_closed: {
    status: 409,
    title: 'The campaign is over',
    help: 'It is completed or cancelled; begin another for what is left.',
  },
  secret_changed: {
    status: 409,
    title: 'Another rotation came first',
    help: 'The current secret is no longer the one that this call was made for. Read the endpoint and decide again.',
  },
  endpoint_disabled: {
    status: 409,
    title: 'The endpoint is disabled',
    help: 'Set its `state` to `active` first.',
  },
  endpoint_deleted: {
    status: 409,
    title: 'The endpoint of this delivery is deleted',
    help: 'A delivery cannot be sent again once its endpoint is gone.',
  },
  event_expunged: {
    status: 409,
    title: 'The event was expunged',
    help: 'What it said is gone, so it cannot be sent again.',
  },
  endpoint_limit_reached: {
    status: 409,
    title: 'The project has as many endpoints as it may have',
    help: 'Delete an endpoint, or ask the operator for a higher limit.',
  },
  api_key_not_live: {
    status: 409,
    title: 'The key is revoked or expired',
    help: 'A key that no longer works cannot be rotated; create another one.',
  },
  idempotency_in_flight: {
    status: 409,
    title: 'The first request with this Idempotency-Key is still running',
    help: 'Send the same request again shortly; it will get the answer of the first.',
  },
  payload_too_large: {
    status: 413,
    title: 'The body is too large',
    help: 'Send less: the limit is named in `detail`.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The content type is not supported',
    help: 'Send `Content-Type: application/json`, and no `Content-Encoding`.',
  },
  expectation_failed: {
    status: 417,
    title: 'The expectation cannot be met',
    help: 'Leave the `Expect` header out, or send `Expect: 100-continue`.',
  },
  validation_failed: {
    status: 422,
    title: 'Some fields are not right',
    help: '`errors` names every field at fault, where it is and what would be right.',
  },
  secret_reused: {
    status: 422,
    title: 'The secret was used before on this endpoint',
    help: 'Leave `secret` out to have one generated, or supply a new one.',
  },
  format_carries_one_signature: {
    status: 422,
    title: 'The format carries one signature',
    help: 'An overlap is impossible in this format: send `expire_current_in: 0` to cut over now, or `activate_at` to cut over at a time that both sides know.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'The Idempotency-Key was used for another request',
    help: 'Use a new key for a new request; the same key needs the same bytes.',
  },
  rate_limit_exceeded: {
    status: 429,
    title: 'Too many requests',
    help: 'Wait for the seconds in `Retry-After`; the `X-RateLimit-*` headers of every answer tell how much is left.',
  },
  headers_too_large: {
    status: 431,
    title: 'The request line and headers are too large',
    help: 'Send a shorter path and query, and fewer or shorter headers.',
  },
  public_url_missing: {
    status: 422,
    title: 'The server does not know its public address',
    help: 'A claim link leads to this server; the operator sets COUNTERSIGN_PUBLIC_URL.',
  },
  not_verifiable: {
    status: 422,
    title: 'This endpoint cannot be probed',
    help: 'Its format has no probe, or signing is switched off, so nothing can show which secret the receiver takes.',
  },
  internal_error: {
    status: 500,
    title: 'Something went wrong on our side',
    help: 'Nothing was stored. Try again; if it stays, give the operator the request id in `instance`.',
  },
  storage_unavailable: {
    status: 503,
    title: 'The store cannot be written or read right now',
    help: 'Nothing was stored. Try again shortly; the operator finds the cause in the log.',
  },
  overloaded: {
    status: 503,
    title: 'The server has more work than it can queue',
    help: 'Nothing was stored. Try again after the time in `Retry-After`.',
  },
} as const satisfies Record<string, { status: number; title: string; help: string }>

export type ErrorCode = keyof typeof errorTable

/** One field at fault: where (dotted path), what would be right, and a machine-readable code. */
export interface FieldError {
  param: string
  detail: string
  code: string
}

export interface ErrorDetails {
  /** What happened this time, for a person. Never holds a secret. */
  detail: string
  param?: string
  errors?: FieldError[]
  /** Where `errors` are, unless in the body. */
  place?: 'query' | 'path'
  /** What is wrong with the credential, for surfaces that tell. */
  credential?: 'missing' | 'invalid' | 'expired'
  /** When it makes sense to try again. */
  retryAfterSeconds?: number
  /** Further members of the problem document, in wire form (`rotation_id`, …). */
  extra?: Record<string, string | number | null | string[]>
  cause?: unknown
}

/** A refusal or failure with a code of the closed table; each surface maps it to its own shape. */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, details: ErrorDetails) {
    super(details.detail, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.details = details
  }

  get status(): number {
    return errorTable[this.code].status
  }
}

/** The refusal of one or more fields: 422, all of them at once. */
export function invalidFields(errors: FieldError[], place?: ErrorDetails['place']): AppError {
  const first = errors[0]
  return new AppError('validation_failed', {
    detail:
      errors.length === 1 && first
        ? `${first.param}: ${first.detail}`
        : `${errors.length} fields are not right; see errors.`,
    ...(first ? { param: first.param } : {}),
    errors,
    ...(place === undefined ? {} : { place }),
  })
}

/** The refusal of one field. */
export function invalidField(param: string, detail: string, code = 'invalid_value'): AppError {
  return invalidFields([{ param, detail, code }])
}
