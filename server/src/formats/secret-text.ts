import type { SecretAlgorithm } from '../core/secret.ts'
import {
  ed25519KeyOf,
  generateEd25519Secret,
  keyHalfBytes,
  publicKeyText,
  readEd25519Secret,
} from './ed25519.ts'
import type { Format, KeyMaterial } from './format.ts'

/** What the text of a secret stands for. */
export interface SecretContent {
  key: KeyMaterial
  /** What the fingerprint is made of: that which the receiver holds too. */
  sharedBytes: Uint8Array
  /** `whpk_…`; null for HMAC, which has no public half. */
  publicKey: string | null
}

/** A new secret for a format that takes the algorithm. */
export function generateSecretText(
  format: Format,
  algorithm: SecretAlgorithm,
  randomBytes: (size: number) => Uint8Array,
): string {
  return algorithm === 'ed25519'
    ? generateEd25519Secret(randomBytes)
    : format.generateSecret(randomBytes)
}

/** What a secret's text stands for in a format, or what is wrong with it, as a sentence. */
export function readSecretText(
  format: Format,
  algorithm: SecretAlgorithm,
  text: string,
): SecretContent | { problem: string } {
  if (algorithm === 'hmac-sha256') {
    const read = format.readSecret(text)
    if ('problem' in read) return read
    return { key: { algorithm, ...read }, sharedBytes: read.keyBytes, publicKey: null }
  }
  if (!format.algorithms.includes(algorithm)) return { problem: algorithmProblem(format) }
  const read = readEd25519Secret(text)
  if ('problem' in read) return read
  const { privateKey, publicKeyBytes } = read
  return {
    key: { algorithm, privateKey },
    sharedBytes: publicKeyBytes,
    publicKey: publicKeyText(publicKeyBytes),
  }
}

/** A key of the same kind that nobody knows. */
export function unknownKey(
  key: KeyMaterial,
  randomBytes: (size: number) => Uint8Array,
): KeyMaterial {
  const { algorithm } = key
  return algorithm === 'hmac-sha256'
    ? { algorithm, keyBytes: randomBytes(key.keyBytes.length) }
    : { algorithm, privateKey: ed25519KeyOf(randomBytes(keyHalfBytes)).privateKey }
}

/** Of an algorithm that a format does not take. */
export function algorithmProblem({ name, algorithms }: Format): string {
  return `The format ${name} signs with ${algorithms.join(' or ')} only.`
}
