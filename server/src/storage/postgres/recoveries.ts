import type { Transaction } from '../storage.ts'
import type { Connection } from './connection.ts'
import { type MissedRow, makeDue } from './deliveries.ts'
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

/** A recovery is a row that says how far it has come, so a restart goes on where it was. */
export function recoveryWrites(
  connection: Connection,
  effects: Effects,
): Pick<Transaction, 'insertRecovery' | 'continueRecoveries'> {
  return {
    async insertRecovery({ endpointId, since, until, statuses }) {
      await connection.run(
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
      const recovery = await connection.one<RecoveryRow>(
        `select r.seq, r.endpoint_id, ep.seq as endpoint_seq, r.since, r.until, r.statuses,
           r.after_created_at, r.after_seq
         from recoveries r
           left join endpoints ep on ep.id = r.endpoint_id and ep.deleted_at is null
         order by r.seq
         limit 1`,
      )
      if (recovery === undefined) return null
      const rows =
        recovery.endpoint_seq === null ? [] : await readMissed(connection, recovery, limit)
      await makeDue(connection, rows, at)
      const { endpoint_id: endpointId } = recovery
      if (rows.length > 0) effects.add({ kind: 'retry', endpointId })
      const last = rows.at(-1)
      if (last === undefined || rows.length < limit) {
        await connection.run('delete from recoveries where seq = ?', recovery.seq)
      } else {
        await connection.run(
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
async function readMissed(
  connection: Connection,
  recovery: RecoveryRow,
  limit: number,
): Promise<MissedRow[]> {
  const statuses = JSON.parse(recovery.statuses) as ('failed' | 'skipped')[]
  const found: MissedRow[] = []
  for (const status of statuses) {
    const rows = await connection.all<MissedRow>(
      // A look-up for each: the planner takes a join for one row, and sorts all that was missed.
      `select d.project_seq, d.created_at, d.seq, d.id
       from deliveries d
       where d.endpoint_seq = ? and d.missed = '${status}'
         and (d.created_at, d.seq) > (?, ?) and d.created_at < ? and (
           select e.data is not null from events e
           where e.project_seq = d.project_seq and e.created_at = d.created_at
             and e.seq = d.event_seq
         )
       order by d.created_at, d.seq
       limit ?`,
      recovery.endpoint_seq,
      recovery.after_created_at,
      recovery.after_seq,
      recovery.until,
      limit,
    )
    found.push(...rows)
  }
  // Each list is complete up to its last row; beyond the shorter one's end nothing is skipped over.
  return found.sort((a, b) => a.created_at - b.created_at || a.seq - b.seq).slice(0, limit)
}
