import type { Static } from 'typebox'
import type { ActionContext, ActionParts } from '../../actions/action-context.ts'
import { createEndpoint } from '../../actions/create-endpoint.ts'
import { deleteEndpoint } from '../../actions/delete-endpoint.ts'
import { checkEndpointInput } from '../../actions/endpoint-input.ts'
import { loadEndpoint } from '../../actions/load.ts'
import { testEndpoint } from '../../actions/test-endpoint.ts'
import { updateEndpoint } from '../../actions/update-endpoint.ts'
import type { Endpoint } from '../../core/endpoint.ts'
import { type FieldError, invalidFields } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { EndpointFilter } from '../../storage/storage.ts'
import { emptyAnswer, jsonAnswer } from '../answer.ts'
import { apiLimits } from '../api-limits.ts'
import { jsonBody, type RequestBody, readObject, sourceOf } from '../request-body.ts'
import { plainRoute, postRoute, type Route } from '../route.ts'
import { TestEndpointSchema, TestResultSchema } from '../wire/delivery.ts'
import {
  CreatedEndpointSchema,
  CreateEndpointSchema,
  EndpointSchema,
  maskedHeaderProblems,
  presentEndpoint,
  readCreateEndpoint,
  readUpdateEndpoint,
  UpdateEndpointSchema,
  type WireEndpoint,
} from '../wire/endpoint.ts'
import { oneOf, text } from '../wire/fields.ts'
import { listQuery, pageOf, pageRequest, presentPage } from '../wire/page.ts'
import { presentMinted } from '../wire/secret.ts'
import { Type } from '../wire/type.ts'

export const EndpointPageSchema = pageOf(EndpointSchema, 'EndpointPage')

const endpointQuery = listQuery({
  state: Type.Optional(oneOf(['active', 'disabled'])),
  health: Type.Optional(oneOf(['healthy', 'failing', 'blocked'])),
  rotation: Type.Optional(oneOf(['open'], 'Those whose secret is being rotated.')),
  search: Type.Optional(
    text(apiLimits.searchLengthMax, 'Part of url, description or uid, in any case.'),
  ),
})

export const endpointRoutes: readonly Route[] = [
  postRoute({
    method: 'POST',
    path: '/v1/projects/:project/endpoints',
    name: 'createEndpoint',
    summary: 'Create an endpoint',
    description:
      'The signing secret is in this answer only. Of an Ed25519 key, the public half is there in its place.',
    tag: 'Endpoints',
    access: 'webhooks.write',
    body: jsonBody(CreateEndpointSchema, endpointProblems),
    answers: { 201: CreatedEndpointSchema },
    refusals: ['uid_taken', 'endpoint_limit_reached'],
    holdsSecret: true,
    async act({ context, params, body }) {
      refuseMaskedHeaders(body, context)
      return createEndpoint(context, params.project, readCreateEndpoint(body))
    },
    present({ endpoint, secret, secretValue: value }, { context, server }) {
      const { algorithm, id: secretId, endpointId } = secret
      return jsonAnswer(201, {
        ...presentEndpoint(endpoint, [secret], null, context.clock.now()),
        ...presentMinted({ algorithm, value, secretId, endpointId }, server.publicUrl),
      })
    },
  }),
  plainRoute({
    method: 'GET',
    path: '/v1/projects/:project/endpoints',
    name: 'listEndpoints',
    summary: 'List endpoints',
    tag: 'Endpoints',
    access: 'webhooks.read',
    query: endpointQuery,
    answers: { 200: EndpointPageSchema },
    async answer({ context, params, query }) {
      const { storage } = context
      const page = await storage.listEndpoints(
        params.project,
        filterOf(query, context.clock.now()),
        pageRequest(query),
      )
      const items = await Promise.all(page.items.map((item) => withRotation(context, item)))
      return jsonAnswer(
        200,
        presentPage({ ...page, items }, (item) => item),
      )
    },
  }),
  plainRoute({
    method: 'GET',
    path: '/v1/projects/:project/endpoints/:endpoint',
    name: 'getEndpoint',
    summary: 'Read an endpoint',
    tag: 'Endpoints',
    access: 'webhooks.read',
    answers: { 200: EndpointSchema },
    async answer({ context, params }) {
      const endpoint = await loadEndpoint(context.storage, params.project, params.endpoint)
      return jsonAnswer(200, await withRotation(context, endpoint))
    },
  }),
  plainRoute({
    method: 'PATCH',
    path: '/v1/projects/:project/endpoints/:endpoint',
    name: 'updateEndpoint',
    summary: 'Change an endpoint',
    tag: 'Endpoints',
    access: 'webhooks.write',
    body: jsonBody(UpdateEndpointSchema, endpointProblems),
    answers: { 200: EndpointSchema },
    refusals: ['uid_taken'],
    async answer({ context, params, body }) {
      refuseMaskedHeaders(body, context)
      const input = readUpdateEndpoint(body)
      const { endpoint, secrets, latestRotation } = await updateEndpoint(
        context,
        params.project,
        params.endpoint,
        input,
      )
      const now = context.clock.now()
      return jsonAnswer(200, presentEndpoint(endpoint, secrets, latestRotation, now))
    },
  }),
  plainRoute({
    method: 'DELETE',
    path: '/v1/projects/:project/endpoints/:endpoint',
    name: 'deleteEndpoint',
    summary: 'Delete an endpoint',
    description: 'Its secrets are revoked and wiped; pending deliveries fail.',
    tag: 'Endpoints',
    access: 'webhooks.write',
    answers: { 204: null },
    async answer({ context, params }) {
      await deleteEndpoint(context, params.project, params.endpoint)
      return emptyAnswer
    },
  }),
  postRoute({
    method: 'POST',
    path: '/v1/projects/:project/endpoints/:endpoint/test',
    name: 'testEndpoint',
    summary: 'Send a test and wait for the answer',
    description:
      'One attempt that ignores filter and state. What the receiver says is in the body.',
    tag: 'Endpoints',
    access: 'webhooks.write',
    body: testBody(),
    answers: { 200: TestResultSchema },
    act: ({ context, params, body }) =>
      testEndpoint(context, params.project, params.endpoint, body),
    present: (result) =>
      jsonAnswer(200, {
        delivery_id: result.deliveryId,
        success: result.success,
        status_code: result.statusCode,
        error: result.error,
        duration_ms: result.durationMs,
      }),
  }),
]

/** The endpoint with its open rotation, and what it signs with. */
async function withRotation(context: ActionContext, endpoint: Endpoint): Promise<WireEndpoint> {
  const latest = await context.storage.latestRotation(endpoint.id)
  const secrets = await context.storage.listSecrets(endpoint.id)
  return presentEndpoint(endpoint, secrets, latest, context.clock.now())
}

function endpointProblems(body: unknown, parts: ActionParts): FieldError[] {
  return [...maskedHeaderProblems(body), ...checkEndpointInput(body, parts.urlPolicy)]
}

/** A mask is a matter of the wire, so no action knows of it. */
function refuseMaskedHeaders(body: unknown, parts: ActionParts): void {
  if (maskedHeaderProblems(body).length === 0) return
  throw invalidFields(endpointProblems(body, parts))
}

function filterOf(query: Static<typeof endpointQuery>, now: number): EndpointFilter {
  const { state, health, rotation, search } = query
  return {
    ...(state === undefined ? {} : { state }),
    ...(health === undefined ? {} : { health }),
    ...(rotation === undefined ? {} : { rotatingAt: now }),
    ...(search === undefined ? {} : { search }),
  }
}

/** `data` is taken as it stands in the text, so that it is sent byte for byte. */
function testBody(): RequestBody<{ eventType: string | undefined; data: string | undefined }> {
  return {
    schema: TestEndpointSchema,
    bytesMax: ({ dataBytesMax }) => dataBytesMax + limits.eventEnvelopeBytesMax,
    prepare(schemas) {
      const problemsOf = schemas.forBody(TestEndpointSchema)
      return (bytes) => {
        const envelope = readObject(bytes, ['data'])
        const problems = problemsOf(envelope.value)
        if (problems.length > 0) throw invalidFields(problems)
        const { event_type: eventType } = envelope.value as Static<typeof TestEndpointSchema>
        return { eventType, data: sourceOf(envelope, 'data') }
      }
    },
  }
}
