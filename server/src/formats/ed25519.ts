import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { credentialPrefixes } from '../core/credential-prefixes.ts'

/** What Standard Webhooks puts before the two halves of an Ed25519 key. */
const privateKeyPrefix = credentialPrefixes.privateKey
const publicKeyPrefix = 'whpk_'

/** Of the seed, which is the private key, and of the public key alike. */
export const keyHalfBytes = 32
/** PKCS #8 around a seed (RFC 8410): the one shape in which node:crypto takes the bare bytes. */
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex')

export interface Ed25519Secret {
  privateKey: KeyObject
  publicKeyBytes: Uint8Array
}

/** `whsk_` and standard base64 of the seed with its public key behind it. */
export function generateEd25519Secret(randomBytes: (size: number) => Uint8Array): string {
  const seed = randomBytes(keyHalfBytes)
  const { publicKeyBytes } = ed25519KeyOf(seed)
  return privateKeyPrefix + Buffer.concat([seed, publicKeyBytes]).toString('base64')
}

/** The key of a text, or what is wrong with it, as a sentence that does not repeat it. */
export function readEd25519Secret(text: string): Ed25519Secret | { problem: string } {
  if (!text.startsWith(privateKeyPrefix)) {
    return { problem: `Must begin with ${privateKeyPrefix}, as it is an Ed25519 key.` }
  }
  const encoded = text.slice(privateKeyPrefix.length)
  const bytes = Buffer.from(encoded, 'base64')
  // Node decodes leniently; only the canonical text may stand for the bytes.
  if (bytes.toString('base64') !== encoded) {
    return { problem: `Must be ${privateKeyPrefix} followed by standard base64 with padding.` }
  }
  if (bytes.length !== 2 * keyHalfBytes) {
    return {
      problem: `Must decode to ${2 * keyHalfBytes} bytes, the private key and its public key behind it, not ${bytes.length}.`,
    }
  }
  const key = ed25519KeyOf(bytes.subarray(0, keyHalfBytes))
  // Receivers would be given a key that no signature is made with.
  if (!bytes.subarray(keyHalfBytes).equals(key.publicKeyBytes)) {
    return { problem: 'Must hold the public key of its own private key in its second half.' }
  }
  return key
}

/** `whpk_` and standard base64, as receivers are given it. */
export function publicKeyText(publicKeyBytes: Uint8Array): string {
  return publicKeyPrefix + Buffer.from(publicKeyBytes).toString('base64')
}

/** Ed25519 over `head` and the body behind it, in standard base64. */
export function signEd25519(privateKey: KeyObject, head: string, body: Uint8Array): string {
  // Ed25519 reads its message twice, so it cannot be fed in parts as an HMAC can.
  return sign(null, Buffer.concat([Buffer.from(head), body]), privateKey).toString('base64')
}

/** The key pair behind 32 bytes. */
export function ed25519KeyOf(seed: Uint8Array): Ed25519Secret {
  const key = Buffer.concat([pkcs8Head, seed])
  const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return { privateKey, publicKeyBytes: spki.subarray(-keyHalfBytes) }
}
