import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import type { Client as UndiciClient } from 'undici'
import type { TransportLimits } from './transport-limits.ts'

/** The client by itself: with all else that is in undici, the sender thread would hold 3 MB more. */
const Client: typeof UndiciClient = createRequire(import.meta.url)(
  'undici/lib/dispatcher/client.js',
)

/** One connection to one checked address, with the HTTP client that owns it for life. */
export interface Connection {
  readonly origin: string
  readonly socket: Socket
  readonly client: UndiciClient
  readonly openedAtMs: number
  /** Whether a request was answered on it before. */
  isReused: boolean
  isIdle: boolean
  /** Told whenever bytes have arrived: the request that is on the connection. */
  reader: { onRead(): void } | null
}

export interface ConnectionPool {
  /** Makes a connected socket a connection in the hands of the caller. */
  adopt(origin: string, socket: Socket): Connection
  /** The idle connection used last, if there is one: those behind it may grow old and close. */
  take(origin: string): Connection | null
  /** Gives back a connection after a whole response. Keeps it only if another request may use it. */
  release(connection: Connection): void
  /** Ends a connection at once, whatever is on it. */
  destroy(connection: Connection): void
  stats(): { open: number; idle: number; origins: number }
  /** Ends every connection; resolves when all sockets are closed. */
  close(): Promise<void>
}

interface Origin {
  readonly idle: Connection[]
  open: number
}

/**
 * Connections by origin. A reused one is not resolved or checked again: it goes to the address that
 * was checked when it was opened, and lives `connectionAgeMaxMs` at most. The number in use is
 * bounded by the caller, who has that many slots.
 */
export function createConnectionPool({
  monotonicNow,
  limits,
}: {
  monotonicNow: () => number
  limits: TransportLimits
}): ConnectionPool {
  const origins = new Map<string, Origin>()
  const open = new Set<Connection>()
  let idleCount = 0
  let isClosing = false
  const allClosed = Promise.withResolvers<void>()

  const isTooOld = (connection: Connection): boolean =>
    monotonicNow() - connection.openedAtMs > limits.connectionAgeMaxMs

  const destroy = (connection: Connection): void => {
    if (!connection.client.destroyed) connection.client.destroy(() => {})
    connection.socket.destroy()
  }

  const onClose = (connection: Connection, origin: Origin): void => {
    if (connection.isIdle) {
      origin.idle.splice(origin.idle.indexOf(connection), 1)
      idleCount--
    }
    open.delete(connection)
    origin.open--
    if (origin.open === 0) origins.delete(connection.origin)
    if (isClosing && open.size === 0) allClosed.resolve()
  }

  return {
    adopt(originName, socket) {
      const origin = origins.get(originName) ?? { idle: [], open: 0 }
      origins.set(originName, origin)
      origin.open++
      const connection: Connection = {
        origin: originName,
        socket,
        client: createClient(originName, socket, limits),
        openedAtMs: monotonicNow(),
        isReused: false,
        isIdle: false,
        reader: null,
      }
      open.add(connection)
      socket.on('readable', () => connection.reader?.onRead())
      socket.once('close', () => onClose(connection, origin))
      return connection
    },
    take(originName) {
      const idle = origins.get(originName)?.idle
      for (let connection = idle?.pop(); connection !== undefined; connection = idle?.pop()) {
        connection.isIdle = false
        idleCount--
        if (!connection.socket.destroyed && !isTooOld(connection)) return connection
        destroy(connection)
      }
      return null
    },
    release(connection) {
      const idle = origins.get(connection.origin)?.idle
      const isFit =
        idle !== undefined &&
        // The client has destroyed it where the response forbids reuse: Connection: close, a body
        // longer than declared, a keep-alive hint that is too short.
        !connection.socket.destroyed &&
        // The receiver answered before it read the whole request: what is left unsent would stand
        // before the next request.
        connection.socket.writableLength === 0 &&
        idle.length < limits.idleConnectionsPerOriginMax &&
        idleCount < limits.idleConnectionsMax &&
        !isClosing
      if (!isFit) return destroy(connection)
      connection.isReused = true
      connection.isIdle = true
      idle.push(connection)
      idleCount++
    },
    destroy,
    stats: () => ({ open: open.size, idle: idleCount, origins: origins.size }),
    close() {
      isClosing = true
      for (const connection of open) destroy(connection)
      if (open.size === 0) allClosed.resolve()
      return allClosed.promise
    },
  }
}

/**
 * A client for one socket that never opens another: reconnecting would resolve the name again,
 * unchecked. A request that finds the socket gone fails.
 */
function createClient(origin: string, socket: Socket, limits: TransportLimits): UndiciClient {
  let isUsed = false
  return new Client(origin, {
    pipelining: 1,
    allowH2: false,
    // The deadline wheel bounds the whole exchange; the client's own timers would only cost.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: limits.connectionIdleMs,
    keepAliveMaxTimeout: limits.connectionIdleMs,
    keepAliveTimeoutThreshold: limits.keepAliveHintMarginMs,
    maxHeaderSize: limits.responseHeadBytesMax,
    connect: (_options, callback) => {
      if (isUsed) return callback(new Error('The connection is gone.'), null)
      isUsed = true
      // Never within the call: the client would not go on with the request that waits.
      queueMicrotask(() => callback(null, socket))
    },
  })
}
