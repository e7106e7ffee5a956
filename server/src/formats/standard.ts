import { limits } from '../core/limits.ts'
import { secretAlgorithms } from '../core/secret.ts'
import type { Format } from './format.ts'
import { base64Secrets } from './secret-shape.ts'
import { standardHeaderNames, standardHeaders } from './standard-headers.ts'

/**
 * Standard Webhooks 1.0.0, with `webhook-secret-ids` added: the ids of the secrets behind the
 * signatures, in the same order, so that a receiver can tell which of its secrets is in use.
 */
export const standard: Format = {
  name: 'standard',
  signaturesMax: limits.secretsActiveMax,
  algorithms: secretAlgorithms,
  isBodyPerDelivery: false,
  probeType: 'countersign.probe',
  reservedHeaders: [...standardHeaderNames, 'webhook-secret-ids', 'webhook-verified-secret'],
  ...base64Secrets({ bytesGenerated: limits.secretBytesGenerated }),

  body(event) {
    return `{"type":${JSON.stringify(event.type)},"timestamp":${JSON.stringify(event.timestamp)},"data":${event.data}}`
  },

  headers(input) {
    const headers = standardHeaders(input)
    if (input.keys.length === 0) return headers
    headers['webhook-secret-ids'] = input.keys.map((key) => key.id).join(',')
    return headers
  },
}
