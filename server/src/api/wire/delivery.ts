import type { Static } from 'typebox'
import { type Attempt, type Delivery, deliveryStatuses } from '../../core/delivery.ts'
import { limits } from '../../core/limits.ts'
import { anyObject, nullable, nullableRef, oneOf, ref, text, textMap, time } from './fields.ts'
import { wireTime } from './time.ts'
import { Type } from './type.ts'

export const attemptErrorField = oneOf([
  'dns',
  'refused_address',
  'connect',
  'tls',
  'timeout',
  'reset',
  'response_too_large',
  'redirect',
  'http_status',
])

const deliveryFields = {
  id: Type.String(),
  endpoint_id: Type.String(),
  event_id: Type.String(),
  event_type: Type.String(),
  status: oneOf(deliveryStatuses),
  failure_reason: nullable(oneOf(['exhausted', 'gone', 'endpoint_deleted', 'refused'])),
  attempt_count: Type.Integer(),
  next_attempt_at: nullable(time()),
  last_status_code: nullable(Type.Integer()),
  last_error: nullable(attemptErrorField),
  is_test: Type.Boolean(),
  created_at: time(),
  completed_at: nullable(time()),
}

export const DeliverySchema = Type.Object(deliveryFields, {
  $id: 'Delivery',
  additionalProperties: false,
  description: 'One event on its way to one endpoint.',
})

export const AttemptResponseSchema = Type.Object(
  {
    status_code: Type.Integer(),
    headers: textMap(),
    body: Type.String({
      description: `The first ${limits.responseBodyKeptBytes / 1024} KiB, as text.`,
    }),
    body_truncated: Type.Boolean(),
  },
  {
    $id: 'AttemptResponse',
    additionalProperties: false,
    description: 'What the receiver answered to an attempt.',
  },
)

export const AttemptSchema = Type.Object(
  {
    id: Type.String(),
    number: Type.Integer(),
    started_at: time(),
    duration_ms: Type.Number(),
    request: Type.Object(
      { method: Type.String(), url: Type.String(), headers: textMap() },
      {
        additionalProperties: false,
        description: 'As sent; custom header values are masked, signatures are kept.',
      },
    ),
    secret_ids: Type.Array(Type.String(), {
      description: 'The secrets that signed, in the order of the signatures.',
    }),
    response: nullableRef(AttemptResponseSchema),
    error: nullable(attemptErrorField),
    error_detail: nullable(Type.String({ description: 'What lies behind `error`.' })),
  },
  { $id: 'Attempt', additionalProperties: false, description: 'One HTTP request of a delivery.' },
)

export const DeliveryWithAttemptsSchema = Type.Object(
  { ...deliveryFields, attempts: Type.Array(ref(AttemptSchema), { description: 'Oldest first.' }) },
  { $id: 'DeliveryWithAttempts', additionalProperties: false },
)

export const TestEndpointSchema = Type.Object(
  {
    event_type: Type.Optional(
      text(
        limits.eventTypeLengthMax,
        '`countersign.test` where absent; reserved types may be used.',
      ),
    ),
    data: Type.Optional(anyObject('Sent byte for byte.')),
  },
  { $id: 'TestEndpoint', additionalProperties: false },
)

export const TestResultSchema = Type.Object(
  {
    delivery_id: Type.String(),
    success: Type.Boolean(),
    status_code: nullable(Type.Integer()),
    error: nullable(attemptErrorField),
    duration_ms: Type.Number(),
  },
  {
    $id: 'TestResult',
    additionalProperties: false,
    description: 'What the receiver answered to a test.',
  },
)

export function presentDelivery(delivery: Delivery): Static<typeof DeliverySchema> {
  return {
    id: delivery.id,
    endpoint_id: delivery.endpointId,
    event_id: delivery.eventId,
    event_type: delivery.eventType,
    status: delivery.status,
    failure_reason: delivery.failureReason,
    attempt_count: delivery.attemptCount,
    next_attempt_at: wireTime(delivery.nextAttemptAt),
    last_status_code: delivery.lastStatusCode,
    last_error: delivery.lastError,
    is_test: delivery.isTest,
    created_at: wireTime(delivery.createdAt),
    completed_at: wireTime(delivery.completedAt),
  }
}

export function presentAttempt(attempt: Attempt): Static<typeof AttemptSchema> {
  const { response } = attempt
  return {
    id: attempt.id,
    number: attempt.number,
    started_at: wireTime(attempt.startedAt),
    duration_ms: attempt.durationMs,
    request: attempt.request,
    secret_ids: attempt.secretIds,
    response:
      response === null
        ? null
        : {
            status_code: response.statusCode,
            headers: response.headers,
            body: response.body,
            body_truncated: response.bodyTruncated,
          },
    error: attempt.error,
    error_detail: attempt.errorDetail,
  }
}
