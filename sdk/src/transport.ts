import { encodeBody, encodeQuery } from './camel-case.ts'
import { ApiError, ConnectionError, CountersignError, TimeoutError } from './errors.ts'
import { readAnswer } from './read-answer.ts'
import { retryDelayMs } from './retry-policy.ts'

/** The part of `fetch` that the client uses. It must honour `signal`: timeouts depend on it. */
export type Fetch = (url: string, init: FetchInit) => Promise<Response>

/** What the client passes to `fetch`; every implementation of `fetch` takes it. */
export interface FetchInit {
  method: string
  headers: Record<string, string>
  body?: string
  redirect: 'manual'
  signal: AbortSignal
}

/**
 * What every call takes as its last argument.
 *
 * @example
 * const options: RequestOptions = { timeoutMs: 5_000, signal: AbortSignal.timeout(20_000) }
 * await client.projects.get(project, options)
 */
export interface RequestOptions {
  /** Ends the call, its retries included; the call then throws the signal's `reason`. */
  signal?: AbortSignal | undefined
  /** Longest wait for one try's complete answer, in milliseconds; the client's where absent. */
  timeoutMs?: number | undefined
  /** Retries after the first try, 0 or more; the client's where absent. */
  retriesMax?: number | undefined
}

/**
 * What calls that send a POST take as their last argument.
 *
 * @example
 * const options: PostOptions = { idempotencyKey: 'rotation-of-march' }
 * const { secret } = await client.endpoints.rotateSecret(project, endpoint, {}, options)
 */
export interface PostOptions extends RequestOptions {
  /**
   * 1 to 255 printable ASCII characters. The server answers the same key, within 24 h, with the
   * answer it gave first. Made anew for every call where absent, and the same in its retries.
   */
  idempotencyKey?: string | undefined
}

/** One call of the API. */
export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Segments under `/v1`, not yet escaped. */
  path: readonly string[]
  /** The path is not under `/v1`. */
  isUnversioned?: boolean
  /** The answer is text, and is given back as it is. */
  isText?: boolean
  headers?: Record<string, string>
  query?: object | undefined
  body?: unknown
  options?: PostOptions | undefined
}

/** Sends calls and gives back the parsed JSON of the answer, still in wire form. */
export interface Transport {
  send<TAnswer = unknown>(call: Call): Promise<TAnswer>
  /**
   * Asks once for an answer that has no end. `timeoutMs` counts until it begins, and from then on
   * between its pieces.
   */
  open(call: Call): AsyncGenerator<Uint8Array, void, undefined>
  /** How long to wait before asking again after `error`; null where that is pointless. */
  retryDelayMs(error: unknown, retries: number): number | null
  wait: TransportOptions['wait']
}

export interface TransportOptions {
  /** Without a slash at its end. */
  baseUrl: string
  apiKey: string
  fetch: Fetch
  timeoutMs: number
  retriesMax: number
  wait: (delayMs: number, signal: AbortSignal | undefined) => Promise<void>
  random: () => number
}

/** Makes the one place that talks HTTP: authentication, timeouts, retries, error mapping. */
export function createTransport(defaults: TransportOptions): Transport {
  return {
    wait: defaults.wait,
    retryDelayMs: (error, retries) => retryDelayMs(error, retries, defaults.random()),
    open: (call) => openOnce(defaults, call),
    async send<TAnswer = unknown>(call: Call) {
      const signal = call.options?.signal
      const retriesMax = call.options?.retriesMax ?? defaults.retriesMax
      const timeoutMs = call.options?.timeoutMs ?? defaults.timeoutMs
      requireCount('retriesMax', retriesMax)
      requireTimeout('timeoutMs', timeoutMs)
      const request = {
        url: buildUrl(defaults.baseUrl, call),
        // Made before the first try, so that every retry carries the same Idempotency-Key.
        init: buildInit(defaults.apiKey, call),
        isText: call.isText === true,
        signal,
        timeoutMs,
      }
      let mayBeDone = false
      for (let retries = 0; ; retries += 1) {
        try {
          return (await tryOnce(defaults.fetch, request)) as TAnswer
        } catch (error) {
          const status = error instanceof ApiError ? error.status : null
          // An earlier try has removed it, and its answer was lost.
          if (mayBeDone && call.method === 'DELETE' && status === 404) return undefined as TAnswer
          mayBeDone ||= status === null || status >= 500
          const delayMs = retryDelayMs(error, retries, defaults.random())
          if (delayMs === null || retries >= retriesMax) throw error
          await defaults.wait(delayMs, signal)
        }
      }
    },
  }
}

/** Refuses a number of retries that is not a whole number from 0 up. */
export function requireCount(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 0) {
    throw new TypeError(`${name} must be a whole number, 0 or more`)
  }
}

/** Refuses a timeout that timers cannot hold: they fire at once beyond 2^31 - 1 ms. */
export function requireTimeout(name: string, value: number): void {
  if (!(value > 0 && value <= 2 ** 31 - 1)) {
    throw new TypeError(`${name} must be more than 0 and at most ${2 ** 31 - 1} milliseconds`)
  }
}

interface PreparedRequest {
  url: string
  init: Omit<FetchInit, 'signal'>
  isText: boolean
  signal: AbortSignal | undefined
  timeoutMs: number
}

function buildUrl(baseUrl: string, call: Call): string {
  const path = call.path.map((segment) => {
    // An empty id would turn one resource into its collection, dots would climb out of it.
    if (typeof segment !== 'string' || ['', '.', '..'].includes(segment)) {
      throw new TypeError('an id must be text that is neither empty nor dots')
    }
    return `/${encodeURIComponent(segment)}`
  })
  const root = call.isUnversioned ? baseUrl : `${baseUrl}/v1`
  return `${root}${path.join('')}${encodeQuery(call.query ?? {})}`
}

function buildInit(apiKey: string, call: Call): Omit<FetchInit, 'signal'> {
  const headers: Record<string, string> = {
    accept: call.isText ? 'text/plain' : 'application/json',
    authorization: `Bearer ${apiKey}`,
    ...call.headers,
  }
  if (call.method === 'POST') headers['idempotency-key'] = idempotencyKey(call.options)
  // `manual`, since `error` does not exist on every runtime; readAnswer refuses redirects.
  const init = { method: call.method, headers, redirect: 'manual' as const }
  if (call.body === undefined) return init
  headers['content-type'] = 'application/json'
  return { ...init, body: encodeBody(call.body) }
}

function idempotencyKey(options: PostOptions | undefined): string {
  const key = options?.idempotencyKey ?? randomKey()
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new TypeError('idempotencyKey must be 1 to 255 printable ASCII characters without spaces')
  }
  return key
}

/** 128 random bits. Not randomUUID: browsers have that only on https and localhost pages. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

async function tryOnce(fetch: Fetch, request: PreparedRequest): Promise<unknown> {
  const { signal, timeoutMs } = request
  signal?.throwIfAborted()
  const controller = new AbortController()
  const abort = () => controller.abort(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  const timer = setTimeout(() => controller.abort(new TimeoutError(timeoutMs)), timeoutMs)
  try {
    const response = await fetch(request.url, { ...request.init, signal: controller.signal })
    const text = await response.text()
    if (request.isText && response.ok) return text
    return readAnswer(response, text, new Date())
  } catch (error) {
    if (error instanceof CountersignError) throw error
    if (controller.signal.aborted) throw controller.signal.reason
    throw new ConnectionError(describeFailure(request.url, error), { cause: error })
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}

async function* openOnce(
  defaults: TransportOptions,
  call: Call,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { signal, timeoutMs = defaults.timeoutMs } = call.options ?? {}
  requireTimeout('timeoutMs', timeoutMs)
  signal?.throwIfAborted()
  const url = buildUrl(defaults.baseUrl, call)
  const controller = new AbortController()
  const abort = () => controller.abort(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  const watch = () => setTimeout(() => controller.abort(new TimeoutError(timeoutMs)), timeoutMs)
  let timer = watch()
  try {
    const init = { ...buildInit(defaults.apiKey, call), signal: controller.signal }
    const response = await defaults.fetch(url, init)
    if (!response.ok || response.body === null) {
      readAnswer(response, await response.text(), new Date())
      return
    }
    const reader = response.body.getReader()
    for (;;) {
      clearTimeout(timer)
      timer = watch()
      const { done, value } = await reader.read()
      if (done) return
      // Whoever takes its time over a piece is not silence of the server.
      clearTimeout(timer)
      yield value
    }
  } catch (error) {
    if (error instanceof CountersignError) throw error
    if (controller.signal.aborted) throw controller.signal.reason
    throw new ConnectionError(describeFailure(url, error), { cause: error })
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
    controller.abort()
  }
}

function describeFailure(url: string, error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : ''
  return `No answer from ${new URL(url).origin}${code}`
}
