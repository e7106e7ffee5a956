import type { Static } from 'typebox'
import type { Event } from '../../core/event.ts'
import { limits } from '../../core/limits.ts'
import type { AcceptedEvent } from '../../storage/storage.ts'
import { anyObject, nullable, ref, text, time } from './fields.ts'
import { errorMembers } from './problem.ts'
import { wireTime } from './time.ts'
import { Type } from './type.ts'

export const PublishEventSchema = Type.Object(
  {
    type: text(
      limits.eventTypeLengthMax,
      'Dot-separated words of letters, digits, `_` and `-`. `endpoint.` and `countersign.` are reserved.',
    ),
    data: anyObject('Delivered byte for byte as sent.'),
    id: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_-]{1,64}$',
        description:
          'An id of your own. The same id with the same type and data again is answered with the first event (200).',
      }),
    ),
    timestamp: Type.Optional(time('When it happened; the time of acceptance where absent.')),
    metadata: Type.Optional(
      anyObject(
        `Kept with the event, not delivered; at most ${limits.metadataBytesMax} bytes as JSON.`,
      ),
    ),
  },
  { $id: 'PublishEvent', additionalProperties: false },
)

export const PublishedEventSchema = Type.Object(
  {
    id: Type.String(),
    type: Type.String(),
    created_at: time(),
    delivery_count: Type.Integer({ description: 'Deliveries created, skipped ones included.' }),
  },
  {
    $id: 'PublishedEvent',
    additionalProperties: false,
    description: 'The event and all its deliveries are durable.',
  },
)

export const PublishBatchSchema = Type.Object(
  {
    events: Type.Array(ref(PublishEventSchema), {
      minItems: 1,
      maxItems: limits.batchEventsMax,
    }),
  },
  { $id: 'PublishBatch', additionalProperties: false },
)

export const BatchErrorSchema = Type.Object(errorMembers, {
  $id: 'BatchError',
  additionalProperties: true,
  description: 'Why one event of a batch was refused; `param` begins with `events.<index>`.',
})

export const BatchResultSchema = Type.Object(
  {
    index: Type.Integer({ description: 'Position in the batch.' }),
    status: Type.Integer({ description: 'What the single call would have answered.' }),
    id: Type.Optional(Type.String()),
    delivery_count: Type.Optional(Type.Integer()),
    error: Type.Optional(ref(BatchErrorSchema)),
  },
  {
    $id: 'BatchResult',
    additionalProperties: false,
    description: 'What became of one event of a batch.',
  },
)

export const PublishedBatchSchema = Type.Object(
  { data: Type.Array(ref(BatchResultSchema), { description: 'In the order of the batch.' }) },
  { $id: 'PublishedBatch', additionalProperties: false },
)

const summaryFields = {
  id: Type.String(),
  type: Type.String(),
  timestamp: time(),
  metadata: anyObject(),
  created_at: time(),
  delivery_count: Type.Integer(),
}

export const EventSummarySchema = Type.Object(summaryFields, {
  $id: 'EventSummary',
  additionalProperties: false,
  description: 'An event as lists show it: without its `data`.',
})

export const EventSchema = Type.Object(
  { ...summaryFields, data: nullable(anyObject('Null once it has been expunged.')) },
  { $id: 'Event', additionalProperties: false },
)

export function presentPublished(event: AcceptedEvent): Static<typeof PublishedEventSchema> {
  return {
    id: event.id,
    type: event.type,
    created_at: wireTime(event.createdAt),
    delivery_count: event.deliveryCount,
  }
}

export function presentEventSummary(event: Event): Static<typeof EventSummarySchema> {
  return {
    id: event.id,
    type: event.type,
    timestamp: event.timestamp,
    metadata: event.metadata,
    created_at: wireTime(event.createdAt),
    delivery_count: event.deliveryCount,
  }
}

/** The event as JSON text, with `data` spliced in byte for byte: numbers beyond 2^53 survive. */
export function eventText(event: Event): string {
  const summary = JSON.stringify(presentEventSummary(event))
  return `${summary.slice(0, -1)},"data":${event.data ?? 'null'}}`
}
