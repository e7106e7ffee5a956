import { limits } from '../core/limits.ts'
import { unixSecondsOf } from './event-time.ts'
import type { Format } from './format.ts'
import { hmacSha256 } from './hmac-sha256.ts'
import { urlSafeTextSecrets } from './secret-shape.ts'

const signatureHeader = 'stripe-signature'

/**
 * Stripe: timestamp and signatures in one header, over `{timestamp}.{body}`, keyed with the whole
 * text of the secret.
 */
export const stripe: Format = {
  name: 'stripe',
  signaturesMax: limits.secretsActiveMax,
  algorithms: ['hmac-sha256'],
  isBodyPerDelivery: false,
  probeType: 'countersign.probe',
  reservedHeaders: [signatureHeader],
  ...urlSafeTextSecrets,

  body({ id, type, timestamp, data }) {
    return `{"id":${JSON.stringify(id)},"object":"event",${typedClientMembers},"created":${unixSecondsOf(timestamp)},"type":${JSON.stringify(type)},"data":{"object":${data}}}`
  },

  headers({ timestampSeconds, body, keys }) {
    if (keys.length === 0) return {}
    const head = `${timestampSeconds}.`
    const signatures = keys.map((key) => `v1=${hmacSha256(key, head, body, 'hex')}`)
    return { [signatureHeader]: `t=${timestampSeconds},${signatures.join(',')}` }
  },
}

/** Clients in typed languages refuse an event that lacks these, though nobody here can tell more. */
const typedClientMembers = '"api_version":null,"livemode":true,"pending_webhooks":1,"request":null'
