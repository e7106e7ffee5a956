import { createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import type { WebhookFormatName } from '../src/verify-webhook.ts'

export interface DeliveryToSign {
  id?: string
  timestampSeconds?: number
  body: string | Uint8Array
  /** `whsec_…` or `whsk_…`, newest first. */
  secrets: readonly string[]
  secretIds?: readonly string[]
}

/** The moment at which test deliveries are signed, unless they say otherwise. */
export const signedAt = new Date('2026-11-21T10:00:00Z')

/** Signs with `node:crypto`, so that the verifier is not checked against its own code. */
export function signWebhook(delivery: DeliveryToSign): Record<string, string> {
  const { id = 'evt_1', body, secrets, secretIds } = delivery
  const { timestampSeconds = signedAt.getTime() / 1_000 } = delivery
  const signatures = secrets.map((secret) => {
    if (secret.startsWith('whsk_')) {
      const content = Buffer.concat([Buffer.from(`${id}.${timestampSeconds}.`), Buffer.from(body)])
      return `v1a,${sign(null, content, privateKeyOf(secret)).toString('base64')}`
    }
    const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
    const mac = createHmac('sha256', key).update(`${id}.${timestampSeconds}.`).update(body)
    return `v1,${mac.digest('base64')}`
  })
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': signatures.join(' '),
    ...(secretIds ? { 'webhook-secret-ids': secretIds.join(',') } : {}),
  }
}

/** `whsk_…` from a seed that anyone can read, and the `whpk_…` that goes with it. */
export function testKeyPair(name: string): { secret: string; publicKey: string; x: string } {
  const seed = Buffer.from(`test key pair ${name}`.padEnd(32, '.'))
  const privateKey = privateKeyOf(`whsk_${seed.toString('base64')}`)
  const x = String(createPublicKey(privateKey).export({ format: 'jwk' }).x)
  const half = Buffer.from(x, 'base64url')
  return {
    secret: `whsk_${Buffer.concat([seed, half]).toString('base64')}`,
    publicKey: `whpk_${half.toString('base64')}`,
    x,
  }
}

function privateKeyOf(secret: string) {
  const seed = Buffer.from(secret.slice('whsk_'.length), 'base64').subarray(0, 32)
  const head = Buffer.from('302e020100300506032b657004220420', 'hex')
  return createPrivateKey({ key: Buffer.concat([head, seed]), format: 'der', type: 'pkcs8' })
}

export interface DeliveryOfFormat {
  format: WebhookFormatName
  timestampSeconds?: number
  /** JSON text of an object. */
  data?: string
  /** Newest first; formats with one signature use the first. */
  secrets: readonly string[]
}

/** Secrets in the shape of each format, of which nothing else is true. */
export function testSecret(format: WebhookFormatName, name: string): string {
  const bytes = Buffer.from(`test secret ${name}`.padEnd(30, '.'))
  if (['standard', 'mobilerun', 'dinie'].includes(format)) {
    return `whsec_${bytes.toString('base64')}`
  }
  return ['h-company', 'stripe'].includes(format)
    ? `whsec_${bytes.toString('base64url')}`
    : bytes.toString('hex')
}

/** A delivery as the system with this format sends it: the type is `order.paid`, the id `evt_1`. */
export function signDelivery(delivery: DeliveryOfFormat): {
  body: string
  headers: Record<string, string>
} {
  const { format, data = '{"order_id":7}', secrets } = delivery
  const { timestampSeconds = signedAt.getTime() / 1_000 } = delivery
  const body = bodyOf(format, data)
  const sign = (head: string, secret: string) =>
    createHmac('sha256', secret).update(`${head}${body}`)
  const newest = secrets[0] ?? ''
  switch (format) {
    case 'h-company':
      return {
        body,
        headers: {
          'x-h-webhook-timestamp': String(timestampSeconds),
          'x-h-webhook-signature': `sha256=${sign(`${timestampSeconds}.`, newest).digest('hex')}`,
        },
      }
    case 'devtune':
      return {
        body,
        headers: {
          'x-devtune-signature': sign('', newest).digest('hex'),
          'x-devtune-event': 'order.paid',
        },
      }
    case 'github':
      return {
        body,
        headers: {
          'x-hub-signature-256': `sha256=${sign('', newest).digest('hex')}`,
          'x-github-event': 'order.paid',
          'x-github-delivery': 'evt_1',
        },
      }
    case 'stripe': {
      const macs = secrets.map((secret) => sign(`${timestampSeconds}.`, secret).digest('hex'))
      const entries = [`t=${timestampSeconds}`, ...macs.map((mac) => `v1=${mac}`)]
      return { body, headers: { 'stripe-signature': entries.join(',') } }
    }
    case 'composio': {
      const macs = secrets.map((secret) => sign(`evt_1.${timestampSeconds}.`, secret))
      const headers = {
        'webhook-id': 'evt_1',
        'webhook-timestamp': String(timestampSeconds),
        'webhook-signature': macs.map((mac) => `v1,${mac.digest('base64')}`).join(' '),
        'x-composio-webhook-version': 'V3',
      }
      return { body, headers }
    }
    default:
      return { body, headers: signWebhook({ body, secrets, timestampSeconds }) }
  }
}

function bodyOf(format: WebhookFormatName, data: string): string {
  switch (format) {
    case 'github':
      return data
    case 'devtune':
      return `{"event":"order.paid","timestamp":"2026-11-21T10:00:00Z","projectId":"p","data":${data}}`
    case 'stripe':
      return `{"id":"evt_1","object":"event","type":"order.paid","data":{"object":${data}}}`
    default:
      return `{"id":"evt_1","type":"order.paid","metadata":{},"data":${data}}`
  }
}
