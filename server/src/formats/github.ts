import { isId, uuidOf } from '../core/ids.ts'
import type { Format } from './format.ts'
import { hmacSha256 } from './hmac-sha256.ts'
import { hexTextSecrets } from './secret-shape.ts'

const signatureHeader = 'x-hub-signature-256'
const eventHeader = 'x-github-event'
const deliveryHeader = 'x-github-delivery'

/**
 * GitHub: one signature over the body, which is `data` and nothing else. Type and id travel in
 * headers that are not signed.
 */
export const github: Format = {
  name: 'github',
  signaturesMax: 1,
  algorithms: ['hmac-sha256'],
  isBodyPerDelivery: false,
  // GitHub's own first event, which receivers answer and do nothing about.
  probeType: 'ping',
  reservedHeaders: [signatureHeader, eventHeader, deliveryHeader],
  ...hexTextSecrets,

  body(event) {
    return event.data
  },

  headers({ eventId, eventType, body, keys: [newest] }) {
    const headers: Record<string, string> = {
      [eventHeader]: eventType,
      [deliveryHeader]: isId('evt', eventId) ? uuidOf(eventId) : eventId,
    }
    if (newest !== undefined) {
      headers[signatureHeader] = `sha256=${hmacSha256(newest, '', body, 'hex')}`
    }
    return headers
  },
}
