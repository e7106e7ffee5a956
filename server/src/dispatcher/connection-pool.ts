import type { Socket } from 'node:net'
import { HttpConnection } from './http-connection.ts'
import type { TransportLimits } from './transport-limits.ts'

export interface ConnectionPool {
  /** Makes a connected socket a connection in the hands of the caller. */
  adopt(origin: string, socket: Socket): HttpConnection
  /** The idle connection used last, if there is one: those behind it may grow old and close. */
  take(origin: string): HttpConnection | null
  /** Gives back a connection after a whole response. Keeps it only if another request may use it. */
  release(connection: HttpConnection): void
  stats(): { open: number; idle: number; origins: number }
  /** Ends every connection; resolves when all sockets are closed. */
  close(): Promise<void>
}

/** By how much an idle connection may outlive its time. */
const sweepMs = 100

interface Origin {
  readonly idle: HttpConnection[]
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
  const open = new Set<HttpConnection>()
  let idleCount = 0
  let isClosing = false
  const allClosed = Promise.withResolvers<void>()

  const endsAtMs = ({ openedAtMs, idleUntilMs }: HttpConnection): number =>
    Math.min(openedAtMs + limits.connectionAgeMaxMs, idleUntilMs)

  let sweeper: NodeJS.Timeout | null = null
  /** One timer for all: arming one for each would cost more than looking at them. */
  const sweep = (): void => {
    const now = monotonicNow()
    for (const { idle } of origins.values()) {
      // Each leaves the list when it is closed, which is later.
      for (const connection of idle) if (endsAtMs(connection) <= now) connection.destroy()
    }
    if (idleCount === 0) stopSweeping()
  }
  const stopSweeping = (): void => {
    if (sweeper !== null) clearInterval(sweeper)
    sweeper = null
  }

  const onClose = (connection: HttpConnection, origin: Origin): void => {
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
      const connection = new HttpConnection({
        origin: originName,
        socket,
        openedAtMs: monotonicNow(),
        limits,
      })
      open.add(connection)
      socket.once('close', () => onClose(connection, origin))
      return connection
    },
    take(originName) {
      const idle = origins.get(originName)?.idle
      for (let connection = idle?.pop(); connection !== undefined; connection = idle?.pop()) {
        connection.isIdle = false
        idleCount--
        if (!connection.socket.destroyed && monotonicNow() < endsAtMs(connection)) return connection
        connection.destroy()
      }
      return null
    },
    release(connection) {
      const idle = origins.get(connection.origin)?.idle
      const hintMs = connection.reusableMs - limits.keepAliveHintMarginMs
      const idleMs = Math.min(hintMs, limits.connectionIdleMs)
      const isFit =
        idle !== undefined &&
        idleMs > 0 &&
        idle.length < limits.idleConnectionsPerOriginMax &&
        idleCount < limits.idleConnectionsMax &&
        !isClosing
      if (!isFit) {
        connection.destroy()
        return
      }
      connection.isReused = true
      connection.isIdle = true
      connection.idleUntilMs = monotonicNow() + idleMs
      idle.push(connection)
      idleCount++
      sweeper ??= setInterval(sweep, sweepMs).unref()
    },
    stats: () => ({ open: open.size, idle: idleCount, origins: origins.size }),
    close() {
      isClosing = true
      stopSweeping()
      for (const connection of open) connection.destroy()
      if (open.size === 0) allClosed.resolve()
      return allClosed.promise
    },
  }
}
