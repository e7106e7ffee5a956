import type { SQLInputValue } from 'node:sqlite'
import type { Rotation } from '../../core/rotation.ts'
import { type RotationRow, toRotation } from '../rotation-row.ts'
import type { Reads, Transaction } from '../storage.ts'
import type { Connection } from './connection.ts'
import type { Effects } from './effects.ts'
import { readSeqPage } from './pages.ts'

/** Of `rotations r`, with the previous secret as `previous`. */
export const rotationColumns = `r.seq, r.id, r.project_id, r.endpoint_id, r.previous_secret_id, r.new_secret_id,
  r.activates_at, r.previous_secret_expires_at,
  previous.expiry_seen_at as previous_secret_expiry_seen_at, r.window_ends_at,
  r.unclaimed_window_seconds, r.complete_when, r.cap_at, r.held_at, r.attention, r.evidence,
  r.watch, r.campaign_id, r.dropped_secret_ids, r.expiries_before, r.reason, r.actor, r.notes, r.outcome_status,
  r.outcome_completed_by, r.outcome_closed_at, r.created_at,
  (select json_group_object(p.secret_id, json_array(p.count, p.last_at))
   from reported_secrets p
   where p.rotation_id = r.id) as reported`

/** The latch of the previous secret is read where it is kept, so the two never disagree. */
const rotations = 'rotations r left join secrets previous on previous.id = r.previous_secret_id'

const hasNotEnded = `r.outcome_status is null
  and previous.expiry_seen_at is null
  and (r.previous_secret_expires_at is null or r.previous_secret_expires_at > ?)`

const isOpen = `${hasNotEnded} and e.deleted_at is null`

/** Finds the rotation of an endpoint, of the table named, that is open at the time given. */
export function openRotationOf(endpoint: string): string {
  return `select 1 from ${rotations} where r.endpoint_id = ${endpoint}.id and ${hasNotEnded}`
}

export function rotationReads(
  connection: Connection,
): Pick<
  Reads,
  | 'getRotation'
  | 'latestRotation'
  | 'listRotations'
  | 'listOpenRotations'
  | 'countOpenRotations'
  | 'listDueLooks'
  | 'nextLookAt'
> {
  return {
    async getRotation(endpointId, rotationId) {
      const row = connection.one<RotationRow>(
        `select ${rotationColumns} from ${rotations} where r.endpoint_id = ? and r.id = ?`,
        endpointId,
        rotationId,
      )
      return row === undefined ? null : toRotation(row)
    },

    async latestRotation(endpointId) {
      const row = connection.one<RotationRow>(
        `select ${rotationColumns} from ${rotations}
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
        `select ${rotationColumns} from ${rotations}
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
        `select ${rotationColumns} from ${rotations} join endpoints e on e.id = r.endpoint_id
         where ${isOpen}
         order by r.seq desc`,
        now,
      )
      return rows.map(toRotation)
    },

    async countOpenRotations(now) {
      const row = connection.one<{ open: number; held: number }>(
        `select count(*) as open, count(r.held_at) as held
         from ${rotations} join endpoints e on e.id = r.endpoint_id
         where ${isOpen}`,
        now,
      )
      return { open: 0, held: 0, ...row }
    },

    async listDueLooks(now, limit) {
      return connection.all<{ endpointId: string; rotationId: string }>(
        `select endpoint_id as endpointId, id as rotationId
         from rotations
         where next_look_at <= ?
         order by next_look_at
         limit ?`,
        now,
        limit,
      )
    },

    async nextLookAt() {
      const row = connection.one<{ at: number | null }>(
        'select min(next_look_at) as at from rotations where next_look_at is not null',
      )
      return row?.at ?? null
    },
  }
}

export function rotationWrites(
  connection: Connection,
  effects: Effects,
): Pick<Transaction, 'insertRotation' | 'updateRotation' | 'addReportedSecrets'> {
  const watched = ({ watch }: Rotation) => {
    if (watch.nextAt !== null) effects.add({ kind: 'appoint' })
  }
  return {
    async insertRotation(rotation) {
      connection.write(
        `insert into rotations (id, project_id, endpoint_id, previous_secret_id, new_secret_id,
           activates_at, previous_secret_expires_at, window_ends_at, unclaimed_window_seconds,
           complete_when, cap_at, held_at, attention, evidence, watch, next_look_at, campaign_id,
           dropped_secret_ids, expiries_before, reason, actor, notes, outcome_status,
           outcome_completed_by, outcome_closed_at, created_at)
         values (:id, :projectId, :endpointId, :previousSecretId, :newSecretId,
           :activatesAt, :previousSecretExpiresAt, :windowEndsAt, :unclaimedWindowSeconds,
           :completeWhen, :capAt, :heldAt, :attention, :evidence, :watch, :nextLookAt, :campaignId,
           :droppedSecretIds, :expiriesBefore, :reason, :actor, :notes, :status,
           :completedBy, :closedAt, :createdAt)`,
        {
          ...mutableColumns(rotation),
          projectId: rotation.projectId,
          endpointId: rotation.endpointId,
          previousSecretId: rotation.previousSecretId,
          newSecretId: rotation.newSecretId,
          activatesAt: rotation.activatesAt,
          campaignId: rotation.campaignId,
          droppedSecretIds: JSON.stringify(rotation.droppedSecretIds),
          expiriesBefore: JSON.stringify(rotation.expiriesBefore),
          reason: rotation.reason,
          actor: JSON.stringify(rotation.actor),
          createdAt: rotation.createdAt,
        },
      )
      watched(rotation)
    },

    async updateRotation(rotation) {
      connection.write(
        `update rotations
         set previous_secret_expires_at = :previousSecretExpiresAt, window_ends_at = :windowEndsAt,
           unclaimed_window_seconds = :unclaimedWindowSeconds, complete_when = :completeWhen,
           cap_at = :capAt, held_at = :heldAt, attention = :attention, evidence = :evidence,
           watch = :watch, next_look_at = :nextLookAt, notes = :notes, outcome_status = :status,
           outcome_completed_by = :completedBy, outcome_closed_at = :closedAt
         where id = :id`,
        mutableColumns(rotation),
      )
      watched(rotation)
    },

    async addReportedSecrets(rotationId, reports) {
      for (const { secretId, count, lastAt } of reports) {
        connection.run(
          `insert into reported_secrets (rotation_id, secret_id, count, last_at)
           values (?, ?, ?, ?)
           on conflict (rotation_id, secret_id) do update
           set count = count + excluded.count, last_at = max(last_at, excluded.last_at)`,
          rotationId,
          secretId,
          count,
          lastAt,
        )
      }
    },
  }
}

function mutableColumns(rotation: Rotation): Record<string, SQLInputValue> {
  const { evidence, outcome, watch } = rotation
  return {
    id: rotation.id,
    previousSecretExpiresAt: rotation.previousSecretExpiresAt,
    windowEndsAt: rotation.windowEndsAt,
    unclaimedWindowSeconds: rotation.unclaimedWindowSeconds,
    completeWhen: rotation.completeWhen,
    capAt: rotation.capAt,
    heldAt: rotation.heldAt,
    attention: rotation.attention,
    evidence: evidence === null ? null : JSON.stringify(evidence),
    watch: JSON.stringify(watch),
    nextLookAt: outcome === null ? watch.nextAt : null,
    notes: JSON.stringify(rotation.notes),
    status: outcome?.status ?? null,
    completedBy: outcome?.completedBy ?? null,
    closedAt: outcome?.closedAt ?? null,
  }
}
