import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Client, type Dispatcher } from 'undici'

/**
 * The ceiling: what a bare sender of the product's own HTTP library reaches against the same
 * receiver, in a process of its own. undici `Client.dispatch()`, one client per connection, a 1 KB
 * `data`, a fresh id and time per event, signed as Standard Webhooks asks. No store, no retries, no
 * address guard: nothing durable can be faster, so the product is told as a share of it.
 *
 * Says `{"isWarm":true}`, waits for a line, sends for `--ms`, reports, lives until its standard
 * input closes.
 */

/** What the ceiling reports about its measured phase. */
export interface CeilingResult {
  sent: number
}

const dataBytes = 1024

function createSender(options: { port: number; connections: number }) {
  const key = createSecretKey(randomBytes(32))
  const clients = Array.from(
    { length: options.connections },
    () => new Client(`http://127.0.0.1:${options.port}`),
  )
  const body = Buffer.from(bodyText())
  const runId = randomBytes(8).toString('hex')
  let sequence = 0

  function nextRequest(): Dispatcher.DispatchOptions {
    sequence += 1
    const id = `evt_${runId}${String(sequence).padStart(16, '0')}`
    const timestamp = String(Math.floor(Date.now() / 1000))
    const signature = createHmac('sha256', key)
      .update(`${id}.${timestamp}.`)
      .update(body)
      .digest('base64')
    return {
      path: '/',
      method: 'POST',
      headers: [
        'content-type',
        'application/json',
        'webhook-id',
        id,
        'webhook-timestamp',
        timestamp,
        'webhook-signature',
        `v1,${signature}`,
      ],
      body,
    }
  }

  /** Keeps one request in flight on every connection for `ms`, then waits for the last answers. */
  async function sendFor(ms: number): Promise<CeilingResult> {
    let sent = 0
    let isOver = false
    const lanes = clients.map(
      (client) =>
        new Promise<void>((resolve, reject) => {
          const next = () => (isOver ? resolve() : client.dispatch(nextRequest(), handler))
          const handler: Dispatcher.DispatchHandler = {
            onRequestStart() {},
            onResponseStart(_controller, status) {
              if (status !== 204) reject(new Error(`the receiver answered ${status}`))
            },
            onResponseData() {},
            onResponseEnd() {
              sent += 1
              next()
            },
            onResponseError: (_controller, error) => reject(error),
          }
          next()
        }),
    )
    await sleep(ms)
    isOver = true
    await Promise.all(lanes)
    return { sent }
  }

  return { sendFor }
}

function bodyText(): string {
  const data = { sequence: '0'.repeat(16), padding: '' }
  data.padding = 'x'.repeat(dataBytes - JSON.stringify(data).length)
  return JSON.stringify({ type: 'bench.load', timestamp: new Date().toISOString(), data })
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    options: { port: text, connections: text, 'warm-up-ms': text, ms: text },
  })
  const sender = createSender({
    port: Number(values.port),
    connections: Number(values.connections),
  })
  const lines = createInterface({ input: process.stdin })
  lines.on('close', () => process.exit(0))
  await sender.sendFor(Number(values['warm-up-ms']))
  process.stdout.write('{"isWarm":true}\n')
  await once(lines, 'line')
  process.stdout.write(`${JSON.stringify(await sender.sendFor(Number(values.ms)))}\n`)
}

await main()
