import { joinBytes, readUnixSeconds, requireHeader } from './claim-parts.ts'
import { encodeMacHex } from './encode-mac.ts'
import { payloadMember, payloadText } from './payload-member.ts'
import { textKey } from './secret-key.ts'
import type { WebhookFormat } from './webhook-format.ts'
import { WebhookVerificationError } from './webhook-verification-error.ts'

const signatureHeader = 'stripe-signature'

/** Stripe: `t=<Unix seconds>,v1=<hex>,v1=<hex>` over time and body; other entries are skipped. */
export const stripeFormat: WebhookFormat = {
  keyBytes: textKey,
  encodeMac: encodeMacHex,

  readClaim(header, body) {
    const entries = requireHeader(header, signatureHeader).split(',')
    const [timestamp, another] = entries.flatMap((entry) => readEntry(entry, 't') ?? [])
    if (timestamp === undefined || another !== undefined) {
      throw new WebhookVerificationError('malformed', `${signatureHeader} needs t= once`)
    }
    return {
      timestampSeconds: readUnixSeconds(timestamp, signatureHeader),
      signedContent: joinBytes(`${timestamp}.`, body),
      signatures: entries.flatMap((entry) => readEntry(entry, 'v1') ?? []),
    }
  },

  readContent(payload) {
    const id = payloadText(payload, 'id')
    if (id === null) throw new WebhookVerificationError('malformed', 'The body has no id')
    return {
      id,
      type: payloadText(payload, 'type'),
      data: payloadMember(payloadMember(payload, 'data'), 'object'),
    }
  },
}

function readEntry(entry: string, name: string): string | null {
  return entry.startsWith(`${name}=`) ? entry.slice(name.length + 1) : null
}
