import type { Static } from 'typebox'
import type { CreateEndpointInput } from '../../actions/create-endpoint.ts'
import { endpointFormats, rateLimitPerSecondMax } from '../../actions/endpoint-input.ts'
import type { UpdateEndpointInput } from '../../actions/update-endpoint.ts'
import type { Endpoint } from '../../core/endpoint.ts'
import type { FieldError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { isRotationOpen, type Rotation } from '../../core/rotation.ts'
import { type Secret, secretAlgorithms } from '../../core/secret.ts'
import { algorithmInForce } from '../../core/secret-algorithm.ts'
import { apiLimits } from '../api-limits.ts'
import { ActorSchema } from './actor.ts'
import { anyObject, nullable, nullableRef, oneOf, ref, text, textMap, time } from './fields.ts'
import { presentRotation, RotationSchema } from './rotation.ts'
import { algorithmField, mintedSecretFields, secretLengthMax } from './secret.ts'
import { wireTime } from './time.ts'
import { Type } from './type.ts'

/** What reads show in place of a custom header's value. Refused as a value. */
export const maskedHeaderValue = '***'

const endpointFields = {
  id: Type.String(),
  project_id: Type.String(),
  uid: nullable(Type.String({ description: "The caller's own identifier." })),
  url: Type.String(),
  description: nullable(Type.String()),
  event_types: Type.Array(Type.String(), {
    description: 'Exact types, `prefix.*`, or `*` for all.',
  }),
  state: oneOf(['active', 'disabled']),
  health: oneOf(['healthy', 'failing', 'blocked']),
  blocked_at: nullable(time()),
  blocked_reason: nullable(Type.String()),
  signing_enabled: Type.Boolean(),
  unverifying: Type.Boolean({
    description: 'The receiver was seen to take a delivery with a wrong signature.',
  }),
  format: oneOf(endpointFormats),
  algorithm: algorithmField,
  headers: textMap(`Custom headers by name; every value is shown as \`${maskedHeaderValue}\`.`),
  metadata: anyObject(),
  rate_limit_per_second: nullable(Type.Integer()),
  created_by: ref(ActorSchema),
  created_at: time(),
  updated_at: time(),
  last_success_at: nullable(time()),
  last_failure_at: nullable(time()),
  consecutive_failures: Type.Integer(),
  rotation: nullableRef(RotationSchema),
}

export const EndpointSchema = Type.Object(endpointFields, {
  $id: 'Endpoint',
  additionalProperties: false,
  description: 'A URL that receives events of chosen types. `rotation` is the open one, or null.',
})

export const CreatedEndpointSchema = Type.Object(
  {
    ...endpointFields,
    ...mintedSecretFields,
  },
  { $id: 'CreatedEndpoint', additionalProperties: false },
)

const changeableFields = {
  url: text(limits.urlLengthMax, 'An `https` address without credentials.'),
  uid: Type.Optional(
    nullable(
      text(
        limits.uidLengthMax,
        'An identifier of your own, which paths take in place of the id. Must not look like an id.',
      ),
    ),
  ),
  description: Type.Optional(nullable(Type.String({ maxLength: limits.descriptionLengthMax }))),
  event_types: Type.Optional(
    Type.Array(text(limits.eventTypeLengthMax), {
      minItems: 1,
      maxItems: limits.eventTypesMax,
      default: ['*'],
      description: 'Exact types, `prefix.*`, or `*` for all.',
    }),
  ),
  format: Type.Optional(
    oneOf(
      endpointFormats,
      'How deliveries look on the wire. `standard`: Standard Webhooks, the default.',
    ),
  ),
  headers: Type.Optional(
    textMap(
      `At most ${limits.endpointHeadersMax} headers that every delivery carries. Stored encrypted, never shown again.`,
    ),
  ),
  metadata: Type.Optional(anyObject(`At most ${limits.metadataBytesMax} bytes as JSON.`)),
  rate_limit_per_second: Type.Optional(
    nullable(
      Type.Integer({
        minimum: 1,
        maximum: rateLimitPerSecondMax,
        description: 'Requests that one node sends to the endpoint in any second, at most.',
      }),
    ),
  ),
  signing_enabled: Type.Optional(Type.Boolean({ default: true })),
  state: Type.Optional(oneOf(['active', 'disabled'], '`active` also unblocks.')),
}

export const CreateEndpointSchema = Type.Object(
  {
    ...changeableFields,
    algorithm: Type.Optional(
      oneOf(secretAlgorithms, '`ed25519` needs the format `standard`. Default `hmac-sha256`.'),
    ),
    secret: Type.Optional(
      text(
        secretLengthMax,
        'A secret of your own: `whsec_` and base64 of 24 to 64 bytes, or `whsk_` and that of an Ed25519 private key with its public key behind it. Generated where absent.',
      ),
    ),
  },
  { $id: 'CreateEndpoint', additionalProperties: false },
)

export const UpdateEndpointSchema = Type.Object(
  { ...changeableFields, url: Type.Optional(changeableFields.url) },
  {
    $id: 'UpdateEndpoint',
    additionalProperties: false,
    description:
      'What is absent stays as it is. Secret and algorithm change by rotate, never here.',
  },
)

export type WireEndpoint = Static<typeof EndpointSchema>

/**
 * @param secrets the endpoint's: the current one says what it signs with.
 * @param latest its newest rotation, which is shown while it is open.
 */
export function presentEndpoint(
  endpoint: Endpoint,
  secrets: readonly Secret[],
  latest: Rotation | null,
  now: number,
): WireEndpoint {
  return {
    id: endpoint.id,
    project_id: endpoint.projectId,
    uid: endpoint.uid,
    url: endpoint.url,
    description: endpoint.description,
    event_types: endpoint.eventTypes,
    state: endpoint.state,
    health: endpoint.health,
    blocked_at: wireTime(endpoint.blockedAt),
    blocked_reason: endpoint.blockedReason,
    signing_enabled: endpoint.signingEnabled,
    unverifying: endpoint.unverifyingSince !== null,
    format: endpoint.format,
    algorithm: algorithmInForce(secrets, now),
    headers: Object.fromEntries(endpoint.headerNames.map((name) => [name, maskedHeaderValue])),
    metadata: endpoint.metadata,
    rate_limit_per_second: endpoint.rateLimitPerSecond,
    created_by: endpoint.createdBy,
    created_at: wireTime(endpoint.createdAt),
    updated_at: wireTime(endpoint.updatedAt),
    last_success_at: wireTime(endpoint.lastSuccessAt),
    last_failure_at: wireTime(endpoint.lastFailureAt),
    consecutive_failures: endpoint.consecutiveFailures,
    rotation: latest !== null && isRotationOpen(latest, now) ? presentRotation(latest, now) : null,
  }
}

export function readCreateEndpoint(body: Static<typeof CreateEndpointSchema>): CreateEndpointInput {
  return {
    ...readUpdateEndpoint(body),
    url: body.url,
    algorithm: body.algorithm,
    secret: body.secret,
  }
}

/** Only what was given. */
export function readUpdateEndpoint(body: Static<typeof UpdateEndpointSchema>): UpdateEndpointInput {
  return {
    ...(body.url === undefined ? {} : { url: body.url }),
    uid: body.uid,
    description: body.description,
    eventTypes: body.event_types,
    format: body.format,
    headers: body.headers,
    metadata: body.metadata,
    rateLimitPerSecond: body.rate_limit_per_second,
    signingEnabled: body.signing_enabled,
    state: body.state,
  }
}

/**
 * Whoever reads an endpoint, changes a field and sends all of it back must not replace header
 * values by their masks.
 */
export function maskedHeaderProblems(body: unknown): FieldError[] {
  const headers = (body as { headers?: unknown } | null)?.headers
  if (typeof headers !== 'object' || headers === null) return []
  return Object.entries(headers)
    .filter(([, value]) => value === maskedHeaderValue)
    .map(([name]) => ({
      param: `headers.${name.slice(0, apiLimits.quotedNameLengthMax)}`,
      detail: 'This is the mask that reads show, not a value. Leave headers out to keep them.',
      code: 'masked_value',
    }))
}
