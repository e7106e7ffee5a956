import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'

export interface RecordedRequest {
  method: string
  path: string
  /** Names in lower case. */
  headers: Record<string, string>
  body: string
  /** Which connection of the receiver it came on, and which request of that connection it was. */
  connection: number
  ordinal: number
}

/** A receiver on 127.0.0.1 that answers in its own way. It lives until it is closed. */
export interface Receiver extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly requests: readonly RecordedRequest[]
  /** Connections accepted since the start, and those open now. */
  readonly connectionsAccepted: number
  readonly connectionsOpen: number
  close(): Promise<void>
}

/** Answers each request well and keeps the connection. */
export function ok({
  statusCode = 200,
  headers = {},
  body = 'ok',
  tls,
}: {
  statusCode?: number
  headers?: Record<string, string>
  body?: string
  tls?: TlsOptions
} = {}): Promise<Receiver> {
  return startReceiver({
    ...(tls === undefined ? {} : { tls }),
    onRequest: (socket) => socket.write(response({ statusCode, headers, body })),
  })
}

/** Takes the request and stays silent. */
export function neverAnswers(): Promise<Receiver> {
  return startReceiver({ onRequest: () => {} })
}

/** Sends a response one byte at a time, without end: of its head, or of its body. */
export function drips({
  part = 'body',
  everyMs = 20,
}: {
  part?: 'head' | 'body'
  everyMs?: number
} = {}): Promise<Receiver> {
  const begin =
    part === 'head'
      ? 'HTTP/1.1 200 OK\r\nx-drip: '
      : 'HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n'
  return startReceiver({
    onRequest(socket) {
      socket.write(begin)
      const timer = setInterval(() => socket.write('.'), everyMs)
      socket.once('close', () => clearInterval(timer))
    },
  })
}

/** Resets the connection: when it is opened, when the request has come, or inside the response. */
export function resets({
  when = 'after_request',
}: {
  when?: 'on_connect' | 'after_request' | 'in_body'
} = {}): Promise<Receiver> {
  if (when === 'on_connect') {
    return startReceiver({ onConnection: (socket) => socket.resetAndDestroy(), onRequest() {} })
  }
  return startReceiver({
    onRequest(socket) {
      if (when === 'after_request') socket.resetAndDestroy()
      else
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf', () =>
          // Only once the sender had the half in hand: a reset discards what is still under way.
          setTimeout(() => socket.resetAndDestroy(), 50),
        )
    },
  })
}

/** Redirects to `url`. */
export function redirectsTo(url: string, { statusCode = 307 } = {}): Promise<Receiver> {
  return ok({ statusCode, headers: { location: url }, body: 'moved' })
}

/** Sends a body as fast as it is read, without end. */
export function endlessBody({ chunked = false } = {}): Promise<Receiver> {
  const head = chunked ? 'transfer-encoding: chunked' : `content-length: ${2 ** 40}`
  const piece = 'x'.repeat(16 * 1024)
  return startReceiver({
    onRequest: (socket) =>
      flood(
        socket,
        `HTTP/1.1 200 OK\r\n${head}\r\n\r\n`,
        chunked ? `${piece.length.toString(16)}\r\n${piece}\r\n` : piece,
      ),
  })
}

/**
 * Never comes to the body: endless headers, one endless status line, an endless row of interim
 * responses, or endless extensions of the first chunk.
 */
export function endlessHeaders({
  kind = 'headers',
}: {
  kind?: 'headers' | 'status_line' | 'interim' | 'chunk_extension'
} = {}): Promise<Receiver> {
  const [begin, piece] = {
    headers: ['HTTP/1.1 200 OK\r\n', 'x-more: and more\r\n'.repeat(500)],
    status_line: ['HTTP/1.1 200 ', 'very ok '.repeat(1000)],
    interim: ['', 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(200)],
    chunk_extension: [
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;a=',
      'b'.repeat(8000),
    ],
  }[kind] as [string, string]
  return startReceiver({ onRequest: (socket) => flood(socket, begin, piece) })
}

/**
 * Declares a length and sends a shorter body before closing, or a longer one on a connection that
 * it keeps open.
 */
export function liesAboutContentLength({
  actual,
}: {
  actual: 'shorter' | 'longer'
}): Promise<Receiver> {
  return startReceiver({
    onRequest(socket) {
      if (actual === 'shorter') socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort')
      else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 500 No\r\n\r\n')
    },
  })
}

/**
 * Answers the first request of each connection with keep-alive. Then closes or resets when the
 * second request has come, before answering it; or closes right behind the first answer, so that
 * the next request may cross the close.
 */
export function closesKeepAliveAtWorstMoment({
  how = 'close',
}: {
  how?: 'close' | 'reset' | 'after_response'
} = {}): Promise<Receiver> {
  return startReceiver({
    onRequest(socket, { ordinal }) {
      const answer = response({ statusCode: 200, headers: {}, body: 'ok' })
      if (how === 'after_response') socket.end(answer)
      else if (ordinal === 1) socket.write(answer)
      else if (how === 'close') socket.end()
      else socket.resetAndDestroy()
    },
  })
}

/** Answers when the head has come and never reads the body. */
export function answersBeforeBody(): Promise<Receiver> {
  return startReceiver({
    onHead(socket) {
      socket.pause()
      socket.write(response({ statusCode: 413, headers: {}, body: 'too large' }))
    },
    onRequest() {},
  })
}

/** Answers each request with these very bytes; closes behind them if asked. */
export function answersWith(bytes: string, { thenCloses = false } = {}): Promise<Receiver> {
  return startReceiver({
    onRequest: (socket) =>
      thenCloses ? socket.end(bytes, 'latin1') : socket.write(bytes, 'latin1'),
  })
}

/** What the receivers above are made of: reads requests with a Content-Length and records them. */
export async function startReceiver({
  onConnection,
  onHead,
  onRequest,
  tls,
}: {
  onConnection?: (socket: Socket) => unknown
  onHead?: (socket: Socket) => unknown
  onRequest: (socket: Socket, request: RecordedRequest) => unknown
  tls?: TlsOptions
}): Promise<Receiver> {
  const requests: RecordedRequest[] = []
  const sockets = new Set<Socket>()
  let accepted = 0

  const accept = (socket: Socket): void => {
    const connection = ++accepted
    let ordinal = 0
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
    onConnection?.(socket)
    readRequests(socket, {
      onHead: () => onHead?.(socket),
      onRequest(request) {
        const recorded = { ...request, connection, ordinal: ++ordinal }
        requests.push(recorded)
        onRequest(socket, recorded)
      },
    })
  }
  const server: Server =
    tls === undefined
      ? createServer({ noDelay: true }, accept)
      : createTlsServer(tls, accept).on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }

  const close = async (): Promise<void> => {
    if (!server.listening) return
    server.close()
    for (const socket of sockets) socket.destroy()
    await once(server, 'close')
  }
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/hook`,
    port,
    requests,
    get connectionsAccepted() {
      return accepted
    },
    get connectionsOpen() {
      return sockets.size
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function readRequests(
  socket: Socket,
  {
    onHead,
    onRequest,
  }: {
    onHead: () => void
    onRequest: (request: Omit<RecordedRequest, 'connection' | 'ordinal'>) => void
  },
): void {
  // latin1 throughout, so that characters count as bytes.
  let buffered = ''
  let isInBody = false
  socket.on('data', (chunk) => {
    buffered += chunk.toString('latin1')
    for (;;) {
      const headEnd = buffered.indexOf('\r\n\r\n')
      if (headEnd < 0) return
      const [requestLine = '', ...lines] = buffered.slice(0, headEnd).split('\r\n')
      const [method = '', path = ''] = requestLine.split(' ')
      const headers = Object.fromEntries(
        lines.map((line) => {
          const colon = line.indexOf(':')
          return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
        }),
      )
      if (!isInBody) onHead()
      const end = headEnd + 4 + Number(headers['content-length'] ?? 0)
      isInBody = buffered.length < end
      if (isInBody) return
      const body = Buffer.from(buffered.slice(headEnd + 4, end), 'latin1').toString('utf8')
      buffered = buffered.slice(end)
      onRequest({ method, path, headers, body })
    }
  })
}

function response({
  statusCode,
  headers,
  body,
}: {
  statusCode: number
  headers: Record<string, string>
  body: string
}): string {
  const hasBody = statusCode !== 204 && statusCode !== 304
  const all = hasBody ? { ...headers, 'content-length': String(Buffer.byteLength(body)) } : headers
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${statusCode} Status\r\n${lines.join('')}\r\n${hasBody ? body : ''}`
}

/** Writes `piece` again and again, no faster than it is read. */
function flood(socket: Socket, begin: string, piece: string): void {
  socket.write(begin)
  const pump = (): void => {
    if (!socket.destroyed) socket.write(piece, () => setImmediate(pump))
  }
  pump()
}
