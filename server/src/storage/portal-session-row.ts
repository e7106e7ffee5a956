import type { Actor, Scope } from '../core/authorization.ts'
import type { PortalSession } from '../core/portal-session.ts'

export interface PortalSessionRow {
  id: string
  project_id: string
  actor: string
  scopes: string
  hash: string
  created_by: string
  key_hash: string | null
  created_at: number
  expires_at: number
  revoked_at: number | null
}

export function toPortalSession(row: PortalSessionRow): PortalSession {
  return {
    id: row.id,
    projectId: row.project_id,
    actor: row.actor,
    scopes: JSON.parse(row.scopes) as Scope[],
    hash: row.hash,
    createdBy: JSON.parse(row.created_by) as Actor,
    keyHash: row.key_hash,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
  }
}
