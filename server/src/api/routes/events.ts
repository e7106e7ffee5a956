import { expungeEvent } from '../../actions/expunge-event.ts'
import { missing } from '../../actions/load.ts'
import { type Published, type PublishInput, publishEvents } from '../../actions/publish-events.ts'
import { AppError, type FieldError, invalidFields } from '../../core/errors.ts'
import type { AcceptedEvent } from '../../storage/storage.ts'
import { emptyAnswer, jsonAnswer } from '../answer.ts'
import { type BatchSlot, batchBody, eventBody } from '../event-body.ts'
import { errorBody } from '../problem.ts'
import { plainRoute, postRoute, type Route } from '../route.ts'
import {
  EventSchema,
  EventSummarySchema,
  eventText,
  PublishedBatchSchema,
  PublishedEventSchema,
  presentEventSummary,
  presentPublished,
} from '../wire/event.ts'
import { listQuery, pageOf, pageRequest, presentPage } from '../wire/page.ts'

export const EventPageSchema = pageOf(EventSummarySchema, 'EventPage')

export const eventRoutes: readonly Route[] = [
  postRoute({
    method: 'POST',
    path: '/v1/projects/:project/events',
    name: 'publishEvent',
    summary: 'Publish an event',
    description:
      '202: the event and all its deliveries are durable. 200: an event of this id was published before with the same type and data; this is what it was answered.',
    tag: 'Events',
    access: 'events.write',
    body: eventBody,
    answers: { 202: PublishedEventSchema, 200: PublishedEventSchema },
    refusals: ['event_id_conflict'],
    act: ({ context, params, body }) => publishEvents(context, params.project, [body]),
    present([published]) {
      if (published === undefined) throw new Error('An event was published without a result.')
      if ('error' in published) throw published.error
      return jsonAnswer(statusOf(published.event), presentPublished(published.event))
    },
  }),
  postRoute({
    method: 'POST',
    path: '/v1/projects/:project/events/batch',
    name: 'publishBatch',
    summary: 'Publish up to 1000 events',
    description: 'Each event stands for itself; order is kept.',
    tag: 'Events',
    access: 'events.write',
    body: batchBody,
    answers: { 202: PublishedBatchSchema },
    act: ({ context, params, body }) =>
      publishEvents(context, params.project, body.filter(isInput)),
    present: (published, { body }) => jsonAnswer(202, { data: presentBatch(body, published) }),
  }),
  plainRoute({
    method: 'DELETE',
    path: '/v1/projects/:project/events/:event/payload',
    name: 'expungeEvent',
    summary: 'Expunge what an event said',
    description:
      'For privacy requests: removes data and metadata, and what receivers answered, which may repeat them. Deliveries that are still pending fail.',
    tag: 'Events',
    access: 'events.write',
    answers: { 204: null },
    async answer({ context, params }) {
      await expungeEvent(context, params.project, params.event)
      return emptyAnswer
    },
  }),
  plainRoute({
    method: 'GET',
    path: '/v1/projects/:project/events',
    name: 'listEvents',
    summary: 'List events',
    tag: 'Events',
    access: 'events.read',
    query: listQuery(),
    answers: { 200: EventPageSchema },
    async answer({ context, params, query }) {
      const page = await context.storage.listEvents(params.project, pageRequest(query))
      return jsonAnswer(200, presentPage(page, presentEventSummary))
    },
  }),
  plainRoute({
    method: 'GET',
    path: '/v1/projects/:project/events/:event',
    name: 'getEvent',
    summary: 'Read an event with its data',
    tag: 'Events',
    access: 'events.read',
    answers: { 200: EventSchema },
    async answer({ context, params }) {
      const event = await context.storage.getEvent(params.project, params.event)
      return { status: 200, text: eventText(event ?? missing('event', params.event)) }
    },
  }),
]

function statusOf(event: AcceptedEvent): number {
  return event.status === 'duplicate' ? 200 : 202
}

function isInput(slot: BatchSlot): slot is PublishInput {
  return !(slot instanceof AppError)
}

/** One result for each slot, in order: refused when it was read, or what the action says. */
function presentBatch(slots: readonly BatchSlot[], published: readonly Published[]) {
  let next = 0
  return slots.map((slot, index) => {
    const result = isInput(slot) ? published[next++] : { error: slot }
    if (result === undefined) throw new Error('An event of a batch was left without a result.')
    if ('event' in result) {
      const { event } = result
      return {
        index,
        status: statusOf(event),
        id: event.id,
        delivery_count: event.deliveryCount,
      }
    }
    const error = withIndex(result.error, index)
    return { index, status: error.status, error: errorBody(error) }
  })
}

/** The same refusal with parameters as the batch has them: `events.3.type`. */
function withIndex({ code, details }: AppError, index: number): AppError {
  const place = (param = '') => (param === '' ? `events.${index}` : `events.${index}.${param}`)
  const { errors } = details
  if (errors === undefined) return new AppError(code, { ...details, param: place(details.param) })
  return invalidFields(errors.map((each): FieldError => ({ ...each, param: place(each.param) })))
}
