import type * as Wire from './wire-types.ts'

export type { Wire }

/** An answer as it is on the wire. */
export interface WireAnswer<T> {
  status: number
  headers: Headers
  text: string
  body: T
}

/** A problem document; further members under their own names. */
export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  instance: string
  code: string
  param?: string
  errors?: Wire.FieldError[]
  [extra: string]: unknown
}

export interface WireRequest {
  /** Sent as JSON. */
  body?: unknown
  /** Sent as it is, instead of `body`. */
  text?: string
  idempotencyKey?: string
  headers?: Record<string, string>
}

/** Speaks HTTP to a server without the SDK in between, so that every byte is the test's own. */
export type WireClient = <T>(
  method: string,
  path: string,
  request?: WireRequest,
) => Promise<WireAnswer<T>>

/** `path` is the part behind `/v1`, or begins with `//` for one outside of it. */
export function createWireClient(options: { url: () => string; key: () => string }): WireClient {
  return async <T>(method: string, path: string, request: WireRequest = {}) => {
    const { body, text = body === undefined ? undefined : JSON.stringify(body) } = request
    const target = path.startsWith('//') ? path.slice(1) : `/v1${path}`
    const response = await fetch(`${options.url()}${target}`, {
      method,
      headers: {
        authorization: `Bearer ${options.key()}`,
        ...(text === undefined ? {} : { 'content-type': 'application/json' }),
        ...(request.idempotencyKey === undefined
          ? {}
          : { 'idempotency-key': request.idempotencyKey }),
        ...request.headers,
      },
      ...(text === undefined ? {} : { body: text }),
    })
    const answered = await response.text()
    const isJson = /json/.test(response.headers.get('content-type') ?? '')
    return {
      status: response.status,
      headers: response.headers,
      text: answered,
      body: (isJson ? JSON.parse(answered) : undefined) as T,
    }
  }
}
