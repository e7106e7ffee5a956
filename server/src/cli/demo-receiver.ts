import type { IncomingMessage } from 'node:http'
import { toResponseHeaders, verifyWebhook, WebhookVerificationError } from '@countersign/sdk'

/** A customer's receiver: verifies every delivery with the secrets that it trusts at the time. */
export interface DemoReceiver extends AsyncDisposable {
  readonly url: string
  /** Replaces the secrets that it trusts, as a deployment of the customer does. */
  trust(secrets: readonly string[]): void
}

export async function startDemoReceiver(options: {
  onDelivery: (delivery: {
    eventId: string
    secretIds: readonly string[]
    isVerified: boolean
  }) => void
}): Promise<DemoReceiver> {
  let trusted: readonly string[] = []
  // With an import at the top, every other command would load it too.
  const { createServer } = await import('node:http')
  const server = createServer(async (request, response) => {
    try {
      const body = await readBody(request)
      const { headers } = request
      const secretIds = `${headers['webhook-secret-ids'] ?? ''}`.split(',').filter(Boolean)
      const event = await verifyWebhook(body, headers, trusted)
      options.onDelivery({ eventId: event.id, secretIds, isVerified: true })
      response.writeHead(204, toResponseHeaders(event)).end()
    } catch (error) {
      if (!(error instanceof WebhookVerificationError)) return response.destroy()
      options.onDelivery({ eventId: '', secretIds: [], isVerified: false })
      response.writeHead(401).end()
    }
  })
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
  return {
    url: `http://127.0.0.1:${port}/webhooks`,
    trust(secrets) {
      trusted = secrets
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

/** Far more than any event of the demo. */
const bodyBytesMax = 64 * 1024

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes > bodyBytesMax) throw new Error('The body is too large for the demo.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
