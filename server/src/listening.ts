import type { Server } from 'node:http'
import { createServer } from './api/node-http.ts'
import type { Metrics } from './metrics.ts'
import { StartError } from './start-error.ts'

/** Who collects metrics sends little, and at once. */
const timeouts = { headersTimeout: 5_000, requestTimeout: 5_000 }
const metricsConnectionsMax = 100

/** Runs `listen` and says in one sentence what the operator can do when it fails. */
export async function listening<T>(
  at: { host: string; port: number },
  listen: () => Promise<T>,
): Promise<T> {
  try {
    return await listen()
  } catch (error) {
    throw listenError(error, at)
  }
}

/** Throws what `listening` would throw, and leaves the port free. */
export async function assertFree(at: { host: string; port: number }): Promise<void> {
  const probe = createServer()
  await listening(at, () => listen(probe, at))
  await close(probe)
}

/** Metrics on a port of their own, without a key. */
export async function listenForMetrics(
  at: { host: string; port: number },
  metrics: Metrics,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(timeouts, async (request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end()
      return
    }
    try {
      const text = await metrics.render()
      response.writeHead(200, { 'content-type': metrics.contentType }).end(text)
    } catch {
      // The store cannot be read; the main port's log says why.
      response.writeHead(503).end()
    }
  })
  server.maxConnections = metricsConnectionsMax
  await listening(at, () => listen(server, at))
  return { url: urlOf(server, at.host), close: () => close(server) }
}

/** Resolves when it listens; rejects where it cannot. */
export function listen(server: Server, at: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(at.port, at.host, resolve)
  })
}

function listenError(error: unknown, { host, port }: { host: string; port: number }): unknown {
  const { code } = error as NodeJS.ErrnoException
  const told: Record<string, string> = {
    EADDRINUSE: `Port ${port} of ${host} is in use: stop what listens there, or choose another port.`,
    EACCES: `This user may not listen on port ${port} of ${host}.`,
    EADDRNOTAVAIL: `${host} is not an address of this machine.`,
    ENOTFOUND: `${host} is not an address of this machine.`,
  }
  const sentence = code === undefined ? undefined : told[code]
  return sentence === undefined ? error : new StartError(sentence)
}

function urlOf(server: Server, host: string): string {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port.')
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`
}

/** Cuts every connection off. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.closeAllConnections()
    server.close(() => resolve())
  })
}
