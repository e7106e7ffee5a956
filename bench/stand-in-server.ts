import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import { Client } from 'undici'

/**
 * A server that only pretends: the routes that the benchmark calls, and deliveries that are signed
 * and sent but never stored or retried. The tests hold the harness against it, and
 * `npm run bench -- --server bench/stand-in-server.ts` shows what the harness costs by itself.
 *
 * STAND_IN_LOSES=N makes it accept every Nth event without delivering it, STAND_IN_REFUSES=N answer
 * 429 to every Nth.
 */
const environment = process.env
const losesEvery = Number(environment.STAND_IN_LOSES ?? 0)
const key = randomBytes(32)
const endpoints: { origin: string; eventTypes: string[]; client: Client }[] = []
const refusesEvery = Number(environment.STAND_IN_REFUSES ?? 0)
let published = 0

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const path = request.url ?? ''
    const body = Buffer.concat(chunks).toString()
    if (path === '/readyz') answer(response, 200, {})
    else if (!request.headers.authorization?.startsWith('Bearer ')) answer(response, 401, {})
    else if (path.endsWith('/events')) publish(response, body)
    else if (path.endsWith('/endpoints')) createEndpoint(response, body)
    else if (path.endsWith('/api-keys')) answer(response, 201, { key: 'csk_stand-in' })
    else if (path.endsWith('/projects')) answer(response, 201, { id: 'prj_1' })
    else answer(response, 404, {})
  })
})

function createEndpoint(response: ServerResponse, body: string): void {
  const { url, event_types } = JSON.parse(body) as { url: string; event_types: string[] }
  const { origin } = new URL(url)
  const client = new Client(origin, { pipelining: 1 })
  endpoints.push({ origin, eventTypes: event_types, client })
  answer(response, 201, { id: `ep_${endpoints.length}` })
}

function publish(response: ServerResponse, body: string): void {
  published += 1
  if (refusesEvery > 0 && published % refusesEvery === 0) {
    answer(response, 429, {})
    return
  }
  const { type, data } = JSON.parse(body) as { type: string; data: object }
  const id = `evt_${randomUUID().replaceAll('-', '')}`
  answer(response, 202, { id, type })
  if (losesEvery > 0 && published % losesEvery === 0) return
  const delivered = JSON.stringify({ type, timestamp: new Date().toISOString(), data })
  const timestamp = String(Math.floor(Date.now() / 1000))
  const signature = createHmac('sha256', key)
    .update(`${id}.${timestamp}.${delivered}`)
    .digest('base64')
  for (const { client, eventTypes } of endpoints) {
    if (!eventTypes.includes(type)) continue
    client
      .request({
        path: '/',
        method: 'POST',
        headers: {
          'webhook-id': id,
          'webhook-timestamp': timestamp,
          'webhook-signature': `v1,${signature}`,
        },
        body: delivered,
      })
      .then(({ body: answered }) => answered.dump())
      .catch(() => {})
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  const json = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(json),
  })
  response.end(json)
}

server.listen(Number(environment.COUNTERSIGN_PORT), environment.COUNTERSIGN_HOST)
process.on('SIGTERM', () => process.exit(0))
