import { uuidOf } from '../core/ids.ts'
import type { Format } from './format.ts'
import { hmacSha256 } from './hmac-sha256.ts'
import { hexTextSecrets } from './secret-shape.ts'

const signatureHeader = 'x-devtune-signature'
const eventHeader = 'x-devtune-event'

/**
 * DevTune (dialects.md 4.3, A.9): one signature over the body alone. Without an id and a timestamp
 * under the signature, a receiver cannot tell a replay from the first time.
 */
export const devtune: Format = {
  name: 'devtune',
  signaturesMax: 1,
  algorithms: ['hmac-sha256'],
  isBodyPerDelivery: false,
  // Its receivers act on the types that they subscribed to, and nothing marks one as not meant so.
  probeType: null,
  reservedHeaders: [signatureHeader, eventHeader, 'user-agent'],
  ...hexTextSecrets,

  body({ type, timestamp, projectId, data }) {
    return `{"event":${JSON.stringify(type)},"timestamp":${JSON.stringify(timestamp)},"projectId":${JSON.stringify(uuidOf(projectId))},"data":${data}}`
  },

  headers({ eventType, body, keys: [newest] }) {
    const headers: Record<string, string> = {
      [eventHeader]: eventType,
      'user-agent': 'DevTune-Webhook/2.0',
    }
    if (newest !== undefined) headers[signatureHeader] = hmacSha256(newest, '', body, 'hex')
    return headers
  },
}
