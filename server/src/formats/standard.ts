import { createHmac } from 'node:crypto'
import { limits } from '../core/limits.ts'
import type { Format } from './format.ts'

const PREFIX = 'whsec_'

/**
 * Standard Webhooks 1.0.0, with `webhook-secret-ids` added: the ids of the secrets behind the
 * signatures, in the same order, so that a receiver can tell which of its secrets is in use.
 */
export const standard: Format = {
  name: 'standard',
  signaturesMax: limits.secretsActiveMax,
  probeType: 'countersign.probe',
  reservedHeaders: [
    'webhook-id',
    'webhook-timestamp',
    'webhook-signature',
    'webhook-secret-ids',
    'webhook-verified-secret',
  ],

  generateSecret(randomBytes) {
    return PREFIX + Buffer.from(randomBytes(limits.secretBytesGenerated)).toString('base64')
  },

  readSecret(text) {
    if (!text.startsWith(PREFIX)) return { problem: `Must begin with ${PREFIX}.` }
    const encoded = text.slice(PREFIX.length)
    const keyBytes = Buffer.from(encoded, 'base64')
    // Node decodes leniently; only the canonical text may stand for the bytes.
    if (keyBytes.toString('base64') !== encoded) {
      return { problem: `Must be ${PREFIX} followed by standard base64 with padding.` }
    }
    if (keyBytes.length < limits.secretBytesMin || keyBytes.length > limits.secretBytesMax) {
      return {
        problem: `Must decode to ${limits.secretBytesMin} to ${limits.secretBytesMax} bytes, not ${keyBytes.length}.`,
      }
    }
    return { keyBytes }
  },

  body(event) {
    return `{"type":${JSON.stringify(event.type)},"timestamp":${JSON.stringify(event.timestamp)},"data":${event.data}}`
  },

  headers({ eventId, timestampSeconds, body, keys }) {
    const headers: Record<string, string> = {
      'webhook-id': eventId,
      'webhook-timestamp': String(timestampSeconds),
    }
    if (keys.length === 0) return headers
    const prefix = `${eventId}.${timestampSeconds}.`
    headers['webhook-signature'] = keys
      .map((key) => {
        const hmac = createHmac('sha256', key.keyBytes).update(prefix).update(body)
        return `v1,${hmac.digest('base64')}`
      })
      .join(' ')
    headers['webhook-secret-ids'] = keys.map((key) => key.id).join(',')
    return headers
  },
}
