import { createHash } from 'node:crypto'
import type { Scope } from './authorization.ts'

/** A project's key. Its value is stored as a hash and shown once. */
export interface ApiKey {
  id: string
  projectId: string
  name: string
  scopes: Scope[]
  /** The system whose shape the key has, or null for a native one. */
  dialect: string | null
  /** Last four characters of the value. */
  hint: string
  /** SHA-256 of the value, in hex. */
  hash: string
  createdAt: number
  expiresAt: number | null
  revokedAt: number | null
  /** May lag behind by a minute. */
  lastUsedAt: number | null
}

/** `csk_` and 43 url-safe characters: 256 bits. */
export function makeApiKeyValue(randomBytes: (size: number) => Uint8Array): string {
  return `csk_${Buffer.from(randomBytes(32)).toString('base64url')}`
}

export function hashApiKey(value: string): string {
  return createHash('sha256').update(value).digest('hex')
}

export function isApiKeyLive(key: ApiKey, now: number): boolean {
  return key.revokedAt === null && (key.expiresAt === null || key.expiresAt > now)
}
