import { createEndpoint } from '../../actions/create-endpoint.ts'
import { deleteEndpoint } from '../../actions/delete-endpoint.ts'
import { loadEndpoint } from '../../actions/load.ts'
import { type TestResult, testEndpoint } from '../../actions/test-endpoint.ts'
import { updateEndpoint } from '../../actions/update-endpoint.ts'
import { type Answer, emptyAnswer, jsonAnswer } from '../../api/answer.ts'
import { jsonBody } from '../../api/request-body.ts'
import { dialectPostRoute, dialectRoute, type ServedRoute } from '../../api/route.ts'
import { Type } from '../../api/wire/type.ts'
import { cataloguedTypes } from '../published-types.ts'
import { rotateAtOnce } from '../rotate-at-once.ts'
import { eventTypeCatalog, pingType, publishedTypes } from './event-types.ts'
import { listWebhooks, webhookListQuery } from './list-webhooks.ts'
import {
  createWebhookBody,
  endpointIdOf,
  presentWebhook,
  readCreateWebhook,
  readUpdateWebhook,
  showWebhook,
  updateWebhookBody,
} from './webhook.ts'

/** An organisation may have ten webhooks (dialects.md 3.3); those made elsewhere do not count. */
const origin = { dialect: 'h-company', endpointsMax: 10 } as const

/** The body of a verb that takes nothing; what is in it is ignored. */
const ignoredBody = jsonBody(Type.Object({}))

/** The eight calls of dialects.md 3.3. */
export const hCompanyRoutes: readonly ServedRoute[] = [
  dialectPostRoute({
    method: 'POST',
    path: '/webhooks',
    access: 'webhooks.write',
    body: createWebhookBody,
    holdsSecret: true,
    async act({ context, projectId, body }) {
      const input = await readCreateWebhook(body, context, projectId)
      return createEndpoint(context, projectId, input, origin)
    },
    present: ({ endpoint, secretValue }) =>
      jsonAnswer(201, { ...presentWebhook(endpoint), secret: secretValue }),
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
    path: '/webhooks/events',
    access: 'webhooks.read',
    async answer({ context, projectId }) {
      const own = await cataloguedTypes(context, projectId, [...publishedTypes, pingType])
      return jsonAnswer(200, [...eventTypeCatalog, ...own])
    },
  }),
  dialectRoute({
    method: 'GET',
    path: '/webhooks/:webhook_id',
    access: 'webhooks.read',
    async answer({ context, projectId, params }) {
      const id = endpointIdOf(params.webhook_id)
      const endpoint = await loadEndpoint(context.storage, projectId, id)
      return jsonAnswer(200, await showWebhook(context, endpoint))
    },
  }),
  dialectRoute({
    method: 'PATCH',
    path: '/webhooks/:webhook_id',
    access: 'webhooks.write',
    body: updateWebhookBody,
    async answer({ context, projectId, params, body }) {
      const id = endpointIdOf(params.webhook_id)
      const input = await readUpdateWebhook(body, context, projectId)
      const { endpoint } = await updateEndpoint(context, projectId, id, input)
      return jsonAnswer(200, await showWebhook(context, endpoint))
    },
  }),
  dialectRoute({
    method: 'DELETE',
    path: '/webhooks/:webhook_id',
    access: 'webhooks.write',
    async answer({ context, projectId, params }) {
      await deleteEndpoint(context, projectId, endpointIdOf(params.webhook_id))
      return emptyAnswer
    },
  }),
  dialectPostRoute({
    method: 'POST',
    path: '/webhooks/:webhook_id/rotate',
    access: 'secrets.rotate',
    body: ignoredBody,
    holdsSecret: true,
    act: async ({ context, projectId, params }) =>
      rotateAtOnce(context, projectId, endpointIdOf(params.webhook_id)),
    present: ({ endpoint, secretValue }) =>
      jsonAnswer(200, { ...presentWebhook(endpoint), secret: secretValue }),
  }),
  dialectPostRoute({
    method: 'POST',
    path: '/webhooks/:webhook_id/ping',
    access: 'webhooks.write',
    body: ignoredBody,
    act: async ({ context, projectId, params }) =>
      testEndpoint(context, projectId, endpointIdOf(params.webhook_id), {
        eventType: pingType,
        data: JSON.stringify({ webhook_id: params.webhook_id.toLowerCase() }),
      }),
    present: presentPing,
  }),
]

/** The receiver's status; an error where none came back. */
function presentPing({ statusCode, error }: TestResult): Answer {
  if (error === 'refused_address') {
    return jsonAnswer(400, { detail: 'The URL must be https and lead to a public address.' })
  }
  if (statusCode === null) {
    return jsonAnswer(502, { detail: `The endpoint could not be reached: ${error}.` })
  }
  return jsonAnswer(200, { response_status: statusCode })
}
