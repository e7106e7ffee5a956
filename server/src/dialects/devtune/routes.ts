import { createEndpoint } from '../../actions/create-endpoint.ts'
import { deleteEndpoint } from '../../actions/delete-endpoint.ts'
import { loadProject } from '../../actions/load.ts'
import { jsonAnswer } from '../../api/answer.ts'
import { jsonBody } from '../../api/request-body.ts'
import { dialectPostRoute, dialectRoute, type ServedRoute } from '../../api/route.ts'
import { Type } from '../../api/wire/type.ts'
import { endpointIdOfUuid } from '../endpoint-of-uuid.ts'
import { rotateAtOnce } from '../rotate-at-once.ts'
import { createWebhookBody, envelopeAnswer, presentWebhook, readCreateWebhook } from './webhook.ts'

/** There are no pages, and a list never leaves one out: no operator can allow a project more. */
const webhooksMax = 1_000_000

/** The body of a verb that takes nothing; what is in it is ignored. */
const ignoredBody = jsonBody(Type.Object({}))

/** The four calls of dialects.md 4.2. `:project` arrives as our id, whatever the path held. */
export const devtuneRoutes: readonly ServedRoute[] = [
  dialectPostRoute({
    method: 'POST',
    path: '/projects/:project/webhooks',
    access: 'webhooks.write',
    body: createWebhookBody,
    holdsSecret: true,
    async act({ context, projectId, body }) {
      const input = await readCreateWebhook(body, context, projectId)
      return createEndpoint(context, projectId, input, { dialect: 'devtune' })
    },
    present: ({ endpoint, secretValue }, call) =>
      envelopeAnswer(201, { ...presentWebhook(endpoint), secret: secretValue }, call),
  }),
  dialectRoute({
    method: 'GET',
    path: '/projects/:project/webhooks',
    access: 'webhooks.read',
    async answer(call) {
      const { storage } = call.context
      await loadProject(storage, call.projectId)
      const active = { state: 'active' } as const
      const all = { skip: 0, limit: webhooksMax }
      const endpoints = await storage.listEndpointsAt(call.projectId, active, all)
      return envelopeAnswer(200, { webhooks: endpoints.map(presentWebhook) }, call)
    },
  }),
  dialectRoute({
    method: 'DELETE',
    path: '/projects/:project/webhooks/:webhookId',
    access: 'webhooks.write',
    async answer({ context, projectId, params }) {
      await deleteEndpoint(context, projectId, endpointIdOfUuid(params.webhookId))
      return jsonAnswer(200, { deleted: true })
    },
  }),
  dialectPostRoute({
    method: 'POST',
    path: '/projects/:project/webhooks/:webhookId/rotate-secret',
    access: 'secrets.rotate',
    body: ignoredBody,
    holdsSecret: true,
    act: async ({ context, projectId, params }) =>
      rotateAtOnce(context, projectId, endpointIdOfUuid(params.webhookId)),
    present: ({ secretValue }, call) => envelopeAnswer(200, { secret: secretValue }, call),
  }),
]
