import type { ClaimLink } from '../core/claim-link.ts'

export interface ClaimLinkRow {
  hash: string
  project_id: string
  endpoint_id: string
  rotation_id: string
  created_at: number
  claimed_at: number | null
  disputed_at: number | null
}

export function toClaimLink(row: ClaimLinkRow): ClaimLink {
  return {
    hash: row.hash,
    projectId: row.project_id,
    endpointId: row.endpoint_id,
    rotationId: row.rotation_id,
    createdAt: row.created_at,
    claimedAt: row.claimed_at,
    disputedAt: row.disputed_at,
  }
}
