import type { HeldSecret } from './held-secrets.ts'
import type { ImportedKeys } from './imported-keys.ts'
import { KeySetError } from './key-set-address.ts'
import type { KeySets } from './key-sets.ts'
import type { PublicKey } from './public-keys.ts'
import type { Bytes, WebhookClaim, WebhookFormat } from './webhook-format.ts'

/** The first signature of a delivery that was made with one of the receiver's secrets. */
export interface SignatureMatch {
  /** Of the signature in the delivery. */
  position: number
  /** Of the secret in the receiver's list. */
  secretIndex: number
  /** The id that came with a public key; null where none did. */
  keyId: string | null
}

/** Of a delivery's Ed25519 signatures, so that nobody can have us check thousands. */
const publicSignaturesMax = 8

/** What one of the receiver's secrets says to one delivery; null: nothing. */
type Answer = { mac: string } | { keys: readonly PublicKey[] } | null

/**
 * Senders put the newest signature first, so the first that matches tells the newest secret.
 * @throws KeySetError where nothing matches, and keys that might have could not be read.
 */
export async function matchSignatures(
  claim: WebhookClaim,
  held: readonly HeldSecret[],
  format: WebhookFormat,
  { keys, keySets }: { keys: ImportedKeys; keySets: KeySets },
): Promise<SignatureMatch | null> {
  const signatures = boundSignatures(claim.signatures)
  const hasPublic = signatures.some((signature) => signature instanceof Uint8Array)
  const errors: KeySetError[] = []
  const answers = await Promise.all(
    held.map(async (secret): Promise<Answer> => {
      if (secret.kind === 'mac') {
        const mac = await crypto.subtle.sign('HMAC', secret.key, claim.signedContent)
        return { mac: format.encodeMac(new Uint8Array(mac)) }
      }
      if (!hasPublic) return null
      if (secret.kind === 'public') return secret
      return readFollowed(keySets, secret.url, errors)
    }),
  )
  const found = await firstMatch(claim, signatures, answers, keys)
  if (found !== null || !hasPublic) return found

  // A key that is not remembered yet may have signed: the sender has a new one.
  const newer = await Promise.all(
    held.map(async (secret): Promise<Answer> => {
      const read = secret.kind === 'followed' ? await keySets.readAnew(secret.url) : null
      return read === null ? null : { keys: read }
    }),
  )
  const foundAnew = await firstMatch(claim, signatures, newer, keys)
  if (foundAnew !== null) return foundAnew
  const [error] = errors
  if (error !== undefined) throw error
  return null
}

async function readFollowed(keySets: KeySets, url: string, errors: KeySetError[]): Promise<Answer> {
  try {
    return { keys: await keySets.read(url) }
  } catch (error) {
    // Another secret may match, and then it does not matter.
    if (!(error instanceof KeySetError)) throw error
    errors.push(error)
    return null
  }
}

async function firstMatch(
  claim: WebhookClaim,
  signatures: WebhookClaim['signatures'],
  answers: readonly Answer[],
  keys: ImportedKeys,
): Promise<SignatureMatch | null> {
  for (const [position, signature] of signatures.entries()) {
    if (signature === null) continue
    for (const [secretIndex, answer] of answers.entries()) {
      if (answer === null) continue
      if ('mac' in answer) {
        const isMatch =
          typeof signature === 'string' && isEqualInConstantTime(answer.mac, signature)
        if (isMatch) return { position, secretIndex, keyId: null }
      } else if (typeof signature !== 'string') {
        const key = await signingKey(answer.keys, signature, claim.signedContent, keys)
        if (key !== null) return { position, secretIndex, keyId: key.id }
      }
    }
  }
  return null
}

async function signingKey(
  candidates: readonly PublicKey[],
  signature: Bytes,
  content: Bytes,
  keys: ImportedKeys,
): Promise<PublicKey | null> {
  for (const candidate of candidates) {
    const name = `Ed25519:${candidate.bytes.join()}`
    const key = await keys.get(name, 'Ed25519', () => candidate.bytes)
    if (await crypto.subtle.verify('Ed25519', key, signature, content)) return candidate
  }
  return null
}

/** Positions stay, as the ids of the secrets are told by position. */
function boundSignatures(signatures: WebhookClaim['signatures']): WebhookClaim['signatures'] {
  let publicCount = 0
  return signatures.map((signature) => {
    if (typeof signature === 'string' || signature === null) return signature
    publicCount += 1
    return publicCount > publicSignaturesMax ? null : signature
  })
}

/** Takes the same time wherever the texts differ; their lengths are no secret. */
function isEqualInConstantTime(expected: string, given: string): boolean {
  if (expected.length !== given.length) return false
  let difference = 0
  for (let index = 0; index < expected.length; index += 1) {
    difference |= expected.charCodeAt(index) ^ given.charCodeAt(index)
  }
  return difference === 0
}
