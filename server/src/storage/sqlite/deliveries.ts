import assert from 'node:assert/strict'
import type { SQLInputValue } from 'node:sqlite'
import type { Clock } from '../../core/clock.ts'
import type { DeliveryStatus } from '../../core/delivery.ts'
import { noDeliveryStats } from '../delivery-figures.ts'
import { type DeliveryRow, toDelivery } from '../delivery-row.ts'
import type { DeliveryFilter, Reads, Storage, Transaction } from '../storage.ts'
import type { Connection } from './connection.ts'
import { countDeliveries } from './delivery-counts.ts'
import { choosePath, type DeliveryOwner, type DeliveryPath } from './delivery-paths.ts'
import { readDeliveryStats } from './delivery-stats.ts'
import type { Effects } from './effects.ts'
import type { Leases } from './leases.ts'
import { parseTimeKey, toPage } from './pages.ts'

const columns = `d.seq, d.id, ep.id as endpoint_id, e.id as event_id, e.type as event_type,
  e.timestamp as event_timestamp, d.status,
  d.failure_reason, d.attempt_count, d.series_attempt_count, d.due_at,
  d.last_status_code, d.last_error,
  (select duration_ms from attempts where delivery_seq = d.seq order by seq desc limit 1)
    as last_duration_ms,
  d.is_test, d.created_at as at, d.completed_at`

export function deliveryReads(
  connection: Connection,
): Pick<Reads, 'getDelivery' | 'listDeliveries' | 'listDeliveriesAt'> {
  return {
    async getDelivery(projectId, deliveryId) {
      const row = connection.one<DeliveryRow>(
        `select ${columns}
         from deliveries d
           join events e on e.seq = d.event_seq
           join endpoints ep on ep.seq = d.endpoint_seq
         where d.id = ?
           and d.project_seq = (select seq from projects where id = ? and deleted_at is null)`,
        deliveryId,
        projectId,
      )
      return row === undefined ? null : toDelivery(projectId, row)
    },

    async listDeliveries(projectId, filter, page) {
      const owner = findOwner(connection, projectId, filter.endpointId)
      if (owner === null) return { items: [], hasMore: false, nextKey: null }
      const after = parseTimeKey(page.after)
      const path = choosePath({ connection, owner, filter, upTo: after.at })
      const { conditions, values } = deliveryConditions(owner, filter, path)
      const rows = connection.all<DeliveryRow>(
        `select ${columns}
         from ${path.from} cross join endpoints ep on ep.seq = d.endpoint_seq
         where ${path.where} ${conditions}
           and d.project_seq = ? and (d.created_at, d.seq) < (?, ?)
         order by ${path.order}
         limit ?`,
        ...path.values,
        ...values,
        owner.projectSeq,
        after.at,
        after.seq,
        page.limit + 1,
      )
      return toPage(
        rows,
        page,
        (row) => `${row.at}.${row.seq}`,
        (row) => toDelivery(projectId, row),
      )
    },

    async listDeliveriesAt(projectId, filter, { skip, limit }) {
      const owner = findOwner(connection, projectId, filter.endpointId)
      if (owner === null) return []
      const path = choosePath({ connection, owner, filter, upTo: Number.MAX_SAFE_INTEGER })
      const { conditions, values } = deliveryConditions(owner, filter, path)
      // What is skipped is not joined, and where the index says all, not even read.
      const from = filter.eventType === undefined ? (path.alone ?? path.from) : path.from
      const rows = connection.all<DeliveryRow>(
        `select ${columns}
         from (
           select d.seq from ${from}
           where ${path.where} ${conditions}
           order by ${path.order}
           limit ? offset ?
         ) as page
           cross join deliveries d on d.seq = page.seq
           cross join events e on e.seq = d.event_seq
           cross join endpoints ep on ep.seq = d.endpoint_seq
         order by d.created_at desc, d.seq desc`,
        ...path.values,
        ...values,
        limit,
        skip,
      )
      return rows.map((row) => toDelivery(projectId, row))
    },
  }
}

/** On `Storage` only: it lets other work in between, which a transaction must not. */
export function deliveryCounts(
  connection: Connection,
): Pick<Storage, 'countDeliveries' | 'deliveryStats'> {
  return {
    async deliveryStats(projectId, request) {
      const owner = findOwner(connection, projectId, request.endpointId)
      if (owner === null) return noDeliveryStats()
      return readDeliveryStats(connection, owner, request)
    },

    async countDeliveries(projectId, filter) {
      const owner = findOwner(connection, projectId, filter.endpointId)
      if (owner === null) return { pending: 0, delivered: 0, failed: 0, skipped: 0 }
      return countDeliveries(connection, owner, filter)
    },
  }
}

/** What the path has not applied yet, as equalities. */
function deliveryConditions(
  owner: DeliveryOwner,
  filter: DeliveryFilter,
  { applied }: Pick<DeliveryPath, 'applied'>,
) {
  const conditions: string[] = []
  const values: SQLInputValue[] = []
  const equal = [
    ['endpointId', 'd.endpoint_seq', owner.endpointSeq],
    ['status', 'd.status', filter.status],
    ['eventType', 'e.type', filter.eventType],
    ['eventId', 'e.id', filter.eventId],
  ] as const
  for (const [member, column, value] of equal) {
    if (value === undefined || applied.includes(member)) continue
    conditions.push(`and ${column} = ?`)
    values.push(value)
  }
  return { conditions: conditions.join(' '), values }
}

export function deliveryWrites(options: {
  connection: Connection
  effects: Effects
  leases: Leases
  clock: Clock
}): Pick<Transaction, 'retryDelivery' | 'hastenDeliveries'> {
  const { connection, effects, leases, clock } = options
  return {
    async retryDelivery(deliveryId, at) {
      const row = connection.one<{ seq: number; endpoint_id: string; status: DeliveryStatus }>(
        `select d.seq, ep.id as endpoint_id, d.status
         from deliveries d join endpoints ep on ep.seq = d.endpoint_seq
         where d.id = ?`,
        deliveryId,
      )
      assert(row !== undefined, `There is no delivery ${deliveryId} to retry.`)
      const lease = leases.onSeq(row.seq, clock.monotonic())
      if (lease !== undefined && !effects.isSettled(row.seq)) return false
      connection.run(
        `update deliveries
         set status = 'pending', failure_reason = null, series_attempt_count = 0, due_at = ?,
           completed_at = null
         where seq = ?`,
        at,
        row.seq,
      )
      const wasPending = row.status === 'pending'
      effects.add({ kind: 'retry', seq: row.seq, endpointId: row.endpoint_id, wasPending })
      return true
    },

    async hastenDeliveries({ after, now, byMs }) {
      const next = connection.one<{ seq: number; id: string }>(
        `select ep.seq, ep.id
         from deliveries d indexed by deliveries_pending join endpoints ep on ep.seq = d.endpoint_seq
         where d.status = 'pending'
           and d.endpoint_seq > coalesce((select seq from endpoints where id = ?), 0)
         order by d.endpoint_seq
         limit 1`,
        after,
      )
      if (next === undefined) return null
      connection.run(
        `update deliveries indexed by deliveries_pending
         set due_at = max(?, due_at - ?)
         where status = 'pending' and endpoint_seq = ? and due_at > ?`,
        now,
        byMs,
        next.seq,
        now,
      )
      effects.add({ kind: 'hasten', endpointId: next.id, byMs })
      return next.id
    },
  }
}

/** The numbers of a live project and of one of its endpoints, deleted ones included. */
function findOwner(
  connection: Connection,
  projectId: string,
  endpointId: string | undefined,
): DeliveryOwner | null {
  const project = connection.one<{ seq: number }>(
    'select seq from projects where id = ? and deleted_at is null',
    projectId,
  )
  if (project === undefined) return null
  if (endpointId === undefined) return { projectSeq: project.seq, endpointSeq: undefined }
  const endpoint = connection.one<{ seq: number }>(
    'select seq from endpoints where id = ? and project_id = ?',
    endpointId,
    projectId,
  )
  return endpoint === undefined ? null : { projectSeq: project.seq, endpointSeq: endpoint.seq }
}
