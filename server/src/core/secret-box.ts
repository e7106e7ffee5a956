import { createCipheriv, createDecipheriv, createHash } from 'node:crypto'

/**
 * Encryption at rest: AES-256-GCM under a ring of master keys. The first key encrypts, all decrypt.
 * The context (endpoint id + secret id) is authenticated, so a ciphertext moved to another row does
 * not open.
 */
export interface SecretBox {
  seal(plaintext: string, context: string): Uint8Array
  /** Throws `SecretBoxError` when no key of the ring fits or the bytes were altered or moved. */
  open(sealed: Uint8Array, context: string): string
  /** Whether it is sealed under the first key of the ring, as everything new is. */
  isUnderFirstKey(sealed: Uint8Array): boolean
}

export class SecretBoxError extends Error {
  override readonly name = 'SecretBoxError'
}

const VERSION = 1
const KEY_ID_BYTES = 8
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEADER_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES + TAG_BYTES
export const masterKeyBytes = 32

/** Layout: version (1), key id (8: start of SHA-256 of the key), nonce (12), tag (16), ciphertext. */
export function createSecretBox(options: {
  masterKeys: readonly Uint8Array[]
  randomBytes: (size: number) => Uint8Array
}): SecretBox {
  const ring = options.masterKeys.map((key) => ({ key, id: keyId(key) }))
  const encrypting = ring[0]
  if (encrypting === undefined) throw new SecretBoxError('There is no master key.')

  return {
    isUnderFirstKey: (sealed) => keyIdOf(sealed).equals(encrypting.id),
    seal(plaintext, context) {
      const nonce = options.randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', encrypting.key, nonce)
      cipher.setAAD(Buffer.from(context))
      const body = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()])
      return Buffer.concat([
        Buffer.from([VERSION]),
        encrypting.id,
        nonce,
        cipher.getAuthTag(),
        body,
      ])
    },
    open(sealed, context) {
      if (sealed.length < HEADER_BYTES || sealed[0] !== VERSION) {
        throw new SecretBoxError('This is not a sealed value of a known version.')
      }
      const id = keyIdOf(sealed)
      const entry = ring.find((candidate) => candidate.id.equals(id))
      if (entry === undefined) {
        throw new SecretBoxError('The value is sealed under a master key that is not configured.')
      }
      const nonceEnd = 1 + KEY_ID_BYTES + NONCE_BYTES
      const decipher = createDecipheriv(
        'aes-256-gcm',
        entry.key,
        sealed.subarray(1 + KEY_ID_BYTES, nonceEnd),
        { authTagLength: TAG_BYTES },
      )
      decipher.setAAD(Buffer.from(context))
      decipher.setAuthTag(sealed.subarray(nonceEnd, HEADER_BYTES))
      try {
        return (
          decipher.update(sealed.subarray(HEADER_BYTES), undefined, 'utf8') + decipher.final('utf8')
        )
      } catch (cause) {
        throw new SecretBoxError('The sealed value was altered or belongs elsewhere.', { cause })
      }
    },
  }
}

/** What binds a secret's ciphertext to its row. */
export function secretContext(endpointId: string, secretId: string): string {
  return `secret:${endpointId}:${secretId}`
}

/** What binds an endpoint's custom header values to its row. */
export function headersContext(endpointId: string): string {
  return `headers:${endpointId}`
}

/** What binds an answer kept under an Idempotency-Key to its scope. */
export function idempotencyContext(scope: string): string {
  return `idempotency:${scope}`
}

/** Of a known text that the first start seals: tells whether a ring fits the store. */
export const checkContext = 'master_key_check'

function keyIdOf(sealed: Uint8Array): Buffer {
  return Buffer.from(sealed.subarray(1, 1 + KEY_ID_BYTES))
}

function keyId(key: Uint8Array): Buffer {
  return createHash('sha256').update(key).digest().subarray(0, KEY_ID_BYTES)
}
