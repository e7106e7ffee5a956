import type { Transaction } from '../storage.ts'
import type { Connection } from './connection.ts'
import type { Effects } from './effects.ts'

interface RecoveryRow {
  seq: number
  endpoint_id: string
  endpoint_seq: number | null
  since: number
  until: number
  statuses: string
  after_created_at: number
  after_seq: number
}

interface MissedRow {
  seq: number
  created_at: number
}

/** A recovery is a row that says how far it has come, so a restart goes on where it was. */
export function recoveryWrites(
  connection: Connection,
  effects: Effects,
): Pick<Transaction, 'insertRecovery' | 'continueRecoveries'> {
  function removeRecovery(seq: number): void {
    connection.run('delete from recoveries where seq = ?', seq)
  }

  return {
    async insertRecovery({ endpointId, since, until, statuses }) {
      connection.run(
        `insert into recoveries (endpoint_id, since, until, statuses, after_created_at, after_seq)
         values (?, ?, ?, ?, ?, 0)`,
        endpointId,
        since,
        until,
        JSON.stringify(statuses),
        since,
      )
    },

    async continueRecoveries(at, limit) {
      const recovery = connection.one<RecoveryRow>(
        `select r.seq, r.endpoint_id, ep.seq as endpoint_seq, r.since, r.until, r.statuses,
           r.after_created_at, r.after_seq
         from recoveries r
           left join endpoints ep on ep.id = r.endpoint_id and ep.deleted_at is null
         order by r.seq
         limit 1`,
      )
      if (recovery === undefined) return null
      const rows = recovery.endpoint_seq === null ? [] : readMissed(connection, recovery, limit)
      for (const { seq } of rows) {
        connection.run(
          `update deliveries
           set status = 'pending', failure_reason = null, series_attempt_count = 0, due_at = ?,
             completed_at = null
           where seq = ?`,
          at,
          seq,
        )
        const { endpoint_id: endpointId } = recovery
        effects.add({ kind: 'retry', seq, endpointId, wasPending: false })
      }
      const last = rows.at(-1)
      if (last === undefined || rows.length < limit) removeRecovery(recovery.seq)
      else {
        connection.run(
          'update recoveries set after_created_at = ?, after_seq = ? where seq = ?',
          last.created_at,
          last.seq,
          recovery.seq,
        )
      }
      return rows.length
    },
  }
}

/** In the order of creation. What was expunged cannot be sent again. */
function readMissed(connection: Connection, recovery: RecoveryRow, limit: number): MissedRow[] {
  const statuses = JSON.parse(recovery.statuses) as ('failed' | 'skipped')[]
  const found = statuses.flatMap((status) =>
    connection.all<MissedRow>(
      `select d.seq, d.created_at
       from deliveries d indexed by deliveries_missed_by_endpoint
         cross join events e on e.seq = d.event_seq
       where d.endpoint_seq = ? and d.status = '${status}'
         and (d.created_at, d.seq) > (?, ?) and d.created_at < ? and e.data is not null
       order by d.created_at, d.seq
       limit ?`,
      recovery.endpoint_seq,
      recovery.after_created_at,
      recovery.after_seq,
      recovery.until,
      limit,
    ),
  )
  // Each list is complete up to its last row; beyond the shorter one's end nothing is skipped over.
  return found.sort((a, b) => a.created_at - b.created_at || a.seq - b.seq).slice(0, limit)
}
