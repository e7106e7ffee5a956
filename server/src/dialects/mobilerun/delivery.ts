import { wireTime } from '../../api/wire/time.ts'
import type { Attempt, AttemptError, Delivery, DeliveryStatus } from '../../core/delivery.ts'
import type { Endpoint } from '../../core/endpoint.ts'
import { uuidOf } from '../../core/ids.ts'
import { parseTime } from '../../core/time.ts'

const statusNames = {
  pending: 'pending',
  delivered: 'success',
  skipped: 'skipped',
  failed: 'dead',
} as const satisfies Record<DeliveryStatus, string>

/** Mobilerun's names of a delivery's status, and ours. */
export const deliveryStatusOf = {
  pending: 'pending',
  success: 'delivered',
  skipped: 'skipped',
  dead: 'failed',
} as const satisfies Record<string, DeliveryStatus>

/** A delivery as lists show it; `endpoint`, which may be deleted, is the one that it goes to. */
export function presentDelivery(delivery: Delivery, endpoint: Endpoint | null) {
  return {
    id: uuidOf(delivery.id),
    endpointId: uuidOf(delivery.endpointId),
    eventId: delivery.eventId,
    eventType: delivery.eventType,
    source: sourceOf(delivery.eventType),
    status: statusNames[delivery.status],
    attempts: delivery.attemptCount,
    isTest: delivery.isTest,
    lastStatusCode: delivery.lastStatusCode,
    lastError: errorSentence(delivery.lastError, delivery.lastStatusCode),
    durationMs: delivery.lastDurationMs,
    occurredAt: wireTime(parseTime(delivery.eventTimestamp) ?? delivery.createdAt),
    completedAt: wireTime(delivery.completedAt),
    createdAt: wireTime(delivery.createdAt),
    createdBy: endpoint?.createdBy.id ?? null,
  }
}

/** `requestBody`: null where it cannot be told, or the caller may not see it. */
export function presentAttempt(attempt: Attempt, requestBody: string | null) {
  const { number, startedAt, request, response, error, errorDetail } = attempt
  // Signing comes after the connection, so an attempt that got none has no headers.
  const isSent = Object.keys(request.headers).length > 0
  return {
    attemptNo: number,
    sentAt: wireTime(startedAt),
    signed: attempt.secretIds.length > 0,
    requestMethod: request.method,
    requestUrl: request.url,
    requestHeaders: isSent ? request.headers : null,
    requestBody: isSent ? requestBody : null,
    responseStatus: response?.statusCode ?? null,
    responseHeaders: response?.headers ?? null,
    responseSnippet: response?.body ?? null,
    error: errorDetail ?? errorSentence(error, response?.statusCode ?? null),
    durationMs: attempt.durationMs,
  }
}

/** Deliveries in figures; `successRate` is of those that were delivered or given up. */
export function presentStats(counts: Readonly<Record<DeliveryStatus, number>>) {
  const { pending, delivered: success, skipped, failed: dead } = counts
  const ended = success + dead
  return {
    total: ended + pending + skipped,
    byStatus: { pending, success, skipped, dead },
    successRate: ended === 0 ? null : success / ended,
  }
}

/** What kind of thing an event is about: the first word of its type. */
export function sourceOf(eventType: string): string {
  return eventType.split('.', 1)[0] ?? eventType
}

/** Why an attempt failed, for a person. */
export function errorSentence(error: AttemptError | null, statusCode: number | null) {
  if (error === null) return null
  if (error === 'http_status') return `The receiver answered ${statusCode}.`
  return errorSentences[error]
}

const errorSentences: Readonly<Record<Exclude<AttemptError, 'http_status'>, string>> = {
  dns: 'The host name could not be resolved.',
  refused_address: 'Deliveries may not go to this address.',
  connect: 'No connection could be made.',
  tls: 'No TLS connection could be made.',
  timeout: 'The receiver did not answer in time.',
  reset: 'The connection broke off.',
  response_too_large: 'The receiver answered with more than is read.',
  redirect: 'The receiver answered with a redirect, and none is followed.',
}
