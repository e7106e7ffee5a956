import type { AttemptError, Delivery, DeliveryStatus, FailureReason } from '../core/delivery.ts'

export interface DeliveryRow {
  seq: number
  id: string
  endpoint_id: string
  event_id: string
  event_type: string
  event_timestamp: string
  status: DeliveryStatus
  failure_reason: FailureReason | null
  attempt_count: number
  series_attempt_count: number
  due_at: number | null
  last_status_code: number | null
  last_error: AttemptError | null
  last_duration_ms: number | null
  /** SQLite keeps truth values as numbers. */
  is_test: number | boolean
  at: number
  completed_at: number | null
}

export function toDelivery(projectId: string, row: DeliveryRow): Delivery {
  return {
    id: row.id,
    projectId,
    endpointId: row.endpoint_id,
    eventId: row.event_id,
    eventType: row.event_type,
    eventTimestamp: row.event_timestamp,
    status: row.status,
    failureReason: row.failure_reason,
    attemptCount: row.attempt_count,
    seriesAttemptCount: row.series_attempt_count,
    nextAttemptAt: row.due_at,
    lastStatusCode: row.last_status_code,
    lastError: row.last_error,
    lastDurationMs: row.last_duration_ms,
    isTest: Boolean(row.is_test),
    createdAt: row.at,
    completedAt: row.completed_at,
  }
}
