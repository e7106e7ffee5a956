import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { verifyWebhook, WebhookVerificationError } from '@countersign/sdk'

/** One request that a receiver was sent. */
export interface Received {
  id: string
  headers: IncomingHttpHeaders
  body: string
  at: number
  /** The address that it came from. */
  from: string
  /** False where the receiver holds secrets and none of them matched. */
  isVerified: boolean
  /** What the receiver answered. */
  statusCode: number
}

/** A receiver on loopback that verifies what it is sent, as a customer's would. */
export interface Receiver {
  url: string
  received: Received[]
  /** Ids of verified deliveries that were answered with 2xx. */
  deliveredIds: Set<string>
  rejectedCount: number
  /** Accepted secrets; empty: nothing is verified. */
  secrets: string[]
  /** Decides the answer to a verified request; 204 by default. */
  answer: (request: Received) => {
    statusCode: number
    headers?: Record<string, string>
    body?: string
  }
  /** Tolerance for the timestamp, in seconds. */
  toleranceSeconds: number
  close(): Promise<void>
}

export async function startReceiver(options: { secrets?: string[] } = {}): Promise<Receiver> {
  const receiver: Receiver = {
    url: '',
    received: [],
    deliveredIds: new Set(),
    rejectedCount: 0,
    secrets: options.secrets ?? [],
    answer: () => ({ statusCode: 204 }),
    toleranceSeconds: 300,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const entry: Received = {
      id: String(request.headers['webhook-id'] ?? ''),
      headers: request.headers,
      body: body.toString(),
      at: Date.now(),
      from: request.socket.remoteAddress ?? '',
      isVerified: await isVerified(receiver, body, request.headers),
      statusCode: 0,
    }
    receiver.received.push(entry)
    const answer = entry.isVerified ? receiver.answer(entry) : { statusCode: 401 }
    entry.statusCode = answer.statusCode
    if (!entry.isVerified) receiver.rejectedCount++
    else if (answer.statusCode < 300) receiver.deliveredIds.add(entry.id)
    response.writeHead(answer.statusCode, answer.headers).end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  return receiver
}

async function isVerified(
  receiver: Receiver,
  body: Buffer,
  headers: IncomingHttpHeaders,
): Promise<boolean> {
  if (receiver.secrets.length === 0) return true
  try {
    await verifyWebhook(body, headers, [...receiver.secrets], {
      toleranceSeconds: receiver.toleranceSeconds,
    })
    return true
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false
    throw error
  }
}
