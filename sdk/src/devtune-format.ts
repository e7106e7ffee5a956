import { readHexSignature } from './claim-parts.ts'
import { encodeMacHex } from './encode-mac.ts'
import { payloadMember, payloadText } from './payload-member.ts'
import { textKey } from './secret-key.ts'
import type { WebhookFormat } from './webhook-format.ts'

/** DevTune: one signature over the body alone. Nothing tells a replay from the first time. */
export const devtuneFormat: WebhookFormat = {
  keyBytes: textKey,
  encodeMac: encodeMacHex,

  readClaim: (header, body) => ({
    timestampSeconds: null,
    signedContent: body,
    signatures: [readHexSignature(header, 'x-devtune-signature', '')],
  }),

  readContent: (payload) => ({
    id: null,
    // The body's, which is signed; the header with the same is not.
    type: payloadText(payload, 'event'),
    data: payloadMember(payload, 'data'),
  }),
}
