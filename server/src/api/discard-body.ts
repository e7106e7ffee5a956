import type { Readable } from 'node:stream'

/**
 * Reads what is left of a body and throws it away; resolves when it has ended or broken off, or
 * when a bound is reached. An answer that closes the connection before the client has sent all
 * makes the system reset it, and the client never sees the answer.
 */
export function discardBody(
  body: Readable,
  bounds: { bytesMax: number; waitMs: number },
): Promise<void> {
  if (body.readableEnded || body.destroyed) return Promise.resolve()
  const done = Promise.withResolvers<void>()
  const timer = setTimeout(done.resolve, bounds.waitMs)
  let byteCount = 0
  const count = (chunk: Uint8Array) => {
    byteCount += chunk.length
    if (byteCount > bounds.bytesMax) done.resolve()
  }
  const events = ['end', 'close', 'error'] as const
  for (const event of events) body.once(event, done.resolve)
  body.on('data', count).resume()
  return done.promise.finally(() => {
    clearTimeout(timer)
    for (const event of events) body.off(event, done.resolve)
    body.off('data', count)
  })
}
