import { joinBytes, readHexSignature, readUnixSeconds, requireHeader } from './claim-parts.ts'
import { encodeMacHex } from './encode-mac.ts'
import { payloadMember, payloadText } from './payload-member.ts'
import { textKey } from './secret-key.ts'
import type { WebhookFormat } from './webhook-format.ts'
import { WebhookVerificationError } from './webhook-verification-error.ts'

const timestampHeader = 'x-h-webhook-timestamp'

/** H Company: one signature over time and body; the body has to be an event. */
export const hCompanyFormat: WebhookFormat = {
  keyBytes: textKey,
  encodeMac: encodeMacHex,

  readClaim(header, body) {
    const timestamp = requireHeader(header, timestampHeader)
    return {
      timestampSeconds: readUnixSeconds(timestamp, timestampHeader),
      signedContent: joinBytes(`${timestamp}.`, body),
      signatures: [readHexSignature(header, 'x-h-webhook-signature', 'sha256=')],
    }
  },

  readContent(payload) {
    const id = payloadText(payload, 'id')
    const type = payloadText(payload, 'type')
    const data = payloadMember(payload, 'data')
    if (id === null || type === null || typeof data !== 'object' || data === null) {
      throw new WebhookVerificationError('malformed', 'The body has no id, type or data')
    }
    return { id, type, data }
  },
}
