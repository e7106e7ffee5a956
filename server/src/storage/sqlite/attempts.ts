import type { Clock } from '../../core/clock.ts'
import type { Attempt, AttemptError, AttemptResponse } from '../../core/delivery.ts'
import type { AttemptResult, Reads, Transaction } from '../storage.ts'
import type { Connection } from './connection.ts'
import type { Effects } from './effects.ts'
import type { Lease, Leases } from './leases.ts'
import { createRowInserts } from './row-inserts.ts'

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
  response_body: string | null
  response_body_truncated: number | null
  error: AttemptError | null
  error_detail: string | null
}

export function attemptReads(connection: Connection): Pick<Reads, 'listAttempts'> {
  return {
    async listAttempts(deliveryId) {
      const rows = connection.all<AttemptRow>(
        `select a.id, a.number, a.started_at, a.duration_ms, a.method, a.url, a.request_headers,
           a.secret_ids, a.status_code, a.response_headers, a.response_body,
           a.response_body_truncated, a.error, a.error_detail
         from deliveries d join attempts a on a.delivery_seq = d.seq
         where d.id = ?
         order by a.seq`,
        deliveryId,
      )
      return rows.map(toAttempt)
    },
  }
}

/** Attempts are only ever added; what the delivery has become is written beside them. */
export function attemptWrites(options: {
  connection: Connection
  effects: Effects
  leases: Leases
  clock: Clock
}): Pick<Transaction, 'recordAttempts'> {
  const { connection, effects, leases, clock } = options
  const newAttempts = createRowInserts(connection, {
    into: `attempts (id, delivery_seq, number, started_at, duration_ms, method, url,
      request_headers, secret_ids, status_code, response_headers, response_body,
      response_body_truncated, error, error_detail)`,
    row: '(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  })
  const updateAttempted = connection.statement(
    `update deliveries
     set status = ?, failure_reason = ?, due_at = ?, completed_at = ?, attempt_count = ?,
       series_attempt_count = ?, last_status_code = ?, last_error = ?
     where seq = ?`,
  )
  // What nearly every attempt comes to; half the values to bind.
  const updateDelivered = connection.statement(
    `update deliveries
     set status = 'delivered', failure_reason = null, due_at = null, completed_at = ?,
       attempt_count = ?, series_attempt_count = ?, last_status_code = ?, last_error = null
     where seq = ?`,
  )
  const updateUnattempted = connection.statement(
    `update deliveries set status = ?, failure_reason = ?, due_at = ?, completed_at = ?
     where seq = ?`,
  )

  function record(lease: Lease, { attempt, next }: AttemptResult): void {
    const failureReason = next.status === 'failed' ? next.reason : null
    const dueAt = next.status === 'pending' ? next.dueAt : null
    const completedAt = next.status === 'pending' ? null : next.at
    if (attempt === null) {
      updateUnattempted.run(next.status, failureReason, dueAt, completedAt, lease.seq)
    } else {
      const number = lease.attemptCount + 1
      const { request, response } = attempt
      newAttempts.add([
        attempt.id,
        lease.seq,
        number,
        attempt.startedAt,
        attempt.durationMs,
        request.method,
        request.url,
        JSON.stringify(request.headers),
        JSON.stringify(attempt.secretIds),
        response?.statusCode ?? null,
        response === null ? null : JSON.stringify(response.headers),
        response?.body ?? null,
        response === null ? null : Number(response.bodyTruncated),
        attempt.error,
        attempt.errorDetail,
      ])
      const counts = [number, lease.seriesAttemptCount + 1] as const
      const statusCode = response?.statusCode ?? null
      if (next.status === 'delivered' && attempt.error === null) {
        updateDelivered.run(next.at, ...counts, statusCode, lease.seq)
      } else {
        const outcome = [next.status, failureReason, dueAt, completedAt] as const
        updateAttempted.run(...outcome, ...counts, statusCode, attempt.error, lease.seq)
      }
    }
    const { seq, endpointId } = lease
    effects.add({ kind: 'settle', seq, endpointId, dueAt })
  }

  return {
    async recordAttempts(results) {
      return connection.protect(() => {
        const fencedDeliveryIds: string[] = []
        const monotonicNow = clock.monotonic()
        try {
          for (const result of results) {
            const { deliveryId, leaseToken } = result
            const lease = leases.get(leaseToken, monotonicNow)
            const isInForce = lease?.deliveryId === deliveryId && !effects.isSettled(lease.seq)
            // The lease holds the counts: nobody else can have changed the delivery meanwhile.
            if (isInForce) record(lease, result)
            else fencedDeliveryIds.push(deliveryId)
          }
          newAttempts.finish()
        } finally {
          newAttempts.discard()
        }
        return { fencedDeliveryIds }
      })
    },
  }
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
    body: row.response_body ?? '',
    bodyTruncated: row.response_body_truncated === 1,
  }
}
