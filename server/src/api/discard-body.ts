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
  const events = ['end', 'close', 'error'] as const
  let byteCount = 0
  const count = (chunk: Uint8Array) => {
    byteCount += chunk.length
    if (byteCount > bounds.bytesMax) finish()
  }
  const finish = () => {
    clearTimeout(timer)
    for (const event of events) body.off(event, finish)
    body.off('data', count)
    // At once: a body without end would go on flowing to nowhere.
    body.pause()
    done.resolve()
  }
  const timer = setTimeout(finish, bounds.waitMs)
  for (const event of events) body.once(event, finish)
  body.on('data', count)
  return done.promise
}
