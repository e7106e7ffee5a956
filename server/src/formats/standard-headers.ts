import { signEd25519 } from './ed25519.ts'
import type { SigningInput, SigningKey } from './format.ts'
import { hmacSha256 } from './hmac-sha256.ts'

/** The names of `standardHeaders`. */
export const standardHeaderNames = ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const

/**
 * The headers of Standard Webhooks 1.0.0: `{id}.{timestamp}.{body}` signed with every key, newest
 * first, as `v1` (HMAC) or `v1a` (Ed25519). What bytes a secret stands for is another question: two systems that send the same headers
 * may answer it differently.
 */
export function standardHeaders({
  eventId,
  timestampSeconds,
  body,
  keys,
}: SigningInput): Record<string, string> {
  const headers: Record<string, string> = {
    'webhook-id': eventId,
    'webhook-timestamp': String(timestampSeconds),
  }
  if (keys.length === 0) return headers
  const head = `${eventId}.${timestampSeconds}.`
  headers['webhook-signature'] = keys.map((key) => signatureOf(key, head, body)).join(' ')
  return headers
}

function signatureOf(key: SigningKey, head: string, body: Uint8Array): string {
  return key.algorithm === 'ed25519'
    ? `v1a,${signEd25519(key.privateKey, head, body)}`
    : `v1,${hmacSha256(key, head, body, 'base64')}`
}
