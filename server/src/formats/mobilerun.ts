import { limits } from '../core/limits.ts'
import type { Format } from './format.ts'
import { base64Secrets } from './secret-shape.ts'
import { standardHeaderNames, standardHeaders } from './standard-headers.ts'

/**
 * Mobilerun. Nothing is published about its signature or its body: the signature is that of
 * Standard Webhooks, the body has the names that its API gives to an event (dialects.md, A.9).
 */
export const mobilerun: Format = {
  name: 'mobilerun',
  signaturesMax: limits.secretsActiveMax,
  algorithms: ['hmac-sha256'],
  isBodyPerDelivery: false,
  probeType: 'countersign.probe',
  reservedHeaders: standardHeaderNames,
  ...base64Secrets({ bytesGenerated: limits.secretBytesGenerated }),

  body({ id, type, timestamp, data }) {
    return `{"id":${JSON.stringify(id)},"type":${JSON.stringify(type)},"source":${JSON.stringify(sourceOf(type))},"occurredAt":${JSON.stringify(timestamp)},"data":${data}}`
  },

  headers: standardHeaders,
}

/** `task` of `task.run.completed`. */
function sourceOf(type: string): string {
  const dot = type.indexOf('.')
  return dot < 0 ? type : type.slice(0, dot)
}
