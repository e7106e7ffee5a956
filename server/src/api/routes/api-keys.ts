import { createApiKey } from '../../actions/create-api-key.ts'
import { revokeApiKey } from '../../actions/revoke-api-key.ts'
import { rotateApiKey } from '../../actions/rotate-api-key.ts'
import { emptyAnswer, jsonAnswer } from '../answer.ts'
import { jsonBody } from '../request-body.ts'
import { plainRoute, postRoute, type Route } from '../route.ts'
import {
  ApiKeySchema,
  CreateApiKeySchema,
  CreatedApiKeySchema,
  presentApiKey,
  presentCreatedApiKey,
  RotateApiKeySchema,
} from '../wire/api-key.ts'
import { listQuery, pageOf, pageRequest, presentPage } from '../wire/page.ts'
import { checkedTime } from '../wire/time.ts'

export const ApiKeyPageSchema = pageOf(ApiKeySchema, 'ApiKeyPage')

export const apiKeyRoutes: readonly Route[] = [
  postRoute({
    method: 'POST',
    path: '/v1/projects/:project/api-keys',
    name: 'createApiKey',
    summary: 'Create an API key',
    description: 'The key is in this answer only; a key cannot grant scopes that it lacks itself.',
    tag: 'API keys',
    access: 'keys.write',
    body: jsonBody(CreateApiKeySchema),
    answers: { 201: CreatedApiKeySchema },
    holdsSecret: true,
    act: ({ context, params, body }) =>
      createApiKey(context, params.project, {
        name: body.name,
        scopes: body.scopes,
        expiresAt: checkedTime(body.expires_at ?? undefined) ?? null,
        dialect: body.dialect,
      }),
    present: ({ apiKey, value }) => jsonAnswer(201, presentCreatedApiKey(apiKey, value)),
  }),
  plainRoute({
    method: 'GET',
    path: '/v1/projects/:project/api-keys',
    name: 'listApiKeys',
    summary: 'List API keys',
    tag: 'API keys',
    access: 'keys.write',
    query: listQuery(),
    answers: { 200: ApiKeyPageSchema },
    async answer({ context, params, query }) {
      const page = await context.storage.listApiKeys(params.project, pageRequest(query))
      return jsonAnswer(200, presentPage(page, presentApiKey))
    },
  }),
  postRoute({
    method: 'POST',
    path: '/v1/projects/:project/api-keys/:key/rotate',
    name: 'rotateApiKey',
    summary: 'Rotate an API key',
    description:
      'The new value is in this answer only. The present one works for `expire_current_in` seconds more; of several rotations in that time, the two newest values work.',
    tag: 'API keys',
    access: 'keys.write',
    body: jsonBody(RotateApiKeySchema),
    answers: { 200: CreatedApiKeySchema },
    refusals: ['api_key_not_live'],
    holdsSecret: true,
    act: ({ context, params, body }) =>
      rotateApiKey(context, params.project, params.key, {
        expireCurrentInSeconds: body.expire_current_in,
      }),
    present: ({ apiKey, value }) => jsonAnswer(200, presentCreatedApiKey(apiKey, value)),
  }),
  plainRoute({
    method: 'DELETE',
    path: '/v1/projects/:project/api-keys/:key',
    name: 'revokeApiKey',
    summary: 'Revoke an API key',
    description: 'It stops at once.',
    tag: 'API keys',
    access: 'keys.write',
    answers: { 204: null },
    async answer({ context, params }) {
      await revokeApiKey(context, params.project, params.key)
      return emptyAnswer
    },
  }),
]
