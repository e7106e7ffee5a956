import { limits } from '../core/limits.ts'
import { secretAlgorithms } from '../core/secret.ts'
import type { Format } from './format.ts'
import { secretIdsHeader, secretIdsHeaderName } from './secret-ids-header.ts'
import { base64Secrets } from './secret-shape.ts'
import { standardHeaderNames, standardHeaders } from './standard-headers.ts'

/**
 * Standard Webhooks 1.0.0, with `webhook-secret-ids` added, which other formats carry only where the
 * project wants it.
 */
export const standard: Format = {
  name: 'standard',
  signaturesMax: limits.secretsActiveMax,
  algorithms: secretAlgorithms,
  isBodyPerDelivery: false,
  probeType: 'countersign.probe',
  reservedHeaders: [...standardHeaderNames, secretIdsHeaderName, 'webhook-verified-secret'],
  ...base64Secrets({ bytesGenerated: limits.secretBytesGenerated }),

  body(event) {
    return `{"type":${JSON.stringify(event.type)},"timestamp":${JSON.stringify(event.timestamp)},"data":${event.data}}`
  },

  headers: (input) => ({ ...standardHeaders(input), ...secretIdsHeader(input.keys) }),
}
