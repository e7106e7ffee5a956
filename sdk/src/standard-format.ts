import { joinBytes, readUnixSeconds, requireHeader } from './claim-parts.ts'
import { encodeMacBase64 } from './encode-mac.ts'
import { payloadMember, payloadText } from './payload-member.ts'
import { base64Key, decodeBase64 } from './secret-key.ts'
import type { Bytes, WebhookFormat } from './webhook-format.ts'
import { WebhookVerificationError } from './webhook-verification-error.ts'

/** Web Crypto takes no others. */
const ed25519SignatureBytes = 64

/**
 * The headers of Standard Webhooks 1.0.0: `webhook-id`, `webhook-timestamp` and `webhook-signature`,
 * beside which Countersign sends `webhook-secret-ids`. Other systems send them too, with HMAC alone.
 */
export const standardHeadersFormat: WebhookFormat = {
  keyBytes: base64Key,
  encodeMac: encodeMacBase64,

  readClaim(header, body) {
    const id = requireHeader(header, 'webhook-id')
    const timestamp = requireHeader(header, 'webhook-timestamp')
    const signature = requireHeader(header, 'webhook-signature')
    // With a dot in it, the same signed bytes could be read as another id, time and body.
    if (id.includes('.')) throw new WebhookVerificationError('malformed', 'webhook-id has a dot')
    return {
      timestampSeconds: readUnixSeconds(timestamp, 'webhook-timestamp'),
      signedContent: joinBytes(`${id}.${timestamp}.`, body),
      signatures: signature.split(' ').map(readSignature),
    }
  },

  readContent: (payload, header) => ({
    id: header('webhook-id'),
    type: payloadText(payload, 'type'),
    data: payloadMember(payload, 'data'),
  }),
}

/** Standard Webhooks 1.0.0, with HMAC (`v1`) and with Ed25519 (`v1a`). */
export const standardFormat: WebhookFormat = { ...standardHeadersFormat, takesPublicKeys: true }

function readSignature(entry: string): string | Bytes | null {
  if (entry.startsWith('v1,')) return entry.slice('v1,'.length)
  if (!entry.startsWith('v1a,')) return null
  const bytes = decodeBase64(entry.slice('v1a,'.length))
  return bytes?.length === ed25519SignatureBytes ? bytes : null
}
