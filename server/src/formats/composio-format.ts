import { limits } from '../core/limits.ts'
import type { Format, FormatEvent } from './format.ts'
import { hexTextSecrets } from './secret-shape.ts'
import { standardHeaderNames, standardHeaders } from './standard-headers.ts'

/**
 * What the three versions of Composio's webhooks share (dialects.md 2.4): the headers of Standard
 * Webhooks, keyed with the whole text of the secret instead of what its base64 decodes to.
 */
export function createComposioFormat({
  name,
  version,
  probeType,
  body,
}: {
  name: string
  version: 'V1' | 'V2' | 'V3'
  probeType: string | null
  body: (event: FormatEvent) => string
}): Format {
  return {
    name,
    signaturesMax: limits.secretsActiveMax,
    algorithms: ['hmac-sha256'],
    isBodyPerDelivery: false,
    probeType,
    reservedHeaders: [
      ...standardHeaderNames,
      'x-composio-webhook-version',
      'x-composio-delivery-attempt',
    ],
    ...hexTextSecrets,
    body,

    headers(input) {
      const headers = standardHeaders(input)
      headers['x-composio-webhook-version'] = version
      headers['x-composio-delivery-attempt'] = String(input.attemptNumber)
      return headers
    },
  }
}
