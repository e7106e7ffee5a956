import { Buffer } from 'node:buffer'
import { credentialPrefixes } from './credential-prefixes.ts'
import { type SecretBox, SecretBoxError } from './secret-box.ts'

/** What an access token says: it stands for a key, for a while. */
export interface AccessToken {
  keyId: string
  /** Milliseconds since the epoch. */
  expiresAt: number
}

/** How long a token lasts, as Dinie's clients expect. */
export const accessTokenLifetimeMs = 3_600_000

const PREFIX = credentialPrefixes.dinieAccessToken
/** Binds the seal to this use: nothing else that was ever sealed opens as a token. */
const CONTEXT = 'access-token'
/** Several times what a token of ours takes. */
const LENGTH_MAX = 512

/**
 * A token is its content, sealed: nothing is stored, and it holds on every node and after a restart
 * (docs/decisions/0026-access-tokens.md).
 */
export function sealAccessToken(secretBox: SecretBox, token: AccessToken): string {
  const sealed = secretBox.seal(JSON.stringify([token.keyId, token.expiresAt]), CONTEXT)
  return PREFIX + Buffer.from(sealed).toString('base64url')
}

/** Whether a text claims to be a token. */
export function isAccessToken(text: string): boolean {
  return text.startsWith(PREFIX)
}

/** What a token says; null for what is none of ours. */
export function readAccessToken(secretBox: SecretBox, text: string): AccessToken | null {
  if (!isAccessToken(text) || text.length > LENGTH_MAX) return null
  const encoded = text.slice(PREFIX.length)
  const sealed = Buffer.from(encoded, 'base64url')
  // Node decodes leniently; one token must not have several texts.
  if (sealed.toString('base64url') !== encoded) return null
  try {
    const [keyId, expiresAt] = JSON.parse(secretBox.open(sealed, CONTEXT)) as [string, number]
    return { keyId, expiresAt }
  } catch (error) {
    if (error instanceof SecretBoxError) return null
    throw error
  }
}
