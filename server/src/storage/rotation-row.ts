import type { Actor } from '../core/authorization.ts'
import type {
  Attention,
  CompletedBy,
  ReportedSecret,
  Rotation,
  RotationOutcome,
  RotationWatch,
  TimelineEntry,
} from '../core/rotation.ts'
import type { RotationEvidence } from '../core/rotation-evidence.ts'

export interface RotationRow {
  seq: number
  id: string
  project_id: string
  endpoint_id: string
  previous_secret_id: string
  new_secret_id: string
  activates_at: number
  previous_secret_expires_at: number | null
  previous_secret_expiry_seen_at: number | null
  window_ends_at: number | null
  unclaimed_window_seconds: number | null
  complete_when: Rotation['completeWhen']
  cap_at: number | null
  held_at: number | null
  attention: Attention | null
  evidence: string | null
  watch: string
  campaign_id: string | null
  /** JSON: by secret id, count and time; null where there is none. */
  reported: string | null
  dropped_secret_ids: string
  expiries_before: string
  reason: string | null
  actor: string
  notes: string
  outcome_status: RotationOutcome['status'] | null
  outcome_completed_by: CompletedBy | null
  outcome_closed_at: number | null
  created_at: number
}

export function toRotation(row: RotationRow): Rotation {
  return {
    id: row.id,
    projectId: row.project_id,
    endpointId: row.endpoint_id,
    previousSecretId: row.previous_secret_id,
    newSecretId: row.new_secret_id,
    activatesAt: row.activates_at,
    previousSecretExpiresAt: row.previous_secret_expires_at,
    previousSecretExpirySeenAt: row.previous_secret_expiry_seen_at,
    windowEndsAt: row.window_ends_at,
    unclaimedWindowSeconds: row.unclaimed_window_seconds,
    completeWhen: row.complete_when,
    capAt: row.cap_at,
    heldAt: row.held_at,
    attention: row.attention,
    evidence: row.evidence === null ? null : (JSON.parse(row.evidence) as RotationEvidence),
    watch: JSON.parse(row.watch) as RotationWatch,
    reported: toReported(row.reported),
    campaignId: row.campaign_id,
    droppedSecretIds: JSON.parse(row.dropped_secret_ids) as string[],
    expiriesBefore: JSON.parse(row.expiries_before) as Record<string, number | null>,
    reason: row.reason,
    actor: JSON.parse(row.actor) as Actor,
    notes: JSON.parse(row.notes) as TimelineEntry[],
    outcome: toOutcome(row),
    createdAt: row.created_at,
  }
}

function toReported(reported: string | null): ReportedSecret[] {
  const bySecret = JSON.parse(reported ?? '{}') as Record<string, [number, number]>
  return Object.entries(bySecret).map(([secretId, [count, lastAt]]) => ({
    secretId,
    count,
    lastAt,
  }))
}

function toOutcome(row: RotationRow): RotationOutcome | null {
  const { outcome_status: status, outcome_completed_by: completedBy } = row
  const closedAt = row.outcome_closed_at ?? 0
  if (status === null) return null
  if (status === 'cancelled' || completedBy === null) {
    return { status: 'cancelled', completedBy: null, closedAt }
  }
  return { status, completedBy, closedAt }
}
