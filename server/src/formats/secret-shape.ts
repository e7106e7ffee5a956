import { credentialPrefixes } from '../core/credential-prefixes.ts'
import { limits } from '../core/limits.ts'
import type { Format } from './format.ts'

/** How the secrets of a format look, and which key bytes they stand for. */
export type SecretShape = Pick<Format, 'generateSecret' | 'readSecret'>

export const secretPrefix = credentialPrefixes.secret

/** Standard Webhooks: `whsec_` and standard base64; the key is what the base64 decodes to. */
export function base64Secrets({ bytesGenerated }: { bytesGenerated: number }): SecretShape {
  return {
    generateSecret(randomBytes) {
      return secretPrefix + Buffer.from(randomBytes(bytesGenerated)).toString('base64')
    },

    readSecret(text) {
      if (!text.startsWith(secretPrefix)) return { problem: `Must begin with ${secretPrefix}.` }
      const encoded = text.slice(secretPrefix.length)
      const keyBytes = Buffer.from(encoded, 'base64')
      // Node decodes leniently; only the canonical text may stand for the bytes.
      if (keyBytes.toString('base64') !== encoded) {
        return { problem: `Must be ${secretPrefix} followed by standard base64 with padding.` }
      }
      const size = keyBytes.length
      return isSizeAllowed(size)
        ? { keyBytes }
        : { problem: `Must decode to ${sizesAllowed} bytes, not ${size}.` }
    },
  }
}

/**
 * The key is the text itself, prefix and all.
 * @param encode writes random bytes as the system does.
 */
export function textSecrets({ encode }: { encode: (bytes: Buffer) => string }): SecretShape {
  return {
    generateSecret(randomBytes) {
      return encode(Buffer.from(randomBytes(limits.secretBytesGenerated)))
    },

    readSecret(text) {
      if (!printable.test(text)) return { problem: 'Must be printable ASCII without spaces.' }
      const size = text.length
      return isSizeAllowed(size)
        ? { keyBytes: Buffer.from(text, 'latin1') }
        : { problem: `Must be ${sizesAllowed} characters long, not ${size}.` }
    },
  }
}

/** 64 lower-case hex characters, for a key that is their text. */
export const hexTextSecrets = textSecrets({ encode: (bytes) => bytes.toString('hex') })

/** `whsec_` and 43 URL-safe characters, for a key that is their text. */
export const urlSafeTextSecrets = textSecrets({
  encode: (bytes) => secretPrefix + bytes.toString('base64url'),
})

/** What survives every header, file and shell that a secret is carried through. */
const printable = /^[\x21-\x7e]*$/
const sizesAllowed = `${limits.secretBytesMin} to ${limits.secretBytesMax}`

function isSizeAllowed(size: number): boolean {
  return size >= limits.secretBytesMin && size <= limits.secretBytesMax
}
