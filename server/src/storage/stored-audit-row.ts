import type { AuditRow } from '../core/audit.ts'
import type { Actor } from '../core/authorization.ts'

export interface StoredAuditRow {
  seq: number
  id: string
  project_id: string | null
  at: number
  action: string
  actor_type: Actor['type']
  actor_id: string | null
  actor_name: string | null
  target_type: string
  target_id: string
  reason: string | null
  request_id: string | null
  source_address: string | null
  details: string
}

export function toAuditRow(row: StoredAuditRow): AuditRow {
  return {
    id: row.id,
    projectId: row.project_id,
    at: row.at,
    action: row.action,
    actor: { type: row.actor_type, id: row.actor_id, name: row.actor_name },
    target: { type: row.target_type, id: row.target_id },
    reason: row.reason,
    requestId: row.request_id,
    sourceAddress: row.source_address,
    details: JSON.parse(row.details) as Record<string, unknown>,
  }
}
