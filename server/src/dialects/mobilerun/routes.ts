import { createEndpoint } from '../../actions/create-endpoint.ts'
import { deleteEndpoint } from '../../actions/delete-endpoint.ts'
import { testEndpoint } from '../../actions/test-endpoint.ts'
import { updateEndpoint } from '../../actions/update-endpoint.ts'
import { emptyAnswer, jsonAnswer } from '../../api/answer.ts'
import { jsonBody } from '../../api/request-body.ts'
import { dialectPostRoute, dialectRoute, type ServedRoute } from '../../api/route.ts'
import { Type } from '../../api/wire/type.ts'
import { endpointIdOfUuid, loadEndpointOfUuid } from '../endpoint-of-uuid.ts'
import { rotateAtOnce } from '../rotate-at-once.ts'
import { errorSentence } from './delivery.ts'
import { listEventTypes } from './event-types.ts'
import {
  deliveryListQuery,
  deliveryStats,
  deliveryStatsQuery,
  listDeliveries,
  listWebhookDeliveries,
  webhookDeliveryListQuery,
} from './list-deliveries.ts'
import { listWebhooks, webhookListQuery } from './list-webhooks.ts'
import { readDelivery } from './read-delivery.ts'
import {
  createWebhookBody,
  presentWebhook,
  readCreateWebhook,
  readUpdateWebhook,
  updateWebhookBody,
} from './webhook.ts'

/** The type of the event that a test sends. */
const testEventType = 'webhook.test'

/** The body of a verb that takes nothing; what is in it is ignored. */
const ignoredBody = jsonBody(Type.Object({}))

/** The twelve calls of section 1.3, in its order. */
export const mobilerunRoutes: readonly ServedRoute[] = [
  dialectPostRoute({
    method: 'POST',
    path: '/webhooks',
    access: 'webhooks.write',
    body: createWebhookBody,
    holdsSecret: true,
    act: async ({ context, projectId, body }) =>
      createEndpoint(context, projectId, readCreateWebhook(body, context), {
        dialect: 'mobilerun',
      }),
    present: ({ endpoint, secretValue }) =>
      jsonAnswer(201, { data: { ...presentWebhook(endpoint), secret: secretValue } }),
  }),
  dialectRoute({
    method: 'GET',
    path: '/webhooks',
    access: 'webhooks.read',
    query: webhookListQuery,
    answer: async ({ context, projectId, query }) =>
      jsonAnswer(200, await listWebhooks(context, projectId, query)),
  }),
  dialectRoute({
    method: 'GET',
    path: '/webhooks/:id',
    access: 'webhooks.read',
    answer: async ({ context, projectId, params }) =>
      jsonAnswer(200, {
        data: presentWebhook(await loadEndpointOfUuid(context, projectId, params.id)),
      }),
  }),
  dialectRoute({
    method: 'PATCH',
    path: '/webhooks/:id',
    access: 'webhooks.write',
    body: updateWebhookBody,
    async answer({ context, projectId, params, body }) {
      const endpointId = endpointIdOfUuid(params.id)
      const input = readUpdateWebhook(body, context)
      const { endpoint } = await updateEndpoint(context, projectId, endpointId, input)
      return jsonAnswer(200, { data: presentWebhook(endpoint) })
    },
  }),
  dialectRoute({
    method: 'DELETE',
    path: '/webhooks/:id',
    access: 'webhooks.write',
    async answer({ context, projectId, params }) {
      await deleteEndpoint(context, projectId, endpointIdOfUuid(params.id))
      return emptyAnswer
    },
  }),
  dialectPostRoute({
    method: 'POST',
    path: '/webhooks/:id/rotate-secret',
    access: 'secrets.rotate',
    body: ignoredBody,
    holdsSecret: true,
    act: async ({ context, projectId, params }) =>
      rotateAtOnce(context, projectId, endpointIdOfUuid(params.id)),
    present: ({ endpoint, secretValue }) =>
      jsonAnswer(200, { data: { ...presentWebhook(endpoint), secret: secretValue } }),
  }),
  dialectPostRoute({
    method: 'POST',
    path: '/webhooks/:id/test',
    access: 'webhooks.write',
    body: ignoredBody,
    act: async ({ context, projectId, params }) =>
      testEndpoint(context, projectId, endpointIdOfUuid(params.id), { eventType: testEventType }),
    present: ({ success, statusCode, error }) =>
      jsonAnswer(200, { data: { success, statusCode, error: errorSentence(error, statusCode) } }),
  }),
  dialectRoute({
    method: 'GET',
    path: '/event-types',
    access: 'webhooks.read',
    answer: async ({ context, projectId }) =>
      jsonAnswer(200, { data: await listEventTypes(context, projectId) }),
  }),
  dialectRoute({
    method: 'GET',
    path: '/webhooks/deliveries',
    access: 'deliveries.read',
    query: deliveryListQuery,
    answer: async ({ context, projectId, query }) =>
      jsonAnswer(200, await listDeliveries(context, projectId, query)),
  }),
  dialectRoute({
    method: 'GET',
    path: '/webhooks/deliveries/stats',
    access: 'deliveries.read',
    query: deliveryStatsQuery,
    answer: async ({ context, projectId, query }) =>
      jsonAnswer(200, { data: await deliveryStats(context, projectId, query) }),
  }),
  dialectRoute({
    method: 'GET',
    path: '/webhooks/:id/deliveries',
    access: 'deliveries.read',
    query: webhookDeliveryListQuery,
    async answer({ context, projectId, params, query }) {
      const endpoint = await loadEndpointOfUuid(context, projectId, params.id)
      return jsonAnswer(200, await listWebhookDeliveries(context, endpoint, query))
    },
  }),
  dialectRoute({
    method: 'GET',
    path: '/webhooks/:id/deliveries/:deliveryId',
    access: 'deliveries.read',
    answer: async ({ context, projectId, params }) =>
      jsonAnswer(200, { data: await readDelivery(context, projectId, params) }),
  }),
]
