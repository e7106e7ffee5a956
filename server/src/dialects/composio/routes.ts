import { createEndpoint } from '../../actions/create-endpoint.ts'
import { deleteEndpoint } from '../../actions/delete-endpoint.ts'
import { loadEndpoint } from '../../actions/load.ts'
import { updateEndpoint } from '../../actions/update-endpoint.ts'
import { jsonAnswer } from '../../api/answer.ts'
import { jsonBody } from '../../api/request-body.ts'
import { dialectPostRoute, dialectRoute, type ServedRoute } from '../../api/route.ts'
import { Type } from '../../api/wire/type.ts'
import { cataloguedTypes } from '../published-types.ts'
import { rotateAtOnce } from '../rotate-at-once.ts'
import { eventTypeCatalog, publishedTypes } from './event-types.ts'
import { listSubscriptions, subscriptionListQuery } from './list-subscriptions.ts'
import { shownSecrets } from './shown-secrets.ts'
import {
  createSubscriptionBody,
  endpointIdOf,
  payloadVersions,
  presentSubscription,
  readCreateSubscription,
  readUpdateSubscription,
  subscriptionIdOf,
  updateSubscriptionBody,
} from './subscription.ts'
import type { ComposioVersion } from './version.ts'

/** Composio knows one subscription a project. */
const origin = { dialect: 'composio', endpointsMax: 1 } as const

/** The body of a verb that takes nothing; what is in it is ignored. */
const ignoredBody = jsonBody(Type.Object({}))

/** The seven calls of dialects.md 2.3. */
export function composioRoutes(version: ComposioVersion): readonly ServedRoute[] {
  return [...sameInEveryVersion, ...readsOf(version)]
}

const sameInEveryVersion: readonly ServedRoute[] = [
  dialectPostRoute({
    method: 'POST',
    path: '/webhook_subscriptions',
    access: 'webhooks.write',
    body: createSubscriptionBody,
    holdsSecret: true,
    act: async ({ context, projectId, body }) =>
      createEndpoint(
        context,
        projectId,
        await readCreateSubscription(body, context, projectId),
        origin,
      ),
    present: ({ endpoint, secretValue }) =>
      jsonAnswer(201, presentSubscription(endpoint, secretValue)),
  }),
  dialectRoute({
    method: 'DELETE',
    path: '/webhook_subscriptions/:id',
    access: 'webhooks.write',
    async answer({ context, projectId, params }) {
      await deleteEndpoint(context, projectId, endpointIdOf(params.id))
      return jsonAnswer(200, { success: true })
    },
  }),
  dialectPostRoute({
    method: 'POST',
    path: '/webhook_subscriptions/:id/rotate_secret',
    access: 'secrets.rotate',
    body: ignoredBody,
    holdsSecret: true,
    act: async ({ context, projectId, params }) =>
      rotateAtOnce(context, projectId, endpointIdOf(params.id)),
    present: ({ endpoint, secretValue }) =>
      jsonAnswer(200, { id: subscriptionIdOf(endpoint.id), secret: secretValue }),
  }),
  dialectRoute({
    method: 'GET',
    path: '/webhook_subscriptions/event_types',
    access: 'webhooks.read',
    async answer({ context, projectId }) {
      const own = await cataloguedTypes(context, projectId, publishedTypes)
      const more = own.map(({ type, description }) => ({
        event_type: type,
        description,
        supported_versions: payloadVersions,
      }))
      return jsonAnswer(200, { items: [...eventTypeCatalog, ...more] })
    },
  }),
]

/** The calls that answer with secrets that were made earlier. */
function readsOf(version: ComposioVersion): readonly ServedRoute[] {
  return [
    dialectRoute({
      method: 'GET',
      path: '/webhook_subscriptions',
      access: 'webhooks.read',
      query: subscriptionListQuery,
      answer: async ({ context, projectId, query }) =>
        jsonAnswer(200, await listSubscriptions(version, context, projectId, query)),
    }),
    dialectRoute({
      method: 'GET',
      path: '/webhook_subscriptions/:id',
      access: 'webhooks.read',
      async answer({ context, projectId, params }) {
        const endpoint = await loadEndpoint(context.storage, projectId, endpointIdOf(params.id))
        const [secret = ''] = await shownSecrets(version, context, [endpoint])
        return jsonAnswer(200, presentSubscription(endpoint, secret))
      },
    }),
    dialectRoute({
      method: 'PATCH',
      path: '/webhook_subscriptions/:id',
      access: 'webhooks.write',
      body: updateSubscriptionBody,
      async answer({ context, projectId, params, body }) {
        const before = await loadEndpoint(context.storage, projectId, endpointIdOf(params.id))
        const input = await readUpdateSubscription(body, context, before)
        const { endpoint } = await updateEndpoint(context, projectId, before.id, input)
        const [secret = ''] = await shownSecrets(version, context, [endpoint])
        return jsonAnswer(200, presentSubscription(endpoint, secret))
      },
    }),
  ]
}
