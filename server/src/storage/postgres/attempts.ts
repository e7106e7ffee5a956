import { Buffer } from 'node:buffer'
import type { Clock } from '../../core/clock.ts'
import type { Attempt, AttemptError, AttemptResponse } from '../../core/delivery.ts'
import type { AttemptResult, Reads, Transaction } from '../storage.ts'
import type { Connection } from './connection.ts'
import type { StoreTime } from './due-deliveries.ts'
import type { Effects } from './effects.ts'
import type { Lease, Leases } from './leases.ts'

interface AttemptRow {
  id: string
  number: number
  started_at: number
  duration_ms: number
  method: string
  url: string
  request_headers: string
  secret_ids: string
  status_code: number | null
  response_headers: string | null
  response_body: Uint8Array | null
  response_body_truncated: boolean | null
  error: AttemptError | null
  error_detail: string | null
}

export function attemptReads(connection: Connection): Pick<Reads, 'listAttempts'> {
  return {
    async listAttempts(deliveryId) {
      const rows = await connection.all<AttemptRow>(
        `select a.id, a.number, a.started_at, a.duration_ms, a.method, a.url, a.request_headers,
           a.secret_ids, a.status_code, a.response_headers, a.response_body,
           a.response_body_truncated, a.error, a.error_detail
         from deliveries d join attempts a on a.project_seq = d.project_seq
           and a.created_at = d.created_at and a.delivery_seq = d.seq
         where d.id = ?
         order by a.number`,
        deliveryId,
      )
      return rows.map(toAttempt)
    },
  }
}

/** A leased delivery: locked until the end of the transaction, or due no more. */
interface HeldRow {
  project_seq: number
  seq: number
  created_at: number
  attempt_count: number
  series_attempt_count: number
}

/** A result that is recorded, with what the store says of its delivery. */
interface Recorded {
  result: AttemptResult
  held: HeldRow
}

/** Attempts are only ever added; what the delivery has become is written beside them. */
export function attemptWrites(options: {
  connection: Connection
  effects: Effects
  leases: Leases
  clock: Clock
  storeTime: StoreTime
}): Pick<Transaction, 'recordAttempts'> {
  const { connection, effects, leases, clock, storeTime } = options

  /** Runs a statement on the deliveries that are still leased under these tokens. */
  async function onHeld(statement: string, leases: readonly Lease[]): Promise<HeldRow[]> {
    if (leases.length === 0) return []
    // In one order, so that two who want the same rows wait for each other once.
    const held = leases.toSorted((a, b) => a.seq - b.seq)
    return connection.all<HeldRow>(
      statement,
      held.map(({ projectSeq }) => projectSeq),
      held.map(({ seq }) => seq),
      held.map(({ token }) => token),
      storeTime(),
    )
  }

  return {
    async recordAttempts(results) {
      const monotonicNow = clock.monotonic()
      const known = new Map<number, { lease: Lease; isOver: boolean }>()
      for (const { leaseToken, next } of results) {
        const lease = leases.get(leaseToken, monotonicNow)
        // Of two results under one token the first counts.
        if (lease === undefined || known.has(leaseToken)) continue
        known.set(leaseToken, { lease, isOver: next.status !== 'pending' })
      }
      const asked = (isOver: boolean) =>
        [...known.values()].flatMap((one) => (one.isOver === isOver ? [one.lease] : []))
      const rows = await Promise.all([
        onHeld(unschedule, asked(true)),
        onHeld(lockHeld, asked(false)),
      ])
      const held = new Map(rows.flat().map((row) => [row.seq, row]))
      const recorded: Recorded[] = []
      const fencedDeliveryIds: string[] = []
      for (const result of results) {
        const { endpointId, leaseToken, next } = result
        const row = held.get(known.get(leaseToken)?.lease.seq ?? 0)
        if (row === undefined) {
          fencedDeliveryIds.push(result.deliveryId)
          continue
        }
        // The next one under this token is too late.
        held.delete(row.seq)
        recorded.push({ result, held: row })
        const dueAt = next.status === 'pending' ? next.dueAt : null
        effects.add({ kind: 'settle', seq: row.seq, token: leaseToken, endpointId, dueAt })
      }
      await Promise.all([
        insertAttempts(connection, recorded),
        updateDeliveries(connection, recorded),
        reschedule(connection, recorded),
      ])
      return { fencedDeliveryIds }
    },
  }
}

const heldColumns = 'q.project_seq, q.seq, q.created_at, q.attempt_count, q.series_attempt_count'

const isHeld = `q.project_seq = l.project_seq and q.seq = l.seq and q.lease_token = l.token
  and q.lease_until > coalesce(?::bigint, store_now())`

/** What is finished is due no more. In one statement with the look at its lease. */
const unschedule = `delete from due_deliveries q
  using unnest(?::bigint[], ?::bigint[], ?::bigint[]) as l(project_seq, seq, token)
  where ${isHeld}
  returning ${heldColumns}`

/** What is to be tried again is locked until it is known when. */
const lockHeld = `select ${heldColumns}
  from unnest(?::bigint[], ?::bigint[], ?::bigint[]) as l(project_seq, seq, token)
    join due_deliveries q on ${isHeld}
  order by q.seq
  for update of q`

async function insertAttempts(connection: Connection, recorded: readonly Recorded[]) {
  const rows = recorded.flatMap(({ result: { attempt }, held }) =>
    attempt === null ? [] : [{ attempt, held }],
  )
  if (rows.length === 0) return
  await connection.run(
    `insert into attempts (project_seq, created_at, delivery_seq, number, started_at, duration_ms,
       id, method, url, request_headers, secret_ids, status_code, response_headers, response_body,
       response_body_truncated, error, error_detail)
     select * from unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::integer[], ?::bigint[],
       ?::double precision[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::integer[],
       ?::text[], ?::bytea[], ?::boolean[], ?::text[], ?::text[])`,
    rows.map(({ held }) => held.project_seq),
    rows.map(({ held }) => held.created_at),
    rows.map(({ held }) => held.seq),
    rows.map(({ held }) => held.attempt_count + 1),
    rows.map(({ attempt }) => attempt.startedAt),
    rows.map(({ attempt }) => attempt.durationMs),
    rows.map(({ attempt }) => attempt.id),
    rows.map(({ attempt }) => attempt.request.method),
    rows.map(({ attempt }) => attempt.request.url),
    rows.map(({ attempt }) => JSON.stringify(attempt.request.headers)),
    rows.map(({ attempt }) => JSON.stringify(attempt.secretIds)),
    rows.map(({ attempt }) => attempt.response?.statusCode ?? null),
    rows.map(({ attempt: { response } }) =>
      response === null ? null : JSON.stringify(response.headers),
    ),
    rows.map(({ attempt: { response } }) =>
      response === null ? null : Buffer.from(response.body),
    ),
    rows.map(({ attempt }) => attempt.response?.bodyTruncated ?? null),
    rows.map(({ attempt }) => attempt.error),
    rows.map(({ attempt }) => attempt.errorDetail),
  )
}

async function updateDeliveries(connection: Connection, recorded: readonly Recorded[]) {
  if (recorded.length === 0) return
  await connection.run(
    `update deliveries d
     set status = r.status, missed = r.missed, failure_reason = r.failure_reason,
       completed_at = r.completed_at,
       attempt_count = d.attempt_count + r.attempts,
       series_attempt_count = d.series_attempt_count + r.attempts,
       last_status_code = case when r.attempts = 0 then d.last_status_code else r.status_code end,
       last_error = case when r.attempts = 0 then d.last_error else r.error end,
       last_duration_ms = case when r.attempts = 0 then d.last_duration_ms else r.duration_ms end
     from unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::text[], ?::text[], ?::text[],
         ?::bigint[], ?::integer[], ?::integer[], ?::text[], ?::double precision[])
       as r(project_seq, created_at, seq, status, missed, failure_reason, completed_at, attempts,
         status_code, error, duration_ms)
     where d.project_seq = r.project_seq and d.created_at = r.created_at and d.seq = r.seq`,
    recorded.map(({ held }) => held.project_seq),
    recorded.map(({ held }) => held.created_at),
    recorded.map(({ held }) => held.seq),
    recorded.map(({ result: { next } }) => next.status),
    recorded.map(({ result: { next } }) =>
      next.status === 'failed' || next.status === 'skipped' ? next.status : null,
    ),
    recorded.map(({ result: { next } }) => (next.status === 'failed' ? next.reason : null)),
    recorded.map(({ result: { next } }) => (next.status === 'pending' ? null : next.at)),
    recorded.map(({ result: { attempt } }) => (attempt === null ? 0 : 1)),
    recorded.map(({ result: { attempt } }) => attempt?.response?.statusCode ?? null),
    recorded.map(({ result: { attempt } }) => attempt?.error ?? null),
    recorded.map(({ result: { attempt } }) => attempt?.durationMs ?? null),
  )
}

/** What is to be tried again is due again, and nobody's. */
async function reschedule(connection: Connection, recorded: readonly Recorded[]) {
  const rows = recorded.flatMap(({ result: { attempt, next }, held }) =>
    next.status === 'pending'
      ? [{ held, dueAt: next.dueAt, attempts: attempt === null ? 0 : 1 }]
      : [],
  )
  if (rows.length === 0) return
  await connection.run(
    `update due_deliveries q
     set due_at = r.due_at, attempt_count = q.attempt_count + r.attempts,
       series_attempt_count = q.series_attempt_count + r.attempts, lease_until = 0, lease_token = 0
     from unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::integer[])
       as r(project_seq, seq, due_at, attempts)
     where q.project_seq = r.project_seq and q.seq = r.seq`,
    rows.map(({ held }) => held.project_seq),
    rows.map(({ held }) => held.seq),
    rows.map(({ dueAt }) => dueAt),
    rows.map(({ attempts }) => attempts),
  )
}

function toAttempt(row: AttemptRow): Attempt {
  return {
    id: row.id,
    number: row.number,
    startedAt: row.started_at,
    durationMs: row.duration_ms,
    request: {
      method: row.method,
      url: row.url,
      headers: JSON.parse(row.request_headers) as Record<string, string>,
    },
    secretIds: JSON.parse(row.secret_ids) as string[],
    response: toResponse(row),
    error: row.error,
    errorDetail: row.error_detail,
  }
}

function toResponse(row: AttemptRow): AttemptResponse | null {
  if (row.status_code === null) return null
  return {
    statusCode: row.status_code,
    headers: JSON.parse(row.response_headers ?? '{}') as Record<string, string>,
    body: Buffer.from(row.response_body ?? []).toString(),
    bodyTruncated: row.response_body_truncated ?? false,
  }
}
