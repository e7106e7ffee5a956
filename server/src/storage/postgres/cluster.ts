import { limits } from '../../core/limits.ts'
import type { Cluster, TokensTaken } from '../storage.ts'
import type { Connection } from './connection.ts'
import type { StoreTime } from './due-deliveries.ts'

/** Buckets that nobody has asked for so long are full, whatever their rule. */
const bucketKept = '1 hour'
const bucketsPerStepMax = 10_000

/** What a bucket holds after it was filled up for the time that has passed. */
const filled = `least(?2::float8, b.tokens + ?3::float8 *
  greatest(0, extract(epoch from statement_timestamp() - b.at)::float8))`

/** What the nodes on one database share beside its data. */
export function createCluster(options: {
  connection: Connection
  storeTime: StoreTime
  /** Unlike that of every other process. */
  nodeId: string
}): Cluster {
  const { connection, storeTime, nodeId } = options
  return {
    async now() {
      const chosen = storeTime()
      if (chosen !== null) return chosen
      const row = await connection.one<{ now: number }>(
        'select (extract(epoch from clock_timestamp()) * 1000)::float8 as now',
      )
      return row?.now ?? 0
    },

    async tryLead(job) {
      const rows = await connection.run(
        `insert into leads as l (job, node_id, ends_at)
         values (?1, ?2, statement_timestamp() + ?3::float8 * interval '1 millisecond')
         on conflict (job) do update set node_id = excluded.node_id, ends_at = excluded.ends_at
         where l.node_id = excluded.node_id or l.ends_at <= statement_timestamp()`,
        job,
        nodeId,
        limits.leadMs,
      )
      return rows > 0
    },

    async endLeads() {
      await connection.run('delete from leads where node_id = ?', nodeId)
    },

    async takeTokens(bucket, { burst, perSecond }, wanted) {
      const row = await connection.one<TokensTaken>(
        `insert into token_buckets as b (name, tokens, taken, at)
         values (?1, ?2::float8 - least(?4::float8, floor(?2::float8)),
           least(?4::float8, floor(?2::float8)), statement_timestamp())
         on conflict (name) do update set
           tokens = ${filled} - least(?4::float8, floor(${filled})),
           taken = least(?4::float8, floor(${filled})),
           at = greatest(b.at, statement_timestamp())
         returning taken, tokens as left`,
        bucket,
        burst,
        perSecond,
        wanted,
      )
      return row ?? { taken: 0, left: 0 }
    },

    async forgetTokens() {
      await connection.run(
        `delete from token_buckets where name in (
           select name from token_buckets where at < statement_timestamp() - interval '${bucketKept}'
           order by at limit ${bucketsPerStepMax}
         )`,
      )
    },
  }
}
