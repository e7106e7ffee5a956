import { setTimeout as wait } from 'node:timers/promises'
import { createServer } from './api/node-http.ts'
import { close, listen, listening } from './listening.ts'
import type { Logger } from './logger.ts'
import { StartError } from './start-error.ts'
import { type Storage, StorageOpenError } from './storage/storage.ts'

const tryAgainMs = 1_000
const toldEveryMs = 60_000
const timeouts = { headersTimeout: 5_000, requestTimeout: 5_000 }
const connectionsMax = 100

/**
 * Opens a store that lies on another machine. While that cannot be reached, the process says so,
 * answers that it is alive and not ready, and tries again; so nodes may be started in any order.
 *
 * @throws what `open` throws for any other reason; StartError where it was told to stop.
 */
export async function waitForStore(
  open: () => Promise<Storage>,
  options: {
    at: { host: string; port: number }
    logger: Logger
    monotonic: () => number
    stop: AbortSignal | undefined
  },
): Promise<Storage> {
  const { logger, monotonic, stop } = options
  let door: { close(): Promise<void> } | null = null
  let toldAt = Number.NEGATIVE_INFINITY
  try {
    for (;;) {
      try {
        return await open()
      } catch (error) {
        if (!(error instanceof StorageOpenError) || !error.isUnreachable) throw error
        door ??= await openDoor(options.at)
        if (monotonic() - toldAt >= toldEveryMs) {
          toldAt = monotonic()
          logger.warn(`${error.message} It is tried again every second.`)
        }
      }
      await wait(tryAgainMs, undefined, stop === undefined ? {} : { signal: stop }).catch(() => {
        throw new StartError('Told to stop before the store could be reached.')
      })
    }
  } finally {
    await door?.close()
  }
}

/** Alive, but not ready: the two answers that whoever runs the process looks at. */
async function openDoor(at: { host: string; port: number }) {
  const server = createServer(timeouts, (request, response) => {
    const isAlive = request.url === '/healthz'
    response.writeHead(isAlive ? 200 : 503, { 'content-type': 'application/json' })
    response.end(isAlive ? '{"status":"ok"}' : '{"status":"waiting for the store"}')
  })
  server.maxConnections = connectionsMax
  await listening(at, () => listen(server, at))
  return { close: () => close(server) }
}
