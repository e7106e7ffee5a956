import { limits } from '../core/limits.ts'
import { unixSecondsOf, utcTextOf } from './event-time.ts'
import type { Format } from './format.ts'
import { base64Secrets, hexTextSecrets, secretPrefix } from './secret-shape.ts'
import { standardHeaderNames, standardHeaders } from './standard-headers.ts'

/** The version of Dinie's API whose events these are. */
const apiVersion = '2026-03-01'
/** 40 characters of base64, as in the example of Dinie's documents. */
const decodedSecrets = base64Secrets({ bytesGenerated: 30 })

/**
 * Dinie (dialects.md 5.4, 5.6): Standard Webhooks; a secret without its prefix is its own text. The
 * body's `timestamp` is the event's, not the attempt's, so that every attempt has the same body.
 */
export const dinie: Format = {
  name: 'dinie',
  signaturesMax: limits.secretsActiveMax,
  algorithms: ['hmac-sha256'],
  isBodyPerDelivery: true,
  probeType: 'countersign.probe',
  reservedHeaders: standardHeaderNames,
  generateSecret: decodedSecrets.generateSecret,

  readSecret(text) {
    return (text.startsWith(secretPrefix) ? decodedSecrets : hexTextSecrets).readSecret(text)
  },

  body({ id, type, timestamp, data }, deliveryId) {
    return `{"id":${JSON.stringify(id)},"type":${JSON.stringify(type)},"api_version":"${apiVersion}","created_at":${JSON.stringify(utcTextOf(timestamp))},"timestamp":${unixSecondsOf(timestamp)},"delivery_id":${JSON.stringify(deliveryId)},"data":${data}}`
  },

  headers: standardHeaders,
}
