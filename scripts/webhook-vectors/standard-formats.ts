import {
  base64Key,
  mac,
  type Signing,
  secretBytes,
  textKey,
  type WireFormat,
} from './wire-format.ts'

const id = 'evt_0199c0de000070008000000000000001'

/** The formats with the headers of Standard Webhooks. Their key rules differ. */
export const standardFormats: readonly WireFormat[] = [
  {
    ...standardWebhooks(),
    name: 'standard',
    description:
      'Standard Webhooks 1.0.0: HMAC-SHA256 over id.timestamp.body, keyed with the bytes that the base64 behind whsec_ decodes to. webhook-secret-ids is an addition of Countersign, not signed, and may be ignored.',
    body: (data) => `{"type":"order.paid","timestamp":"2026-11-21T10:00:00.000Z","data":${data}}`,
    headers: (signing) => ({
      ...standardHeaders(signing),
      'webhook-secret-ids': signing.keys.map(({ name }) => `sec_${name}`).join(','),
    }),
  },
  {
    ...standardWebhooks(),
    name: 'mobilerun',
    description:
      'Mobilerun: headers and key rule of Standard Webhooks. Mobilerun publishes nothing about its signature; this is what Countersign sends in its place.',
    body: (data) =>
      `{"id":"${id}","type":"order.paid","source":"order","occurredAt":"2026-11-21T10:00:00.000Z","data":${data}}`,
  },
  {
    ...standardWebhooks(),
    name: 'dinie',
    description:
      'Dinie: headers and key rule of Standard Webhooks; a secret that does not begin with whsec_ is its own text in UTF-8.',
    secret: (name) =>
      name === 'plain'
        ? 'countersign-test-vector-without-prefix'
        : `whsec_${secretBytes(name, 30).toString('base64')}`,
    keyOf: (secret) => (secret.startsWith('whsec_') ? base64Key : textKey)(secret),
    body: (data) =>
      `{"id":"${id}","type":"order.paid","api_version":"2026-03-01","created_at":"2026-11-21T10:00:00.000Z","timestamp":1795255200,"delivery_id":"dlv_0199c0de000070008000000000000002","data":${data}}`,
  },
  composio(
    'V3',
    (data) =>
      `{"id":"${id}","timestamp":"2026-11-21T10:00:00.000Z","type":"composio.trigger.message","metadata":{"trigger_slug":"SHOP_ORDER_PAID"},"data":${data}}`,
  ),
  composio(
    'V2',
    (data) =>
      `{"type":"shop_order_paid","timestamp":"2026-11-21T10:00:00.000Z","log_id":"log_1","data":{"connection_id":"ca_1","connection_nano_id":"ca_1","trigger_nano_id":"ti_1","trigger_id":"ti_1","user_id":"u1",${data.slice(1)}}`,
  ),
  composio(
    'V1',
    (data) =>
      `{"trigger_name":"SHOP_ORDER_PAID","connection_id":"ca_1","trigger_id":"ti_1","payload":${data},"log_id":"log_1"}`,
  ),
]

function standardWebhooks(): Omit<WireFormat, 'name' | 'description' | 'body'> {
  return {
    isTimed: true,
    hasSeveralSignatures: true,
    signatureHeader: 'webhook-signature',
    requiredHeaders: ['webhook-id', 'webhook-timestamp', 'webhook-signature'],
    id,
    secret: (name) => `whsec_${secretBytes(name, 32).toString('base64')}`,
    keyOf: base64Key,
    wrongKey: { rule: 'the text of the secret, not what it decodes to', keyOf: textKey },
    headers: standardHeaders,
  }
}

function composio(version: 'V1' | 'V2' | 'V3', body: WireFormat['body']): WireFormat {
  return {
    ...standardWebhooks(),
    name: version === 'V3' ? 'composio' : `composio-${version.toLowerCase()}`,
    description: `Composio, payload version ${version}: headers of Standard Webhooks, keyed with the UTF-8 bytes of the whole secret. Nothing is stripped or decoded, not even a prefix.`,
    // With a prefix, though Composio's have none: it is part of the key all the same.
    secret: (name) => `whsec_${secretBytes(name, 32).toString('base64')}`,
    keyOf: textKey,
    wrongKey: { rule: 'what the secret decodes to, not its text', keyOf: base64Key },
    body,
    headers: (signing) => ({
      ...standardHeaders(signing),
      'x-composio-webhook-version': version,
      'x-composio-delivery-attempt': '1',
    }),
  }
}

function standardHeaders({ timestamp, body, keys }: Signing): Record<string, string> {
  const text = `${id}.${timestamp}.${body}`
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': keys.map(({ bytes }) => `v1,${mac(bytes, text, 'base64')}`).join(' '),
  }
}
