import { randomBytes } from 'node:crypto'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PostgresServer } from '../server/test/support/postgres-server.ts'
import { startChild } from './child.ts'
import { type BenchStore, createStore } from './store.ts'

/** A server that is measured, in a process of its own. */
export interface Product extends AsyncDisposable {
  pid: number
  /** What works for it, by name: the server, and the database where there is one. */
  processes: Record<string, number>
  port: number
  /** One call of the native API with the root key; throws on anything but 2xx. */
  call<T>(method: string, path: string, body?: object): Promise<T>
  /** Throws, with its last words, when the process has ended. */
  assertAlive(): void
}

/** Where events are published: a project with a key of its own. */
export interface Target {
  projectId: string
  eventsPath: string
  key: string
}

/** What `addEndpoints` makes. */
export interface NewEndpoint {
  url: string
  eventTypes: readonly string[]
}

export const productEntry = join(import.meta.dirname, '..', 'server', 'src', 'main.ts')

const readyMsMax = 30_000
const readyPollMs = 5
const callMsMax = 10_000
const callsAtOnceMax = 200

/**
 * Starts `serve` and waits until it is ready. Disposing of it sends SIGTERM to its own pid, waits
 * for its exit, and removes its store, unless that was given.
 */
export async function startProduct(options: {
  entry: string
  /** Connections to receivers, at most: `COUNTERSIGN_CONCURRENCY`. Null: the server's default. */
  concurrency: number | null
  environment?: Record<string, string>
  /** Absent: an empty one that is removed in the end. */
  store?: BenchStore
  /** Where the empty store is; null or absent: on SQLite. */
  postgres?: PostgresServer | null
}): Promise<Product> {
  const store = options.store ?? (await createStore(options.postgres ?? null))
  const { dataDir, databasePid } = store
  const port = await freePort()
  const rootKey = `csk_${randomBytes(32).toString('base64url')}`
  const child = startChild({
    command: [process.execPath, options.entry, 'serve'],
    environment: {
      ...basicEnvironment({ port, dataDir, rootKey, concurrency: options.concurrency }),
      ...store.environment,
      ...options.environment,
    },
  })

  async function call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${rootKey}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(callMsMax),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`)
    return (text === '' ? undefined : JSON.parse(text)) as T
  }

  const product: Product = {
    pid: child.pid,
    processes: {
      server: child.pid,
      ...(databasePid === null ? {} : { database: databasePid }),
    },
    port,
    call,
    assertAlive() {
      if (child.hasExited()) throw new Error(`the server has ended:\n${child.lastWords()}`)
    },
    async [Symbol.asyncDispose]() {
      await child.stop('SIGTERM')
      if (options.store === undefined) await store[Symbol.asyncDispose]()
    },
  }
  try {
    await waitUntilReady(product)
  } catch (error) {
    await product[Symbol.asyncDispose]()
    throw error
  }
  return product
}

function basicEnvironment(options: {
  port: number
  dataDir: string
  rootKey: string
  concurrency: number | null
}): Record<string, string> {
  return {
    COUNTERSIGN_HOST: '127.0.0.1',
    COUNTERSIGN_PORT: String(options.port),
    COUNTERSIGN_DATA_DIR: options.dataDir,
    COUNTERSIGN_ROOT_KEY: options.rootKey,
    COUNTERSIGN_ALLOW_HTTP: 'true',
    COUNTERSIGN_ALLOWED_NETWORKS: '127.0.0.0/8',
    ...(options.concurrency === null
      ? {}
      : { COUNTERSIGN_CONCURRENCY: String(options.concurrency) }),
    COUNTERSIGN_LOG_LEVEL: 'warn',
    // The load comes with one key, and is what is measured.
    COUNTERSIGN_RATE_LIMIT_PER_SECOND: '1000000',
    COUNTERSIGN_RATE_LIMIT_BURST: '1000000',
  }
}

/** A project with a key and an endpoint for `eventTypes` at each of the URLs. */
export async function createTarget(
  product: Product,
  endpoints: readonly NewEndpoint[],
): Promise<Target> {
  const project = await product.call<{ id: string }>('POST', '/v1/projects', { name: 'Benchmark' })
  const path = `/v1/projects/${project.id}`
  await addEndpoints(product, project.id, endpoints)
  const { key } = await product.call<{ key: string }>('POST', `${path}/api-keys`, {
    name: 'Load generator',
  })
  return { projectId: project.id, eventsPath: `${path}/events`, key }
}

/** Several at once: on PostgreSQL each answer waits until every node knows of the endpoint. */
export async function addEndpoints(
  product: Product,
  projectId: string,
  endpoints: Iterable<NewEndpoint>,
): Promise<void> {
  const left = Iterator.from(endpoints)
  const addInTurn = async () => {
    for (const { url, eventTypes } of left) {
      const body = { url, event_types: eventTypes }
      await product.call('POST', `/v1/projects/${projectId}/endpoints`, body)
    }
  }
  await Promise.all(Array.from({ length: callsAtOnceMax }, addInTurn))
}

async function waitUntilReady(product: Product): Promise<void> {
  const deadline = performance.now() + readyMsMax
  for (;;) {
    product.assertAlive()
    try {
      const response = await fetch(`http://127.0.0.1:${product.port}/readyz`, {
        signal: AbortSignal.timeout(callMsMax),
      })
      await response.arrayBuffer()
      if (response.ok) return
    } catch {
      // Not listening yet.
    }
    if (performance.now() > deadline) throw new Error(`not ready within ${readyMsMax} ms`)
    await sleep(readyPollMs)
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
