import type { Actor, Scope } from './authorization.ts'
import { credentialPrefixes } from './credential-prefixes.ts'

/** Lets a customer's engineer work in one project for a while. The token is shown once. */
export interface PortalSession {
  id: string
  projectId: string
  /** Who will be working, in the words of the platform; stands in the audit log. */
  actor: string
  scopes: Scope[]
  /** SHA-256 of the token, in hex. */
  hash: string
  createdBy: Actor
  /**
   * SHA-256 of the key's value that opened it: the session works while that value does. Null where
   * an access token did, then while its key works; or the root key, then until it ends by itself.
   */
  keyHash: string | null
  createdAt: number
  expiresAt: number
  revokedAt: number | null
}

/** What a portal session may be allowed: never keys, events, or the audit log. */
export const portalScopes = [
  'webhooks.read',
  'webhooks.write',
  'secrets.rotate',
  'deliveries.read',
  'deliveries.write',
] as const satisfies readonly Scope[]

const PREFIX = credentialPrefixes.portalToken

/** `cpt_` and 43 url-safe characters: 256 bits. */
export function makePortalToken(randomBytes: (size: number) => Uint8Array): string {
  return PREFIX + Buffer.from(randomBytes(32)).toString('base64url')
}

/** Whether a text claims to be the token of a portal session. */
export function isPortalToken(text: string): boolean {
  return text.startsWith(PREFIX)
}

export function isPortalSessionLive(session: PortalSession, now: number): boolean {
  return session.revokedAt === null && session.expiresAt > now
}
