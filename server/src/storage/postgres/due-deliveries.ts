import type { DueEndpoint } from '../due-schedule.ts'
import type { Connection } from './connection.ts'

/* The statements on the table of everything that is pending. */

/**
 * What stands in a statement for the time of the store: null, so that the store's own clock is asked
 * (`coalesce(?::bigint, store_now())`), or the time that a test has chosen.
 */
export type StoreTime = () => number | null

/** A delivery that was just leased. */
export interface ClaimedRow {
  project_seq: number
  seq: number
  endpoint_seq: number
  due_at: number
  lease_token: number
  created_at: number
  event_seq: number
  attempt_count: number
  series_attempt_count: number
  is_test: boolean
  id: string
}

export interface EventRow {
  project_seq: number
  project_id: string
  seq: number
  id: string
  type: string
  timestamp: string
  data: string | null
  metadata: string
  created_at: number
}

/** What is to be known of an endpoint to ask for its deliveries; `dueAt` null: all are leased. */
interface FoundEndpoint {
  endpointId: string
  endpointSeq: number
  dueAt: number | null
  deletedAt: number | null
}

interface FoundRow {
  id: string
  seq: number
  due_at: number | null
  deleted_at: number | null
}

/** When the endpoint's earliest delivery is due that nobody has leased. */
const earliestDueAt = `(
  select q.due_at from due_deliveries q
  where q.endpoint_seq = e.seq and q.lease_until <= coalesce(?::bigint, store_now())
  order by q.due_at, q.seq
  limit 1
)`

/**
 * Leases, endpoint by endpoint in the order given, what is due of each, oldest first. Rows that
 * another node is claiming at the moment are passed over.
 *
 * Plan (PostgreSQL 15.14, 2026-11-21): for each of the endpoints an Index Scan using
 * due_deliveries_by_endpoint (endpoint_seq = … and due_at <= …), then for each row that was taken an
 * Index Scan using due_deliveries_pkey. It stays so whatever the statistics say, as scans of the
 * whole table and hash joins are switched off in `server/src/storage/postgres/pool.ts`.
 */
export function claimRows(
  connection: Connection,
  claim: {
    ready: readonly DueEndpoint[]
    limit: number
    perEndpointMaxOf: (endpoint: DueEndpoint) => number
    /** At least `limit`. */
    tokens: readonly number[]
    leaseMs: number
    /** Of endpoints that are not deleted, for those everything is due. */
    dueUntil: number
    now: number | null
  },
): Promise<ClaimedRow[]> {
  const { ready, limit, perEndpointMaxOf, tokens, leaseMs, dueUntil, now } = claim
  return connection.all<ClaimedRow>(
    `with asked as (
       select * from unnest(?::bigint[], ?::bigint[], ?::bigint[])
         as a(endpoint_seq, due_until, count_max)
     ), due as materialized (
       select q.project_seq, q.seq
       from asked cross join lateral (
         select d.project_seq, d.seq from due_deliveries d
         where d.endpoint_seq = asked.endpoint_seq
           and d.due_at <= asked.due_until
           and d.lease_until <= coalesce(?::bigint, store_now())
         order by d.due_at, d.seq
         limit asked.count_max
         for update skip locked
       ) as q
       limit ?
     ), numbered as materialized (
       select project_seq, seq, (?::bigint[])[row_number() over ()] as token from due
     )
     update due_deliveries d
     set lease_until = coalesce(?::bigint, store_now()) + ?, lease_token = n.token
     from numbered n
     where d.project_seq = n.project_seq and d.seq = n.seq
     returning d.project_seq, d.seq, d.endpoint_seq, d.due_at, d.lease_token, d.created_at,
       d.event_seq, d.attempt_count, d.series_attempt_count, d.is_test, d.id`,
    ready.map(({ endpointSeq }) => endpointSeq),
    ready.map(({ deletedAt }) => (deletedAt === null ? dueUntil : Number.MAX_SAFE_INTEGER)),
    ready.map(perEndpointMaxOf),
    now,
    limit,
    tokens,
    now,
    leaseMs,
  )
}

/** By project and number; each event once, however many of its deliveries were claimed. */
export async function readClaimedEvents(
  connection: Connection,
  rows: readonly ClaimedRow[],
): Promise<Map<string, EventRow>> {
  if (rows.length === 0) return new Map()
  const keys = new Map(rows.map((row) => [`${row.project_seq} ${row.event_seq}`, row]))
  const asked = [...keys.values()]
  const found = await connection.all<EventRow>(
    `select e.project_seq, p.id as project_id, e.seq, e.id, e.type, e.timestamp, e.data, e.metadata,
       e.created_at
     from unnest(?::bigint[], ?::bigint[], ?::bigint[]) as k(project_seq, created_at, seq)
       join events e on e.project_seq = k.project_seq and e.created_at = k.created_at
         and e.seq = k.seq
       join projects p on p.seq = k.project_seq`,
    asked.map(({ project_seq: projectSeq }) => projectSeq),
    asked.map(({ created_at: createdAt }) => createdAt),
    asked.map(({ event_seq: eventSeq }) => eventSeq),
  )
  return new Map(found.map((row) => [`${row.project_seq} ${row.seq}`, row]))
}

/** Gives leases back that are still in force under their token. */
export async function releaseRows(
  connection: Connection,
  leases: readonly { projectSeq: number; seq: number; token: number }[],
): Promise<void> {
  await connection.run(
    `update due_deliveries d
     set lease_until = 0, lease_token = 0
     from unnest(?::bigint[], ?::bigint[], ?::bigint[]) as l(project_seq, seq, token)
     where d.project_seq = l.project_seq and d.seq = l.seq and d.lease_token = l.token`,
    leases.map(({ projectSeq }) => projectSeq),
    leases.map(({ seq }) => seq),
    leases.map(({ token }) => token),
  )
}

/** What the store says of these endpoints. */
export async function readDueEndpoints(
  connection: Connection,
  endpointIds: readonly string[],
  now: number | null,
): Promise<Map<string, FoundEndpoint>> {
  const rows = await connection.all<FoundRow>(
    `select e.id, e.seq, e.deleted_at, ${earliestDueAt} as due_at
     from endpoints e
     where e.id = any(?::text[])`,
    now,
    endpointIds,
  )
  return new Map(rows.map((row) => [row.id, toFound(row)]))
}

/**
 * Endpoints that have pending deliveries, leased ones included, after this one. Skips from endpoint
 * to endpoint in the index, so it takes as long as there are such endpoints, not deliveries.
 */
export async function findDueEndpoints(
  connection: Connection,
  look: { after: number; limit: number; now: number | null },
): Promise<FoundEndpoint[]> {
  const rows = await connection.all<FoundRow>(
    `with recursive found(seq) as (
       (select endpoint_seq from due_deliveries where endpoint_seq > ?
        order by endpoint_seq limit 1)
       union all
       select (
         select q.endpoint_seq from due_deliveries q where q.endpoint_seq > found.seq
         order by q.endpoint_seq limit 1
       )
       from found
       where found.seq is not null
     )
     select e.id, e.seq, e.deleted_at, ${earliestDueAt} as due_at
     from (select seq from found where seq is not null limit ?) as f
       join endpoints e on e.seq = f.seq
     order by e.seq`,
    look.after,
    look.now,
    look.limit,
  )
  return rows.map(toFound)
}

function toFound({ id, seq, due_at: dueAt, deleted_at: deletedAt }: FoundRow): FoundEndpoint {
  return { endpointId: id, endpointSeq: seq, dueAt, deletedAt }
}
