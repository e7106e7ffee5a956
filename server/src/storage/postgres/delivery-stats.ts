import type { DeliveryStatus } from '../../core/delivery.ts'
import { bucketOf, noCounts, percentilesOf } from '../delivery-figures.ts'
import type { DeliveryStats, StatsRequest } from '../storage.ts'
import type { Connection } from './connection.ts'
import type { DeliveryOwner } from './delivery-paths.ts'

/** Rows read in one go. */
const rowsPerStepMax = 5_000

interface StatsRow {
  seq: number
  created_at: number
  status: DeliveryStatus
  duration_ms: number | null
}

/** Reads the newest deliveries first, in steps, so that few are in memory at a time. */
export async function readDeliveryStats(
  connection: Connection,
  owner: DeliveryOwner,
  request: StatsRequest,
): Promise<DeliveryStats> {
  const counts = noCounts()
  const buckets = new Map<number, Record<DeliveryStatus, number>>()
  const durations: number[] = []
  let left = request.deliveriesMax
  let after = { createdAt: request.until - 1, seq: Number.MAX_SAFE_INTEGER }
  for (;;) {
    const limit = Math.min(rowsPerStepMax, left)
    const rows = await readStep(connection, owner, request.since, after, limit)
    for (const { created_at: at, status, duration_ms: durationMs } of rows) {
      counts[status] += 1
      if (durationMs !== null) durations.push(durationMs)
      if (request.bucketMs !== null) bucketOf(buckets, at, request.bucketMs)[status] += 1
    }
    left -= rows.length
    const last = rows.at(-1)
    if (last !== undefined) after = { createdAt: last.created_at, seq: last.seq }
    if (rows.length < rowsPerStepMax || left === 0) break
  }
  return {
    counts,
    durations: percentilesOf(durations),
    buckets: [...buckets]
      .map(([at, bucket]) => ({ at, counts: bucket }))
      .sort((a, b) => a.at - b.at),
    isPartial:
      left === 0 && (await readStep(connection, owner, request.since, after, 1)).length > 0,
  }
}

function readStep(
  connection: Connection,
  { projectSeq, endpointSeq }: DeliveryOwner,
  since: number,
  after: { createdAt: number; seq: number },
  limit: number,
): Promise<StatsRow[]> {
  const owner = endpointSeq === undefined ? 'project' : 'endpoint'
  return connection.all<StatsRow>(
    `select d.seq, d.created_at, d.status, d.last_duration_ms as duration_ms
     from deliveries d
     where d.${owner}_seq = ? and d.created_at >= ? and (d.created_at, d.seq) < (?, ?)
     order by d.created_at desc, d.seq desc
     limit ?`,
    endpointSeq ?? projectSeq,
    since,
    after.createdAt,
    after.seq,
    limit,
  )
}
