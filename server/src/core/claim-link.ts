import { createHash } from 'node:crypto'
import { credentialPrefixes } from './credential-prefixes.ts'

/** A link by which the receiving engineer fetches a new secret, once (rotation.md section 7). */
export interface ClaimLink {
  /** SHA-256 of the token, in hex; the token itself is nowhere. */
  hash: string
  projectId: string
  endpointId: string
  rotationId: string
  createdAt: number
  /** When it was used; null: not yet. */
  claimedAt: number | null
  /** When whoever holds the link said that it was somebody else who used it. */
  disputedAt: number | null
}

const PREFIX = credentialPrefixes.claimToken

/** `ccl_` and 43 url-safe characters: 256 bits. */
export function makeClaimToken(randomBytes: (size: number) => Uint8Array): string {
  return PREFIX + Buffer.from(randomBytes(32)).toString('base64url')
}

export function hashClaimToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/** The page reads the token from the fragment, which no browser sends to a server. */
export function claimUrlOf(publicUrl: string, token: string): string {
  return `${publicUrl}/claim#${token}`
}
