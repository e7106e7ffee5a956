import type { Actor } from '../core/authorization.ts'
import type { DialectName } from '../core/dialect.ts'
import type { Endpoint } from '../core/endpoint.ts'
import type { Health } from '../core/health.ts'

export interface EndpointRow {
  seq: number
  id: string
  project_id: string
  uid: string | null
  url: string
  description: string | null
  event_types: string
  state: Endpoint['state']
  blocked_at: number | null
  blocked_reason: string | null
  /** SQLite keeps truth values as numbers. */
  signing_enabled: number | boolean
  format: string
  header_names: string
  sealed_headers: Uint8Array | null
  metadata: string
  rate_limit_per_second: number | null
  created_by: string
  dialect: DialectName | null
  health: Health['health']
  consecutive_failures: number
  last_success_at: number | null
  last_failure_at: number | null
  failing_since: number | null
  rejections_in_a_row: number
  rejecting_since: number | null
  last_rejection_at: number | null
  unverifying_since: number | null
  created_at: number
  updated_at: number
  deleted_at: number | null
}

export function toEndpoint(row: EndpointRow): Endpoint {
  return {
    id: row.id,
    projectId: row.project_id,
    uid: row.uid,
    url: row.url,
    description: row.description,
    eventTypes: JSON.parse(row.event_types) as string[],
    state: row.state,
    blockedAt: row.blocked_at,
    blockedReason: row.blocked_reason,
    signingEnabled: Boolean(row.signing_enabled),
    format: row.format,
    headerNames: JSON.parse(row.header_names) as string[],
    sealedHeaders: row.sealed_headers,
    metadata: JSON.parse(row.metadata) as Record<string, unknown>,
    rateLimitPerSecond: row.rate_limit_per_second,
    createdBy: JSON.parse(row.created_by) as Actor,
    dialect: row.dialect,
    health: row.health,
    consecutiveFailures: row.consecutive_failures,
    lastSuccessAt: row.last_success_at,
    lastFailureAt: row.last_failure_at,
    failingSince: row.failing_since,
    rejectionsInARow: row.rejections_in_a_row,
    rejectingSince: row.rejecting_since,
    lastRejectionAt: row.last_rejection_at,
    unverifyingSince: row.unverifying_since,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
  }
}
