import { createServer, type Socket } from 'node:net'
import { pathToFileURL } from 'node:url'
import { latencyOf } from './figures.ts'

/**
 * receiver.c without a compiler: the same routes and the same counts, at about three times its CPU.
 * It takes that from the product, so figures of the two must not be compared with each other.
 */
export function createReceiver() {
  const counters = createCounters()
  return createServer((socket) => {
    socket.setNoDelay(true)
    serve(socket, counters)
  })
}

const requestBytesMax = 128 * 1024
const stampSearchBytes = 512
const uniqueMax = 3_000_000
const latenciesMax = 1_000_000
const headEnd = Buffer.from('\r\n\r\n')
const noContent = 'HTTP/1.1 204 No Content\r\n\r\n'
const failed = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n'
const stampField = '"sent_at_us":"'

type Counters = ReturnType<typeof createCounters>

function createCounters() {
  let ids = new Set<string>()
  let latencies: number[] = []
  let figures = zero()

  function count({ path, id: eventId, body }: Request): void {
    figures.requests += 1
    if (!eventId) {
      figures.withoutId += 1
      return
    }
    // One event goes to many endpoints, which differ in their path.
    const id = `${path} ${eventId}`
    if (ids.has(id)) return
    if (ids.size === uniqueMax) {
      figures.overflowed = true
      return
    }
    ids.add(id)
    const atUs = Number(process.hrtime.bigint() / 1000n)
    if (ids.size === 1) figures.firstAtUs = atUs
    figures.lastAtUs = atUs
    const sentAtUs = stampIn(body)
    if (sentAtUs !== null && latencies.length < latenciesMax) latencies.push(atUs - sentAtUs)
  }

  return {
    count,
    countMalformed() {
      figures.malformed += 1
    },
    stats: () => ({ ...figures, unique: ids.size }),
    latency: () => latencyOf(latencies),
    reset() {
      ids = new Set()
      latencies = []
      figures = zero()
    },
  }
}

function zero() {
  return {
    requests: 0,
    withoutId: 0,
    malformed: 0,
    overflowed: false,
    firstAtUs: 0,
    lastAtUs: 0,
  }
}

function stampIn(body: Buffer): number | null {
  const start = body.toString('latin1', 0, stampSearchBytes)
  const found = start.indexOf(stampField)
  if (found < 0) return null
  const digits = /^\d{8,}/.exec(start.slice(found + stampField.length))
  return digits ? Number(digits[0]) : null
}

function serve(socket: Socket, counters: Counters): void {
  let pending: Buffer = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    let answers = ''
    for (;;) {
      const request = firstRequest(pending)
      if (request === 'incomplete') break
      if (request === 'malformed') {
        counters.countMalformed()
        socket.destroy()
        return
      }
      pending = pending.subarray(request.length)
      answers += answer(request, counters)
    }
    if (answers !== '') socket.write(answers, 'latin1')
  })
}

interface Request {
  method: string
  path: string
  id: string | undefined
  body: Buffer
  length: number
}

function firstRequest(bytes: Buffer): Request | 'incomplete' | 'malformed' {
  const headLength = bytes.indexOf(headEnd)
  if (headLength < 0) return bytes.length < requestBytesMax ? 'incomplete' : 'malformed'
  const head = bytes.toString('latin1', 0, headLength)
  if (header(head, 'transfer-encoding') !== undefined) return 'malformed'
  const bodyStart = headLength + headEnd.length
  const length = bodyStart + Number(header(head, 'content-length') ?? 0)
  if (!(length <= requestBytesMax)) return 'malformed'
  if (bytes.length < length) return 'incomplete'
  const [method = '', path = ''] = head.split(' ', 2)
  return {
    method,
    path,
    id: header(head, 'webhook-id'),
    body: bytes.subarray(bodyStart, length),
    length,
  }
}

function header(head: string, name: string): string | undefined {
  return new RegExp(`\r\n${name}: *([^\r]*)`, 'i').exec(head)?.[1]?.trim()
}

function answer(request: Request, counters: Counters): string {
  if (request.method !== 'GET') {
    if (request.path.startsWith('/failing')) return failed
    if (request.path.startsWith('/silent')) return ''
    counters.count(request)
    return noContent
  }
  if (request.path === '/stats') return jsonAnswer(counters.stats())
  if (request.path === '/latency') return jsonAnswer(counters.latency())
  if (request.path === '/reset') {
    counters.reset()
    return jsonAnswer({})
  }
  return 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'
}

function jsonAnswer(value: object): string {
  const json = JSON.stringify(value)
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${json.length}\r\n\r\n${json}`
}

function main(): void {
  const server = createReceiver()
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (address !== null && typeof address === 'object') {
      process.stdout.write(`${JSON.stringify({ port: address.port })}\n`)
    }
  })
  process.stdin.on('end', () => process.exit(0)).resume()
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main()
