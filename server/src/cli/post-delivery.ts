import type { SignedDelivery } from './signer.ts'

/** What came of a request to a receiver. */
export interface PostAnswer {
  /** Null where none came. */
  statusCode: number | null
  /** Why none came, as a word: timeout, or what the connection said. */
  error: string | null
  durationMs: number
}

/** How a body is sent. */
export interface PostOptions {
  timeoutMs: number
  monotonic: () => number
  signal?: AbortSignal
  /** Sends the body in this many parts with a pause before each. */
  inParts?: { count: number; pauseMs: number }
}

/**
 * Posts a delivery to a receiver that the user of this machine has named. No address is refused:
 * it is the user's own request, not one of the server. Redirects are not followed.
 */
export async function postDelivery(
  url: string,
  { body, headers }: SignedDelivery,
  { timeoutMs, monotonic, signal, inParts }: PostOptions,
): Promise<PostAnswer> {
  const startedAt = monotonic()
  const timeout = AbortSignal.timeout(timeoutMs)
  const durationMs = () => Math.round(monotonic() - startedAt)
  // Also where the body comes in parts: real deliveries tell their length.
  const withLength = { ...headers, 'content-length': String(body.length) }
  try {
    const init = {
      ...{
        method: 'POST',
        headers: withLength,
        redirect: 'manual' as const,
        duplex: 'half' as const,
      },
      body: inParts === undefined ? new Uint8Array(body) : partsOf(body, inParts),
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    }
    const response = await fetch(url, init)
    await response.body?.cancel()
    return { statusCode: response.status, error: null, durationMs: durationMs() }
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    const word = timeout.aborted ? 'timeout' : causeOf(error)
    return { statusCode: null, error: word, durationMs: durationMs() }
  }
}

function partsOf(
  body: Uint8Array,
  { count, pauseMs }: { count: number; pauseMs: number },
): ReadableStream<Uint8Array> {
  const size = Math.ceil(body.length / count)
  let sent = 0
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
      controller.enqueue(body.subarray(sent, sent + size))
      sent += size
      if (sent >= body.length) controller.close()
    },
  })
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  if (cause instanceof Error && 'code' in cause) return String(cause.code)
  return error instanceof Error ? error.message : String(error)
}

/** The text at a URL that the user of this machine has named. */
export async function readText(url: string, timeoutMs: number): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })
  return response.text()
}
