import type { Static } from 'typebox'
import type { ActionContext } from '../../actions/action-context.ts'
import { missing } from '../../actions/load.ts'
import { retryDelivery } from '../../actions/retry-delivery.ts'
import { deliveryStatuses } from '../../core/delivery.ts'
import { invalidField } from '../../core/errors.ts'
import { isId } from '../../core/ids.ts'
import { limits } from '../../core/limits.ts'
import type { DeliveryFilter } from '../../storage/storage.ts'
import { jsonAnswer } from '../answer.ts'
import { emptyBody } from '../request-body.ts'
import { plainRoute, postRoute, type Route } from '../route.ts'
import {
  DeliverySchema,
  DeliveryWithAttemptsSchema,
  presentAttempt,
  presentDelivery,
} from '../wire/delivery.ts'
import { oneOf, text, time } from '../wire/fields.ts'
import { listQuery, pageOf, pageRequest, presentPage } from '../wire/page.ts'
import { checkedTime } from '../wire/time.ts'
import { Type } from '../wire/type.ts'

export const DeliveryPageSchema = pageOf(DeliverySchema, 'DeliveryPage')

const deliveryQuery = listQuery({
  endpoint: Type.Optional(text(limits.uidLengthMax, 'Id or uid of an endpoint.')),
  event: Type.Optional(text(limits.uidLengthMax, 'Id of an event.')),
  event_type: Type.Optional(text(limits.eventTypeLengthMax)),
  status: Type.Optional(oneOf(deliveryStatuses)),
  since: Type.Optional(time('Created at this time or later.')),
  until: Type.Optional(time('Created before this time.')),
})

export const deliveryRoutes: readonly Route[] = [
  plainRoute({
    method: 'GET',
    path: '/v1/projects/:project/deliveries',
    name: 'listDeliveries',
    summary: 'List deliveries',
    tag: 'Deliveries',
    access: 'deliveries.read',
    query: deliveryQuery,
    answers: { 200: DeliveryPageSchema },
    async answer({ context, params, query }) {
      const request = pageRequest(query)
      const filter = await filterOf(context, params.project, query)
      const page = await context.storage.listDeliveries(params.project, filter, request)
      return jsonAnswer(200, presentPage(page, presentDelivery))
    },
  }),
  plainRoute({
    method: 'GET',
    path: '/v1/projects/:project/deliveries/:delivery',
    name: 'getDelivery',
    summary: 'Read a delivery with all its attempts',
    tag: 'Deliveries',
    access: 'deliveries.read',
    answers: { 200: DeliveryWithAttemptsSchema },
    async answer({ context, params }) {
      const { storage } = context
      const delivery = await storage.getDelivery(params.project, params.delivery)
      if (delivery === null) missing('delivery', params.delivery)
      const attempts = await storage.listAttempts(delivery.id)
      return jsonAnswer(200, {
        ...presentDelivery(delivery),
        attempts: attempts.map(presentAttempt),
      })
    },
  }),
  postRoute({
    method: 'POST',
    path: '/v1/projects/:project/deliveries/:delivery/retry',
    name: 'retryDelivery',
    summary: 'Send a delivery again',
    description: 'Whatever became of it, with the full retry schedule.',
    tag: 'Deliveries',
    access: 'deliveries.write',
    body: emptyBody,
    answers: { 202: DeliverySchema },
    refusals: ['endpoint_deleted', 'endpoint_disabled', 'event_expunged'],
    act: ({ context, params }) => retryDelivery(context, params.project, params.delivery),
    present: (delivery) => jsonAnswer(202, presentDelivery(delivery)),
  }),
]

async function filterOf(
  context: ActionContext,
  projectId: string,
  query: Static<typeof deliveryQuery>,
): Promise<DeliveryFilter> {
  const filter: DeliveryFilter = {}
  if (query.endpoint !== undefined) {
    filter.endpointId = await endpointIdOf(context, projectId, query.endpoint)
  }
  if (query.event !== undefined) filter.eventId = query.event
  if (query.event_type !== undefined) filter.eventType = query.event_type
  if (query.status !== undefined) filter.status = query.status
  if (query.since !== undefined) filter.since = checkedTime(query.since)
  if (query.until !== undefined) filter.until = checkedTime(query.until)
  return filter
}

/** An id is taken as it is: the deliveries of a deleted endpoint are still there. */
async function endpointIdOf(
  { storage }: ActionContext,
  projectId: string,
  ref: string,
): Promise<string> {
  if (isId('ep', ref)) return ref
  const endpoint = await storage.getEndpoint(projectId, ref)
  if (endpoint === null) throw invalidField('endpoint', 'No endpoint of the project has this uid.')
  return endpoint.id
}
