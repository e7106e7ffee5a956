import assert from 'node:assert/strict'
import { noDeliveryStats } from '../delivery-figures.ts'
import { type DeliveryRow, toDelivery } from '../delivery-row.ts'
import type { DeliveryFilter, Reads, Storage, Transaction } from '../storage.ts'
import type { Connection, Value } from './connection.ts'
import { countDeliveries } from './delivery-counts.ts'
import {
  choosePath,
  type DeliveryOwner,
  type DeliveryPath,
  joinEvent,
  newestFirst,
} from './delivery-paths.ts'
import { readDeliveryStats } from './delivery-stats.ts'
import type { StoreTime } from './due-deliveries.ts'
import type { Effects } from './effects.ts'
import { parseTimeKey, toPage } from './pages.ts'

const columns = `d.seq, d.id, ep.id as endpoint_id, e.id as event_id, e.type as event_type,
  e.timestamp as event_timestamp, d.status, d.failure_reason, d.attempt_count,
  d.series_attempt_count, due.due_at, d.last_status_code, d.last_error, d.last_duration_ms,
  d.is_test, d.created_at as at, d.completed_at`

/** The endpoint, and the schedule of what is pending. */
const joinRest = `join endpoints ep on ep.seq = d.endpoint_seq
  left join due_deliveries due on due.project_seq = d.project_seq and due.seq = d.seq`

export function deliveryReads(
  connection: Connection,
): Pick<Reads, 'getDelivery' | 'listDeliveries' | 'listDeliveriesAt'> {
  return {
    async getDelivery(projectId, deliveryId) {
      const row = await connection.one<DeliveryRow>(
        `select ${columns}
         from deliveries d ${joinEvent} ${joinRest}
         where d.id = ?
           and d.project_seq = (select seq from projects where id = ? and deleted_at is null)`,
        deliveryId,
        projectId,
      )
      return row === undefined ? null : toDelivery(projectId, row)
    },

    async listDeliveries(projectId, filter, page) {
      const owner = await findOwner(connection, projectId, filter.endpointId)
      if (owner === null) return { items: [], hasMore: false, nextKey: null }
      const after = parseTimeKey(page.after)
      const path = await choosePath({ connection, owner, filter, upTo: after.at })
      const { conditions, values } = deliveryConditions(owner, filter, path)
      // Cut before it is joined: what the planner takes a join for decides nothing then.
      const needsEvent = filter.eventType !== undefined && !path.hasEvent
      const rows = await connection.all<DeliveryRow>(
        `select ${columns}
         from (
           select d.*
           from ${path.from} ${needsEvent ? joinEvent : ''}
           where ${path.where} ${conditions}
             and d.project_seq = ? and (d.created_at, d.seq) < (?, ?)
           order by ${newestFirst}
           limit ?
         ) as d ${joinEvent} ${joinRest}
         order by ${newestFirst}`,
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
      const owner = await findOwner(connection, projectId, filter.endpointId)
      if (owner === null) return []
      const upTo = Number.MAX_SAFE_INTEGER
      const path = await choosePath({ connection, owner, filter, upTo })
      const { conditions, values } = deliveryConditions(owner, filter, path)
      // What is skipped is not joined.
      const needsEvent = filter.eventType !== undefined && !path.hasEvent
      const rows = await connection.all<DeliveryRow>(
        `select ${columns}
         from (
           select d.project_seq, d.created_at, d.seq
           from ${path.from} ${needsEvent ? joinEvent : ''}
           where ${path.where} ${conditions}
           order by ${newestFirst}
           limit ? offset ?
         ) as page
           join deliveries d on d.project_seq = page.project_seq
             and d.created_at = page.created_at and d.seq = page.seq
           ${joinEvent} ${joinRest}
         order by ${newestFirst}`,
        ...path.values,
        ...values,
        limit,
        skip,
      )
      return rows.map((row) => toDelivery(projectId, row))
    },
  }
}

/** On `Storage` only. */
export function deliveryCounts(
  connection: Connection,
): Pick<Storage, 'countDeliveries' | 'deliveryStats'> {
  return {
    async deliveryStats(projectId, request) {
      const owner = await findOwner(connection, projectId, request.endpointId)
      if (owner === null) return noDeliveryStats()
      return readDeliveryStats(connection, owner, request)
    },

    async countDeliveries(projectId, filter) {
      const owner = await findOwner(connection, projectId, filter.endpointId)
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
  const values: Value[] = []
  const equal = [
    ['endpointId', 'd.endpoint_seq', owner.endpointSeq],
    ['status', 'd.status', filter.status],
    ['eventType', 'e.type', filter.eventType],
  ] as const
  for (const [member, column, value] of equal) {
    if (value === undefined || applied.includes(member)) continue
    conditions.push(`and ${column} = ?`)
    values.push(value)
  }
  return { conditions: conditions.join(' '), values }
}

/** What a delivery needs to be pending once more, with a fresh schedule. */
export interface MissedRow {
  project_seq: number
  created_at: number
  seq: number
  id: string
}

/** Makes deliveries pending and due at `at`, each with a fresh schedule. None of them is leased. */
export async function makeDue(
  connection: Connection,
  rows: readonly MissedRow[],
  at: number,
): Promise<void> {
  if (rows.length === 0) return
  await connection.run(
    `with chosen as materialized (
       select * from unnest(?::bigint[], ?::bigint[], ?::bigint[])
         as c(project_seq, created_at, seq)
     ), again as (
       update deliveries d
       set status = 'pending', missed = null, failure_reason = null, series_attempt_count = 0,
         completed_at = null
       from chosen c
       where d.project_seq = c.project_seq and d.created_at = c.created_at and d.seq = c.seq
       returning d.*
     )
     insert into due_deliveries (project_seq, seq, endpoint_seq, due_at, lease_until, lease_token,
       created_at, event_seq, attempt_count, series_attempt_count, is_test, id)
     select project_seq, seq, endpoint_seq, ?::bigint, 0, 0, created_at, event_seq, attempt_count,
       0, is_test, id
     from again
     on conflict (project_seq, seq) do update
     set due_at = excluded.due_at, series_attempt_count = 0, lease_until = 0, lease_token = 0`,
    rows.map((row) => row.project_seq),
    rows.map((row) => row.created_at),
    rows.map((row) => row.seq),
    at,
  )
}

export function deliveryWrites(options: {
  connection: Connection
  effects: Effects
  storeTime: StoreTime
}): Pick<Transaction, 'retryDelivery' | 'hastenDeliveries'> {
  const { connection, effects, storeTime } = options
  return {
    async retryDelivery(deliveryId, at) {
      const row = await connection.one<MissedRow & { endpoint_id: string }>(
        `select d.project_seq, d.created_at, d.seq, d.id, ep.id as endpoint_id
         from deliveries d join endpoints ep on ep.seq = d.endpoint_seq
         where d.id = ?`,
        deliveryId,
      )
      assert(row !== undefined, `There is no delivery ${deliveryId} to retry.`)
      const due = await connection.one<{ is_leased: boolean }>(
        `select lease_until > coalesce(?::bigint, store_now()) as is_leased
         from due_deliveries where project_seq = ? and seq = ?
         for update`,
        storeTime(),
        row.project_seq,
        row.seq,
      )
      if (due?.is_leased) return false
      await makeDue(connection, [row], at)
      effects.add({ kind: 'retry', endpointId: row.endpoint_id })
      return true
    },

    async hastenDeliveries({ after, now, byMs }) {
      const next = await connection.one<{ seq: number; id: string }>(
        `select ep.seq, ep.id
         from due_deliveries q join endpoints ep on ep.seq = q.endpoint_seq
         where q.endpoint_seq > coalesce((select seq from endpoints where id = ?), 0)
         order by q.endpoint_seq
         limit 1`,
        after,
      )
      if (next === undefined) return null
      await connection.run(
        `update due_deliveries
         set due_at = greatest(?::bigint, due_at - ?::bigint)
         where endpoint_seq = ? and due_at > ?::bigint`,
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
async function findOwner(
  connection: Connection,
  projectId: string,
  endpointId: string | undefined,
): Promise<DeliveryOwner | null> {
  const project = await connection.one<{ seq: number }>(
    'select seq from projects where id = ? and deleted_at is null',
    projectId,
  )
  if (project === undefined) return null
  if (endpointId === undefined) return { projectSeq: project.seq, endpointSeq: undefined }
  const endpoint = await connection.one<{ seq: number }>(
    'select seq from endpoints where id = ? and project_id = ?',
    endpointId,
    projectId,
  )
  return endpoint === undefined ? null : { projectSeq: project.seq, endpointSeq: endpoint.seq }
}
