import { connect, type Socket } from 'node:net'
import { parseArgs } from 'node:util'
import { latencyOf } from './figures.ts'
import type { LoadResult } from './run-load.ts'

/**
 * load.c without a compiler: the same arguments, requests and report, at a multiple of its CPU.
 * The rules (two bounds, closed loop or paced, stamps of the due time) are told there.
 */

const stampDigits = 16
const failuresMax = 1000
const graceMs = 10_000
const headEnd = Buffer.from('\r\n\r\n')

interface Options {
  port: number
  path: string
  type: string
  key: string
  connections: number
  count: number
  rate: number
  bytes: number
  /** Events in one publish; above 1 it is a batch. */
  batch: number
  timeMaxUs: number
}

interface Connection {
  socket: Socket
  sentAtUs: number
  isWaiting: boolean
  answer: Buffer
}

function readOptions(): Options {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    options: {
      port: text,
      path: text,
      type: text,
      connections: text,
      count: text,
      rate: text,
      bytes: text,
      batch: text,
      'time-max-ms': text,
    },
  })
  return {
    port: Number(values.port),
    path: values.path ?? '/',
    type: values.type ?? 'bench.load',
    key: process.env.BENCH_KEY ?? '',
    connections: Number(values.connections),
    count: Number(values.count),
    rate: Number(values.rate ?? 0),
    bytes: Number(values.bytes ?? 1024),
    batch: Number(values.batch ?? 1),
    timeMaxUs: Number(values['time-max-ms']) * 1000,
  }
}

/** The request, in pieces between which the digits of the stamp belong; `data` is `bytes` long. */
function buildRequest(options: Options): string[] {
  const dataBefore = '{"sent_at_us":"'
  const dataMiddle = '","padding":"'
  const padding = options.bytes - dataBefore.length - stampDigits - dataMiddle.length - 2
  const before = `{"type":"${options.type}","data":${dataBefore}`
  const after = `${dataMiddle}${'x'.repeat(padding)}"}}`
  const event = before.length + stampDigits + after.length
  const [open, close] = options.batch > 1 ? ['{"events":[', ']}'] : ['', '']
  const head = [
    `POST ${options.path} HTTP/1.1`,
    `Host: 127.0.0.1:${options.port}`,
    `Authorization: Bearer ${options.key}`,
    'Content-Type: application/json',
    `Content-Length: ${open.length + options.batch * (event + 1) - 1 + close.length}`,
  ].join('\r\n')
  const between = Array.from({ length: options.batch - 1 }, () => `${after},${before}`)
  return [`${head}\r\n\r\n${open}${before}`, ...between, `${after}${close}`]
}

/** One run: what was asked for, what has been seen so far, and how it ends. */
interface Run {
  options: Options
  request: string[]
  startedAtUs: number
  idle: Connection[]
  sockets: Set<Socket>
  sent: number
  failed: number
  latencies: number[]
  statuses: Record<string, number>
  isDone: boolean
  resolve(result: LoadResult): void
  reject(error: Error): void
}

function runLoad(options: Options): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const run: Run = {
      options,
      request: buildRequest(options),
      startedAtUs: nowUs(),
      idle: [],
      sockets: new Set(),
      sent: 0,
      failed: 0,
      latencies: [],
      statuses: {},
      isDone: false,
      resolve,
      reject,
    }
    for (let i = 0; i < options.connections; i++) open(run)
    const timer = setInterval(
      () => (run.isDone ? clearInterval(timer) : step(run)),
      options.rate > 0 ? 1 : 50,
    )
  })
}

function open(run: Run): void {
  const socket = connect({ port: run.options.port, host: '127.0.0.1', noDelay: true })
  const connection = { socket, sentAtUs: 0, isWaiting: false, answer: Buffer.alloc(0) }
  run.sockets.add(socket)
  socket.on('connect', () => {
    run.idle.push(connection)
    step(run)
  })
  socket.on('data', (chunk: Buffer) => onData(run, connection, chunk))
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNREFUSED') run.reject(error)
  })
  socket.on('close', () => onClose(run, connection))
}

function step(run: Run): void {
  if (run.isDone) return
  const { count, timeMaxUs } = run.options
  const elapsedUs = nowUs() - run.startedAtUs
  const isUsedUp = run.sent === count || elapsedUs >= timeMaxUs
  const isAnswered = run.latencies.length + run.failed === run.sent
  const isOverdue = elapsedUs >= timeMaxUs + graceMs * 1000
  if ((isUsedUp && isAnswered) || isOverdue) finish(run, elapsedUs)
  else if (!isUsedUp) publishWhatIsDue(run)
}

function publishWhatIsDue(run: Run): void {
  const { count, rate } = run.options
  while (run.sent < count) {
    const now = nowUs()
    const atUs = rate > 0 ? run.startedAtUs + Math.floor((run.sent * 1e6) / rate) : now
    const connection = atUs > now ? undefined : run.idle.pop()
    if (!connection) return
    connection.sentAtUs = atUs
    connection.isWaiting = true
    connection.answer = Buffer.alloc(0)
    run.sent += 1
    const stamp = String(atUs).padStart(stampDigits, '0')
    connection.socket.write(run.request.join(stamp), 'latin1')
  }
}

function onData(run: Run, connection: Connection, chunk: Buffer): void {
  const { answer } = connection
  connection.answer = answer.length === 0 ? chunk : Buffer.concat([answer, chunk])
  const status = statusOfWholeAnswer(connection.answer)
  if (!connection.isWaiting || status === null) return
  run.latencies.push(nowUs() - connection.sentAtUs)
  run.statuses[status] = (run.statuses[status] ?? 0) + 1
  connection.isWaiting = false
  run.idle.push(connection)
  step(run)
}

function onClose(run: Run, connection: Connection): void {
  run.sockets.delete(connection.socket)
  if (run.isDone) return
  if (connection.isWaiting) run.failed += 1
  const at = run.idle.indexOf(connection)
  if (at >= 0) run.idle.splice(at, 1)
  if (run.failed <= failuresMax) open(run)
  else run.reject(new Error(`more than ${failuresMax} publishes without an answer`))
}

function finish(run: Run, elapsedUs: number): void {
  run.isDone = true
  for (const socket of run.sockets) socket.destroy()
  run.resolve({
    sent: run.sent,
    accepted: (run.statuses['202'] ?? 0) * run.options.batch,
    failed: run.sent - run.latencies.length,
    elapsedUs,
    acceptUs: latencyOf(run.latencies),
    statuses: run.statuses,
  })
}

function statusOfWholeAnswer(bytes: Buffer): string | null {
  const headLength = bytes.indexOf(headEnd)
  if (headLength < 0) return null
  const head = bytes.toString('latin1', 0, headLength)
  if (/\r\ntransfer-encoding:/i.test(head)) throw new Error('a chunked answer cannot be read')
  const bodyLength = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
  return bytes.length >= headLength + headEnd.length + bodyLength ? head.slice(9, 12) : null
}

function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n)
}

// A closing standard input means that the harness has read the report and the CPU time, or died.
process.stdin.on('end', () => process.exit(0)).resume()
process.stdout.write(`${JSON.stringify(await runLoad(readOptions()))}\n`)
