import { utcTextOf } from './event-time.ts'
import type { Format } from './format.ts'
import { hmacSha256 } from './hmac-sha256.ts'
import { urlSafeTextSecrets } from './secret-shape.ts'

const timestampHeader = 'x-h-webhook-timestamp'
const signatureHeader = 'x-h-webhook-signature'

/**
 * H Company (dialects.md 3.4, 3.6): one signature over `{timestamp}.{body}`, keyed with the whole
 * text of the secret, its prefix included.
 */
export const hCompany: Format = {
  name: 'h-company',
  signaturesMax: 1,
  algorithms: ['hmac-sha256'],
  isBodyPerDelivery: false,
  probeType: 'ping',
  reservedHeaders: [timestampHeader, signatureHeader],
  ...urlSafeTextSecrets,

  body({ type, id, timestamp, data }) {
    return `{"type":${JSON.stringify(type)},"id":${JSON.stringify(id)},"created_at":${JSON.stringify(utcTextOf(timestamp))},"data":${data}}`
  },

  headers({ timestampSeconds, body, keys: [newest] }) {
    const headers: Record<string, string> = { [timestampHeader]: String(timestampSeconds) }
    if (newest === undefined) return headers
    headers[signatureHeader] = `sha256=${hmacSha256(newest, `${timestampSeconds}.`, body, 'hex')}`
    return headers
  },
}
