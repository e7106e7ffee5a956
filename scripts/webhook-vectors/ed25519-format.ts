import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { standardFormats } from './standard-formats.ts'
import { base64Key, mac, secretBytes, type WireFormat } from './wire-format.ts'

/** The one secret that is not a key pair: what an endpoint had before it changed its algorithm. */
export const sharedSecretName = 'shared'

const seedBytes = 32
/** PKCS #8 around a seed (RFC 8410). */
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex')

/** Standard Webhooks with Ed25519: the sender holds key pairs, the receiver their public halves. */
export const ed25519Format: WireFormat = {
  ...standardFormat(),
  name: 'standard-ed25519',
  description:
    'Standard Webhooks 1.0.0, asymmetric: Ed25519 over id.timestamp.body, as v1a. The sender holds whsk_ and base64 of the seed with its public key behind it, the receiver whpk_ and base64 of the public key. While the algorithm changes, HMAC signatures stand beside, as v1.',
  signatureVersion: 'v1a',
  secret(name) {
    if (name === sharedSecretName) return standardFormat().secret(name)
    const seed = secretBytes(name, seedBytes)
    return `whsk_${Buffer.concat([seed, publicHalf(seed)]).toString('base64')}`
  },
  held(name) {
    if (name === sharedSecretName) return standardFormat().secret(name)
    return `whpk_${publicHalf(secretBytes(name, seedBytes)).toString('base64')}`
  },
  keyOf: (secret) => (isShared(secret) ? base64Key(secret) : halvesOf(secret)[0]),
  wrongKey: {
    rule: 'the public half in place of the private one',
    keyOf: (secret) => halvesOf(secret)[1],
  },
  headers({ timestamp, body, keys }) {
    const text = `${standardFormat().id}.${timestamp}.${body}`
    const signatures = keys.map(({ name, bytes }) =>
      name === sharedSecretName
        ? `v1,${mac(bytes, text, 'base64')}`
        : `v1a,${sign(null, Buffer.from(text), privateKeyOf(bytes)).toString('base64')}`,
    )
    return {
      'webhook-id': String(standardFormat().id),
      'webhook-timestamp': String(timestamp),
      'webhook-signature': signatures.join(' '),
      'webhook-secret-ids': keys.map(({ name }) => `sec_${name}`).join(','),
    }
  },
}

/** A MAC under the public key: what somebody sends who hopes that it is taken for a secret. */
export function macUnderPublicKey(held: string, text: string): string {
  return `v1,${mac(Buffer.from(held.slice('whpk_'.length), 'base64'), text, 'base64')}`
}

function standardFormat(): WireFormat {
  const format = standardFormats.find(({ name }) => name === 'standard')
  if (format === undefined) throw new Error('There is no format standard.')
  return format
}

function isShared(secret: string): boolean {
  return secret.startsWith('whsec_')
}

function halvesOf(secret: string): [seed: Buffer, publicKey: Buffer] {
  const bytes = Buffer.from(secret.slice('whsk_'.length), 'base64')
  return [bytes.subarray(0, seedBytes), bytes.subarray(seedBytes)]
}

function publicHalf(seed: Buffer): Buffer {
  const { x } = createPublicKey(privateKeyOf(seed)).export({ format: 'jwk' })
  return Buffer.from(String(x), 'base64url')
}

function privateKeyOf(seed: Buffer): KeyObject {
  const key = Buffer.concat([pkcs8Head, seed])
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
}
