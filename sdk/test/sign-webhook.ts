import { createHmac } from 'node:crypto'

export interface DeliveryToSign {
  id?: string
  timestampSeconds?: number
  body: string | Uint8Array
  /** `whsec_…`, newest first. */
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
