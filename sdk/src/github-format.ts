import { readHexSignature, requireHeader } from './claim-parts.ts'
import { encodeMacHex } from './encode-mac.ts'
import { textKey } from './secret-key.ts'
import type { WebhookFormat } from './webhook-format.ts'

const eventHeader = 'x-github-event'
const deliveryHeader = 'x-github-delivery'

/**
 * GitHub: one signature over the body, which is the event's data as a whole. Type and id stand in
 * headers that are not signed: whoever replays a body can give it another type and id.
 */
export const githubFormat: WebhookFormat = {
  keyBytes: textKey,
  encodeMac: encodeMacHex,

  readClaim(header, body) {
    const signature = readHexSignature(header, 'x-hub-signature-256', 'sha256=')
    for (const name of [eventHeader, deliveryHeader]) requireHeader(header, name)
    return { timestampSeconds: null, signedContent: body, signatures: [signature] }
  },

  readContent: (payload, header) => ({
    id: header(deliveryHeader),
    type: header(eventHeader),
    data: payload,
  }),
}
