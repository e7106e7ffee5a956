import { decodeBase64 } from './secret-key.ts'
import type { Bytes } from './webhook-format.ts'

/** An Ed25519 key that signatures are checked with. */
export interface PublicKey {
  bytes: Bytes
  /** The sender's id of it; null where it came without one. */
  id: string | null
}

const publicKeyPrefix = 'whpk_'
const publicKeyBytes = 32
/** More keys than any sender has in force for one endpoint; each costs a check for every delivery. */
const keysMax = 16

/** Whether a text claims to be a public key, as Standard Webhooks writes them. */
export function isPublicKeyText(secret: string): boolean {
  return secret.startsWith(publicKeyPrefix)
}

/** `whpk_` and standard base64; null for anything else. */
export function readPublicKey(secret: string): PublicKey | null {
  const bytes = decodeBase64(secret.slice(publicKeyPrefix.length))
  return bytes?.length === publicKeyBytes ? { bytes, id: null } : null
}

/**
 * The Ed25519 keys of a JWK set (RFC 7517, RFC 8037), in its order. Keys of other kinds are left
 * out, as the standard says; null where it is no JWK set.
 */
export function readKeySet(value: unknown): PublicKey[] | null {
  if (typeof value !== 'object' || value === null) return null
  const { keys } = value as { keys?: unknown }
  if (!Array.isArray(keys)) return null
  return keys.flatMap(readJwk).slice(0, keysMax)
}

function readJwk(jwk: unknown): PublicKey[] {
  if (typeof jwk !== 'object' || jwk === null) return []
  const { kty, crv, use, kid, x } = jwk as Record<string, unknown>
  if (kty !== 'OKP' || crv !== 'Ed25519' || typeof x !== 'string') return []
  if (use !== undefined && use !== 'sig') return []
  const bytes = decodeBase64(x.replaceAll('-', '+').replaceAll('_', '/'))
  if (bytes?.length !== publicKeyBytes) return []
  return [{ bytes, id: typeof kid === 'string' ? kid : null }]
}
