import { createHash } from 'node:crypto'
import type { Scope } from './authorization.ts'
import { credentialPrefixes } from './credential-prefixes.ts'
import type { DialectName } from './dialect.ts'

/** A project's key. Its value is stored as a hash and shown once. */
export interface ApiKey {
  id: string
  projectId: string
  name: string
  scopes: Scope[]
  /** The system whose shape the key has, or null for a native one. */
  dialect: DialectName | null
  /** Public half of a key that is exchanged for access tokens (Dinie); null: the value is the key. */
  clientId: string | null
  /** Last four characters of the value. */
  hint: string
  /** SHA-256 of the value, in hex. */
  hash: string
  /** The value before the last rotation, which works until its time; null: there is none. */
  previousHash: string | null
  previousExpiresAt: number | null
  createdAt: number
  expiresAt: number | null
  revokedAt: number | null
  /** May lag behind by a minute. */
  lastUsedAt: number | null
}

/** A new key in the shape that clients of a system know; null: a native one. 256 random bits. */
export function makeApiKeyValue(
  randomBytes: (size: number) => Uint8Array,
  dialect: DialectName | null = null,
): Pick<ApiKey, 'clientId'> & { value: string } {
  const bytes = Buffer.from(randomBytes(32))
  const urlSafe = bytes.toString('base64url')
  switch (dialect) {
    case null:
      return { value: `${credentialPrefixes.apiKey}${urlSafe}`, clientId: null }
    case 'mobilerun':
      return { value: `${credentialPrefixes.mobilerunKey}${urlSafe}`, clientId: null }
    case 'composio':
      return { value: bytes.toString('hex'), clientId: null }
    case 'h-company':
      return { value: `${credentialPrefixes.hCompanyKey}${urlSafe}`, clientId: null }
    case 'devtune':
      return { value: `${credentialPrefixes.devtuneKey}${bytes.toString('hex')}`, clientId: null }
    case 'dinie': {
      const clientId = `dinie_ci_${Buffer.from(randomBytes(16)).toString('hex')}`
      return { value: `${credentialPrefixes.dinieClientSecret}${urlSafe}`, clientId }
    }
  }
}

export function hashApiKey(value: string): string {
  return createHash('sha256').update(value).digest('hex')
}

/** Whether a value works: the key's present one, or the one before it during their overlap. */
export function isKeyValueLive(key: ApiKey, valueHash: string, now: number): boolean {
  if (!isApiKeyLive(key, now)) return false
  const isPrevious = valueHash === key.previousHash
  return valueHash === key.hash || (isPrevious && (key.previousExpiresAt ?? 0) > now)
}

export function isApiKeyLive(key: ApiKey, now: number): boolean {
  return key.revokedAt === null && (key.expiresAt === null || key.expiresAt > now)
}
