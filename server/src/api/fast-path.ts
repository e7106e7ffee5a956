import { Buffer } from 'node:buffer'
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../core/clock.ts'
import { type Answer, jsonContentType } from './answer.ts'
import { STATUS_CODES } from './node-http.ts'
import { createPlainPostReader, type PlainPost } from './plain-post.ts'

/** Takes the answer to a request, and headers that go with any answer. */
export type Give = (answer: Answer, headers: Readonly<Record<string, string>>) => void

/** Works on a request that was admitted, and gives its answer once. */
export type Serve = (give: Give) => void

export interface FastPath {
  /** From now on connections close with their next answer. */
  stop(): void
  /** Closes the connections without a request. */
  closeIdle(): void
  closeAll(): void
}

export interface FastPathOptions {
  clock: Clock
  /** How long a client may take to its first request, and how long to another one. */
  headersTimeoutMs: number
  keepAliveTimeoutMs: number
  /** Null where the HTTP server is to answer: then it must have had no effect. */
  admit(request: PlainPost, socket: Socket): Serve | null
}

interface Connection {
  readonly socket: Socket
  readonly read: ReturnType<typeof createPlainPostReader>
  /** A request is being answered, or the client has yet to take the answer. */
  isBusy: boolean
  hasServed: boolean
  /** Stops listening to the socket. */
  leave(): void
}

/**
 * Answers the plainest requests beside the HTTP server, which takes longer to read and to answer one
 * than it takes to store an event (docs/decisions/0053-fast-path.md). Whatever is not plain, and
 * what `admit` does not take, goes to the HTTP server with its connection and all of its bytes, and
 * that connection stays there.
 */
export function addFastPath(server: Server, options: FastPathOptions): FastPath {
  const [serveHttp] = server.listeners('connection')
  if (serveHttp === undefined) throw new Error('The HTTP server does not wait for connections.')
  const connections = new Set<Connection>()
  const dateLine = createDateLine(options.clock)
  const keepAliveLines = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(options.keepAliveTimeoutMs / 1000)}\r\n`
  let isStopping = false

  const onData = (connection: Connection, bytes: Buffer) => {
    const { socket } = connection
    if (connection.isBusy) {
      // Requests of one connection are answered one after the other.
      socket.pause()
      socket.unshift(bytes)
      return
    }
    const request = connection.read(bytes)
    const serve = request === null ? null : options.admit(request, socket)
    if (serve === null) return handOver(connection, bytes)
    connection.isBusy = true
    if (!connection.hasServed) socket.setTimeout(options.keepAliveTimeoutMs)
    connection.hasServed = true
    serve((answer, headers) => give(connection, answer, headers))
  }

  const give = (connection: Connection, ...[answer, headers]: Parameters<Give>) => {
    const { socket } = connection
    if (!socket.writable) return
    const lines = `${dateLine()}${isStopping ? lastLines : keepAliveLines}`
    const text = answerText(answer, headers, lines)
    const isTaken = socket.write(text)
    // Whatever the client has sent behind it, or leaves open.
    if (isStopping) socket.destroySoon()
    else if (isTaken) goOn(connection)
    else socket.once('drain', () => goOn(connection))
  }

  const goOn = (connection: Connection) => {
    connection.isBusy = false
    if (connection.socket.isPaused()) connection.socket.resume()
  }

  const handOver = (connection: Connection, bytes: Buffer) => {
    const { socket } = connection
    connection.leave()
    socket.setTimeout(0)
    socket.pause()
    socket.unshift(bytes)
    serveHttp.call(server, socket)
    socket.resume()
  }

  const closeIdle = () => {
    for (const { socket, isBusy } of connections) if (!isBusy) socket.destroy()
  }

  const begin = (socket: Socket) => {
    const listeners = {
      data: (bytes: Buffer) => onData(connection, bytes),
      // As node does: whether a client has gone or only sends no more cannot be told apart.
      end: () => socket.end(),
      timeout() {
        // It is we who are slow, unless the client does not take its answer.
        if (connection.isBusy && !socket.writableNeedDrain) return
        if (connection.hasServed) {
          socket.destroy()
          return
        }
        connection.isBusy = true
        server.emit('clientError', silenceError(), socket)
      },
      error: () => socket.destroy(),
      close: () => connections.delete(connection),
    }
    const connection: Connection = {
      socket,
      read: createPlainPostReader(),
      isBusy: false,
      hasServed: false,
      leave() {
        connections.delete(connection)
        for (const [name, listener] of Object.entries(listeners)) {
          socket.removeListener(name, listener)
        }
      },
    }
    connections.add(connection)
    for (const [name, listener] of Object.entries(listeners)) socket.on(name, listener)
    socket.setTimeout(options.headersTimeoutMs)
  }

  server.removeAllListeners('connection')
  server.on('connection', begin)
  return {
    stop() {
      isStopping = true
    },
    closeIdle,
    closeAll() {
      for (const { socket } of connections) socket.destroy()
    },
  }
}

const lastLines = 'Connection: close\r\n'

/** As node would have written it. The values of headers are our own: none holds a line end. */
function answerText(
  answer: Answer,
  headers: Readonly<Record<string, string>>,
  lines: string,
): string {
  const { status, text = '' } = answer
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`
  for (const name in headers) head += `${name}: ${headers[name]}\r\n`
  for (const name in answer.headers) head += `${name}: ${answer.headers[name]}\r\n`
  head += `content-type: ${answer.contentType ?? jsonContentType}\r\n`
  return `${head}content-length: ${Buffer.byteLength(text)}\r\n${lines}\r\n${text}`
}

/** What node says of a client that has not sent the head of a request in time. */
function silenceError(): NodeJS.ErrnoException {
  return Object.assign(new Error('Nothing came.'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
}

/** The `Date` header, made anew once a second. */
function createDateLine(clock: Clock): () => string {
  let second = Number.NaN
  let line = ''
  return () => {
    const now = Math.floor(clock.now() / 1000)
    if (now !== second) line = `Date: ${new Date(now * 1000).toUTCString()}\r\n`
    second = now
    return line
  }
}
