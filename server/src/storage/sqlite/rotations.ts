import type { Actor } from '../../core/authorization.ts'
import type { CompletedBy, Rotation, RotationOutcome, TimelineEntry } from '../../core/rotation.ts'
import type { Reads, Transaction } from '../storage.ts'
import type { Connection } from './connection.ts'
import { readSeqPage } from './pages.ts'

interface RotationRow {
  seq: number
  id: string
  project_id: string
  endpoint_id: string
  previous_secret_id: string
  new_secret_id: string
  activates_at: number
  previous_secret_expires_at: number | null
  previous_secret_expiry_seen_at: number | null
  complete_when: Rotation['completeWhen']
  cap_at: number | null
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

const columns = `r.seq, r.id, r.project_id, r.endpoint_id, r.previous_secret_id, r.new_secret_id,
  r.activates_at, r.previous_secret_expires_at,
  previous.expiry_seen_at as previous_secret_expiry_seen_at, r.complete_when, r.cap_at,
  r.dropped_secret_ids, r.expiries_before, r.reason, r.actor, r.notes, r.outcome_status,
  r.outcome_completed_by, r.outcome_closed_at, r.created_at`

/** The latch of the previous secret is read where it is kept, so the two never disagree. */
const rotations = 'rotations r left join secrets previous on previous.id = r.previous_secret_id'

export function rotationReads(
  connection: Connection,
): Pick<Reads, 'getRotation' | 'latestRotation' | 'listRotations' | 'listOpenRotations'> {
  return {
    async getRotation(endpointId, rotationId) {
      const row = connection.one<RotationRow>(
        `select ${columns} from ${rotations} where r.endpoint_id = ? and r.id = ?`,
        endpointId,
        rotationId,
      )
      return row === undefined ? null : toRotation(row)
    },

    async latestRotation(endpointId) {
      const row = connection.one<RotationRow>(
        `select ${columns} from ${rotations}
         where r.endpoint_id = ?
         order by r.seq desc
         limit 1`,
        endpointId,
      )
      return row === undefined ? null : toRotation(row)
    },

    async listRotations(endpointId, page) {
      return readSeqPage(
        connection,
        `select ${columns} from ${rotations}
         where r.endpoint_id = ? and r.seq < ?
         order by r.seq desc
         limit ?`,
        [endpointId],
        page,
        toRotation,
      )
    },

    async listOpenRotations(now) {
      const rows = connection.all<RotationRow>(
        `select ${columns} from ${rotations} join endpoints e on e.id = r.endpoint_id
         where r.outcome_status is null
           and previous.expiry_seen_at is null
           and (r.previous_secret_expires_at is null or r.previous_secret_expires_at > ?)
           and e.deleted_at is null
         order by r.seq desc`,
        now,
      )
      return rows.map(toRotation)
    },
  }
}

export function rotationWrites(
  connection: Connection,
): Pick<Transaction, 'insertRotation' | 'updateRotation'> {
  return {
    async insertRotation(rotation) {
      connection.write(
        `insert into rotations (id, project_id, endpoint_id, previous_secret_id, new_secret_id,
           activates_at, previous_secret_expires_at, complete_when, cap_at, dropped_secret_ids,
           expiries_before, reason, actor, notes, outcome_status, outcome_completed_by,
           outcome_closed_at, created_at)
         values (:id, :projectId, :endpointId, :previousSecretId, :newSecretId,
           :activatesAt, :previousSecretExpiresAt, :completeWhen, :capAt, :droppedSecretIds,
           :expiriesBefore, :reason, :actor, :notes, :status, :completedBy,
           :closedAt, :createdAt)`,
        {
          id: rotation.id,
          projectId: rotation.projectId,
          endpointId: rotation.endpointId,
          previousSecretId: rotation.previousSecretId,
          newSecretId: rotation.newSecretId,
          activatesAt: rotation.activatesAt,
          previousSecretExpiresAt: rotation.previousSecretExpiresAt,
          completeWhen: rotation.completeWhen,
          capAt: rotation.capAt,
          droppedSecretIds: JSON.stringify(rotation.droppedSecretIds),
          expiriesBefore: JSON.stringify(rotation.expiriesBefore),
          reason: rotation.reason,
          actor: JSON.stringify(rotation.actor),
          notes: JSON.stringify(rotation.notes),
          ...outcomeColumns(rotation.outcome),
          createdAt: rotation.createdAt,
        },
      )
    },

    async updateRotation(rotation) {
      connection.write(
        `update rotations
         set previous_secret_expires_at = :previousSecretExpiresAt, notes = :notes,
           outcome_status = :status, outcome_completed_by = :completedBy,
           outcome_closed_at = :closedAt
         where id = :id`,
        {
          id: rotation.id,
          previousSecretExpiresAt: rotation.previousSecretExpiresAt,
          notes: JSON.stringify(rotation.notes),
          ...outcomeColumns(rotation.outcome),
        },
      )
    },
  }
}

function outcomeColumns(outcome: RotationOutcome | null) {
  return {
    status: outcome?.status ?? null,
    completedBy: outcome?.completedBy ?? null,
    closedAt: outcome?.closedAt ?? null,
  }
}

function toRotation(row: RotationRow): Rotation {
  return {
    id: row.id,
    projectId: row.project_id,
    endpointId: row.endpoint_id,
    previousSecretId: row.previous_secret_id,
    newSecretId: row.new_secret_id,
    activatesAt: row.activates_at,
    previousSecretExpiresAt: row.previous_secret_expires_at,
    previousSecretExpirySeenAt: row.previous_secret_expiry_seen_at,
    completeWhen: row.complete_when,
    capAt: row.cap_at,
    droppedSecretIds: JSON.parse(row.dropped_secret_ids) as string[],
    expiriesBefore: JSON.parse(row.expiries_before) as Record<string, number | null>,
    reason: row.reason,
    actor: JSON.parse(row.actor) as Actor,
    notes: JSON.parse(row.notes) as TimelineEntry[],
    outcome: toOutcome(row),
    createdAt: row.created_at,
  }
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
