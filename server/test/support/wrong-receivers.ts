import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { verifyWebhook, type WebhookFormatName } from '@countersign/sdk'

/** A receiver with what the drill can ask of it. */
export interface TriedReceiver extends AsyncDisposable {
  url: string
  effectsUrl: string
}

/** What a receiver does with a delivery that has come whole: its answer, and whether it acts. */
export type Behaviour = (delivery: {
  body: Buffer
  headers: Record<string, string>
  /** Remembers the event; false where it was had before. */
  isNew(id: string): boolean
  act(): void
}) => Promise<{ status: number; headers?: Record<string, string> }>

export async function startTriedReceiver(behave: Behaviour): Promise<TriedReceiver> {
  let effects = 0
  const seen = new Set<string>()
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') return response.end(String(effects))
    const body = await readBody(request, response)
    if (body === null) return
    const { status, headers } = await behave({
      body,
      headers: request.headers as Record<string, string>,
      isNew(id) {
        const isNew = !seen.has(id)
        seen.add(id)
        return isNew
      },
      act() {
        effects += 1
      },
    })
    response.writeHead(status, headers).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: `${base}/hooks`,
    effectsUrl: `${base}/effects`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** As a receiver should be, built on the SDK. `format` and what else may be wrong are given. */
export function rightReceiver(
  secrets: readonly string[],
  format: WebhookFormatName = 'standard',
): Behaviour {
  return async ({ body, headers, isNew, act }) => {
    const event = await verified(body, headers, secrets, { format })
    if (event === null) return { status: 401 }
    // Formats without an id, or with one that is not signed: what was signed names the event.
    const id = event.id === null || format === 'github' ? body.toString('base64') : event.id
    if (isNew(id)) act()
    return { status: 204 }
  }
}

/** One for each mistake that the drill must find, by the mistake. */
export const wrongReceivers: Readonly<
  Record<string, { behave: (secrets: readonly string[]) => Behaviour; failing: string[] }>
> = {
  'no verification': {
    behave:
      () =>
      async ({ headers, isNew, act }) => {
        if (isNew(headers['webhook-id'] ?? '')) act()
        return { status: 204 }
      },
    failing: [
      ...['wrong signature', 'no signature', 'changed body', 'changed spaces'],
      ...['old timestamp', 'timestamp ahead', 'oversized'],
    ],
  },
  'verification of JSON that it wrote itself': {
    behave: (secrets) => reserialising(rightReceiver(secrets)),
    failing: ['exact bytes', 'changed spaces'],
  },
  'no timestamp check': {
    behave: (secrets) => lenient(secrets, { toleranceSeconds: 10 ** 9 }),
    failing: ['old timestamp', 'timestamp ahead'],
  },
  'first signature only': {
    behave: (secrets) => firstSignatureOnly(rightReceiver(secrets)),
    failing: ['two signatures'],
  },
  'old secret only': {
    behave: (secrets) => rightReceiver(secrets.slice(0, 1)),
    failing: ['rotation: after'],
  },
  'no dedupe': {
    behave:
      (secrets) =>
      async ({ body, headers, act }) => {
        if ((await verified(body, headers, secrets)) === null) return { status: 401 }
        act()
        return { status: 204 }
      },
    failing: ['same delivery twice'],
  },
  slow: {
    behave: () => () => new Promise(() => {}),
    failing: ['good delivery'],
  },
  '200 before verification': {
    behave: (secrets) => {
      const right = rightReceiver(secrets)
      return async (delivery) => {
        await right(delivery)
        return { status: 200 }
      }
    },
    failing: [
      ...['wrong signature', 'no signature', 'changed body', 'changed spaces'],
      ...['old timestamp', 'timestamp ahead', 'oversized'],
    ],
  },
  redirect: {
    behave: () => async () => ({ status: 307, headers: { location: '/elsewhere' } }),
    failing: ['good delivery'],
  },
  'wrong encoding of the key': {
    behave:
      (secrets) =>
      async ({ body, headers }) => {
        const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.`
        const macs = secrets.map((secret) =>
          createHmac('sha256', secret).update(signed).update(body).digest('base64'),
        )
        const isRight = macs.some((mac) => headers['webhook-signature']?.includes(mac))
        return { status: isRight ? 204 : 401 }
      },
    failing: ['good delivery'],
  },
  'wrong encoding of the signature': {
    behave:
      (secrets) =>
      async ({ body, headers }) => {
        const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.`
        const macs = secrets.map((secret) =>
          createHmac('sha256', Buffer.from(secret.replace('whsec_', ''), 'base64'))
            .update(signed)
            .update(body)
            .digest('hex'),
        )
        const isRight = macs.some((mac) => headers['webhook-signature']?.includes(mac))
        return { status: isRight ? 204 : 401 }
      },
    failing: ['good delivery'],
  },
  'wrong encoding of the body': {
    behave: (secrets) => {
      const right = rightReceiver(secrets)
      return (delivery) =>
        right({ ...delivery, body: Buffer.from(delivery.body.toString('latin1'), 'utf8') })
    },
    failing: ['text beyond ASCII'],
  },
}

function reserialising(right: Behaviour): Behaviour {
  return (delivery) => {
    const written = JSON.stringify(parsed(delivery.body))
    return right({ ...delivery, body: Buffer.from(written) })
  }
}

function lenient(secrets: readonly string[], options: { toleranceSeconds: number }): Behaviour {
  return async ({ body, headers, isNew, act }) => {
    const event = await verified(body, headers, secrets, options)
    if (event === null) return { status: 401 }
    if (isNew(event.id ?? '')) act()
    return { status: 204 }
  }
}

function firstSignatureOnly(right: Behaviour): Behaviour {
  return (delivery) => {
    const [first = ''] = (delivery.headers['webhook-signature'] ?? '').split(' ')
    const headers = { ...delivery.headers, 'webhook-signature': first }
    return right({ ...delivery, headers })
  }
}

async function verified(
  body: Buffer,
  headers: Record<string, string>,
  secrets: readonly string[],
  options: { format?: WebhookFormatName; toleranceSeconds?: number } = {},
) {
  try {
    return await verifyWebhook(body, headers, secrets, { format: 'standard', ...options })
  } catch {
    return null
  }
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return null
  }
}

/** Null where it is too large, which is answered. */
async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes <= bodyBytesMax) chunks.push(chunk)
  }
  // The one without verification has no bound either, as such receivers have none.
  if (bytes > bodyBytesMax && request.headers['webhook-signature'] === undefined) {
    response.writeHead(413).end()
    return null
  }
  return Buffer.concat(chunks)
}

const bodyBytesMax = 1024 * 1024
