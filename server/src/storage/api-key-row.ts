import type { ApiKey } from '../core/api-key.ts'
import type { Scope } from '../core/authorization.ts'
import type { DialectName } from '../core/dialect.ts'

export interface ApiKeyRow {
  seq: number
  id: string
  project_id: string
  name: string
  scopes: string
  dialect: DialectName | null
  client_id: string | null
  hint: string
  hash: string
  previous_hash: string | null
  previous_expires_at: number | null
  created_at: number
  expires_at: number | null
  revoked_at: number | null
  last_used_at: number | null
}

export function toApiKey(row: ApiKeyRow): ApiKey {
  return {
    id: row.id,
    projectId: row.project_id,
    name: row.name,
    scopes: JSON.parse(row.scopes) as Scope[],
    dialect: row.dialect,
    clientId: row.client_id,
    hint: row.hint,
    hash: row.hash,
    previousHash: row.previous_hash,
    previousExpiresAt: row.previous_expires_at,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    lastUsedAt: row.last_used_at,
  }
}
