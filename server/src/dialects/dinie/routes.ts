import { createEndpoint } from '../../actions/create-endpoint.ts'
import { deleteEndpoint } from '../../actions/delete-endpoint.ts'
import { issueAccessToken } from '../../actions/issue-access-token.ts'
import { loadEndpoint } from '../../actions/load.ts'
import { rotateSecret } from '../../actions/rotate-secret.ts'
import { updateEndpoint } from '../../actions/update-endpoint.ts'
import { emptyAnswer, jsonAnswer } from '../../api/answer.ts'
import { formBody, jsonBody } from '../../api/request-body.ts'
import { dialectPostRoute, dialectRoute, type ServedRoute } from '../../api/route.ts'
import { oneOf } from '../../api/wire/fields.ts'
import { Type } from '../../api/wire/type.ts'
import { AppError } from '../../core/errors.ts'
import { refuseOtherAlgorithm } from '../rotate-at-once.ts'
import { clientCredentialsOf } from './client-credentials.ts'
import type { WriteTime } from './times.ts'
import {
  createEndpointBody,
  endpointIdIn,
  endpointIdOf,
  presentWebhookEndpoint,
  readCreateEndpoint,
  readUpdateEndpoint,
  updateEndpointBody,
  webhookEndpointIdOf,
} from './webhook-endpoint.ts'

const overlapDefaultSeconds = 3_600
const overlapMaxSeconds = 86_400
const pageSizeDefault = 25
const pageSizeMax = 100

const listQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: pageSizeMax })),
  starting_after: Type.Optional(Type.String({ maxLength: 64 })),
})

const tokenBody = formBody(Type.Object({ grant_type: oneOf(['client_credentials']) }))

const rotateBody = jsonBody(
  Type.Object({
    expire_current_in: Type.Optional(Type.Integer({ minimum: 0, maximum: overlapMaxSeconds })),
  }),
)

/** The call of dialects.md 5.1. */
export const dinieTokenRoute: ServedRoute = dialectPostRoute({
  method: 'POST',
  path: '/auth/token',
  access: 'open',
  body: tokenBody,
  holdsSecret: true,
  async act({ context, headers, server }) {
    const address = context.sourceAddress ?? ''
    server.failedAttempts.refuseWhereTooMany(address)
    const credentials = clientCredentialsOf(headers)
    try {
      return await issueAccessToken(context, credentials)
    } catch (error) {
      if (error instanceof AppError && error.code === 'unauthorized') {
        await server.failedAttempts.count(address)
      }
      throw error
    }
  },
  present: ({ accessToken, expiresInSeconds }) =>
    jsonAnswer(200, {
      access_token: accessToken,
      token_type: 'bearer',
      expires_in: expiresInSeconds,
    }),
})

/** The calls of dialects.md 5.3, with times written as the version has them. */
export function dinieRoutes(writeTime: WriteTime): readonly ServedRoute[] {
  return [
    ...endpointRoutes(writeTime),
    rotateRoute('/webhooks/endpoints/:webhook_endpoint_id/secret/rotate', writeTime),
    // The clients' spelling of the same.
    rotateRoute('/webhooks/endpoints/:webhook_endpoint_id/rotate-secret', writeTime),
  ]
}

function endpointRoutes(writeTime: WriteTime): readonly ServedRoute[] {
  return [
    dialectPostRoute({
      method: 'POST',
      path: '/webhooks/endpoints',
      access: 'webhooks.write',
      body: createEndpointBody,
      holdsSecret: true,
      async act({ context, projectId, body }) {
        const input = await readCreateEndpoint(body, context, projectId)
        return createEndpoint(context, projectId, input, { dialect: 'dinie' })
      },
      present: ({ endpoint, secretValue }) =>
        jsonAnswer(201, { ...presentWebhookEndpoint(endpoint, writeTime), secret: secretValue }),
    }),
    dialectRoute({
      method: 'GET',
      path: '/webhooks/endpoints',
      access: 'webhooks.read',
      query: listQuery,
      async answer({ context, projectId, query }) {
        const { limit = pageSizeDefault, starting_after: after } = query
        const found = await context.storage.listEndpointsAt(
          projectId,
          {},
          {
            skip: 0,
            limit: limit + 1,
            ...(after === undefined ? {} : { afterId: endpointIdIn('starting_after', after) }),
          },
        )
        const data = found.slice(0, limit).map((each) => presentWebhookEndpoint(each, writeTime))
        return jsonAnswer(200, { object: 'list', data, has_more: found.length > limit })
      },
    }),
    dialectRoute({
      method: 'GET',
      path: '/webhooks/endpoints/:webhook_endpoint_id',
      access: 'webhooks.read',
      async answer({ context, projectId, params }) {
        const id = endpointIdOf(params.webhook_endpoint_id)
        const endpoint = await loadEndpoint(context.storage, projectId, id)
        return jsonAnswer(200, presentWebhookEndpoint(endpoint, writeTime))
      },
    }),
    dialectRoute({
      method: 'PATCH',
      path: '/webhooks/endpoints/:webhook_endpoint_id',
      access: 'webhooks.write',
      body: updateEndpointBody,
      async answer({ context, projectId, params, body }) {
        const id = endpointIdOf(params.webhook_endpoint_id)
        const input = await readUpdateEndpoint(body, context, projectId)
        const { endpoint } = await updateEndpoint(context, projectId, id, input)
        return jsonAnswer(200, presentWebhookEndpoint(endpoint, writeTime))
      },
    }),
    dialectRoute({
      method: 'DELETE',
      path: '/webhooks/endpoints/:webhook_endpoint_id',
      access: 'webhooks.write',
      async answer({ context, projectId, params }) {
        await deleteEndpoint(context, projectId, endpointIdOf(params.webhook_endpoint_id))
        return emptyAnswer
      },
    }),
  ]
}

/** A rotate inside an open window is a forced one: of three secrets the oldest goes (A5). */
function rotateRoute(
  path: `/webhooks/endpoints/:webhook_endpoint_id/${string}`,
  writeTime: WriteTime,
): ServedRoute {
  return dialectPostRoute({
    method: 'POST',
    path,
    access: 'secrets.rotate',
    body: rotateBody,
    holdsSecret: true,
    async act({ context, projectId, params, body }) {
      const { webhook_endpoint_id: ref = '' } = params as Record<string, string>
      const { id } = await refuseOtherAlgorithm(context, projectId, endpointIdOf(ref))
      return rotateSecret(context, projectId, id, {
        expireCurrentInSeconds: body.expire_current_in ?? overlapDefaultSeconds,
        force: true,
        isExpiryInWholeSeconds: true,
      })
    },
    present: ({ endpoint, rotation, secretValue, previousSecretExpiresAt }) =>
      jsonAnswer(200, {
        id: webhookEndpointIdOf(endpoint.id),
        secret: secretValue,
        // Cut: it stopped when the new one came into force.
        previous_secret_expires_at: writeTime(previousSecretExpiresAt ?? rotation.createdAt),
      }),
  })
}
