import { mac, secretBytes, textKey, type WireFormat } from './wire-format.ts'

const withoutPrefix = {
  rule: 'the secret without its prefix',
  keyOf: (secret: string) => Buffer.from(secret.replace(/^whsec_/, '')),
}
const hexDecoded = {
  rule: 'the bytes that the hex stands for, not its text',
  keyOf: (secret: string) => Buffer.from(secret, 'hex'),
}
const prefixed = (name: string) => `whsec_${secretBytes(name, 32).toString('base64url')}`
const hex = (name: string) => secretBytes(name, 32).toString('hex')

/** The formats whose signatures are hex, and whose keys are the text of the secret. */
export const hexFormats: readonly WireFormat[] = [
  {
    name: 'h-company',
    description:
      'H Company: HMAC-SHA256 over timestamp.body, keyed with the UTF-8 bytes of the whole secret, whsec_ included. One signature.',
    isTimed: true,
    hasSeveralSignatures: false,
    signatureHeader: 'x-h-webhook-signature',
    requiredHeaders: ['x-h-webhook-timestamp', 'x-h-webhook-signature'],
    id: 'evt_0199c0de000070008000000000000001',
    secret: prefixed,
    keyOf: textKey,
    wrongKey: withoutPrefix,
    body: (data) =>
      `{"type":"order.paid","id":"evt_0199c0de000070008000000000000001","created_at":"2026-11-21T10:00:00.000Z","data":${data}}`,
    headers: ({ timestamp, body, keys }) => ({
      'x-h-webhook-timestamp': String(timestamp),
      'x-h-webhook-signature': `sha256=${macOfNewest(keys, `${timestamp}.${body}`)}`,
    }),
  },
  {
    name: 'devtune',
    description:
      'DevTune: HMAC-SHA256 over the body alone, keyed with the text of the secret. One signature, no signed time and no id: a receiver cannot tell a replay.',
    isTimed: false,
    hasSeveralSignatures: false,
    signatureHeader: 'x-devtune-signature',
    requiredHeaders: ['x-devtune-signature'],
    id: null,
    secret: hex,
    keyOf: textKey,
    wrongKey: hexDecoded,
    body: (data) =>
      `{"event":"order.paid","timestamp":"2026-11-21T10:00:00.000Z","projectId":"0199c0de-0000-7000-8000-000000000003","data":${data}}`,
    headers: ({ body, keys }) => ({
      'x-devtune-event': 'order.paid',
      'user-agent': 'DevTune-Webhook/2.0',
      'x-devtune-signature': macOfNewest(keys, body),
    }),
  },
  {
    name: 'stripe',
    description:
      'Stripe: t=<Unix seconds> and one v1=<hex> for each secret in one header; HMAC-SHA256 over timestamp.body, keyed with the UTF-8 bytes of the whole secret, whsec_ included. Entries of other kinds are skipped.',
    isTimed: true,
    hasSeveralSignatures: true,
    signatureHeader: 'stripe-signature',
    requiredHeaders: ['stripe-signature'],
    id: 'evt_0199c0de000070008000000000000001',
    secret: prefixed,
    keyOf: textKey,
    wrongKey: withoutPrefix,
    body: (data) =>
      `{"id":"evt_0199c0de000070008000000000000001","object":"event","api_version":null,"livemode":true,"pending_webhooks":1,"request":null,"created":1795255200,"type":"order.paid","data":{"object":${data}}}`,
    headers: ({ timestamp, body, keys }) => ({
      'stripe-signature': [
        `t=${timestamp}`,
        ...keys.map(({ bytes }) => `v1=${mac(bytes, `${timestamp}.${body}`, 'hex')}`),
      ].join(','),
    }),
  },
  {
    name: 'github',
    description:
      'GitHub: HMAC-SHA256 over the body alone, keyed with the text of the secret. One signature. Type and id stand in headers that are not signed, and no time is signed: a receiver cannot tell a replay for sure.',
    isTimed: false,
    hasSeveralSignatures: false,
    signatureHeader: 'x-hub-signature-256',
    requiredHeaders: ['x-hub-signature-256', 'x-github-event', 'x-github-delivery'],
    id: '0199c0de-0000-7000-8000-000000000001',
    secret: hex,
    keyOf: textKey,
    wrongKey: hexDecoded,
    body: (data) => data,
    headers: ({ body, keys }) => ({
      'x-github-event': 'order.paid',
      'x-github-delivery': '0199c0de-0000-7000-8000-000000000001',
      'x-hub-signature-256': `sha256=${macOfNewest(keys, body)}`,
    }),
  },
]

function macOfNewest(keys: readonly { bytes: Buffer }[], text: string): string {
  const [newest] = keys
  return newest === undefined ? '' : mac(newest.bytes, text, 'hex')
}
