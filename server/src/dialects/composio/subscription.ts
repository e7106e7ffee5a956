import type { Static } from 'typebox'
import type { ActionContext, ActionParts } from '../../actions/action-context.ts'
import type { CreateEndpointInput } from '../../actions/create-endpoint.ts'
import { checkEndpointInput } from '../../actions/endpoint-input.ts'
import { missing } from '../../actions/load.ts'
import type { UpdateEndpointInput } from '../../actions/update-endpoint.ts'
import { jsonBody } from '../../api/request-body.ts'
import { oneOf, text } from '../../api/wire/fields.ts'
import { wireTime } from '../../api/wire/time.ts'
import { Type } from '../../api/wire/type.ts'
import type { Endpoint } from '../../core/endpoint.ts'
import { type FieldError, invalidField, invalidFields } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { ownFieldNames } from '../own-field-names.ts'
import { unknownTypeProblems, withoutWildcards } from '../published-types.ts'
import { publishedTypes } from './event-types.ts'
import { fieldNames } from './surface.ts'

/** The versions of the payload, and the formats that write them. */
const formats = { V1: 'composio-v1', V2: 'composio-v2', V3: 'composio' } as const
export const payloadVersions = ['V1', 'V2', 'V3'] as const

const fields = {
  webhook_url: text(limits.urlLengthMax),
  enabled_events: Type.Array(text(limits.eventTypeLengthMax), {
    minItems: 1,
    maxItems: limits.eventTypesMax,
  }),
  version: oneOf(payloadVersions),
}

const CreateSubscriptionSchema = Type.Object({ ...fields, version: Type.Optional(fields.version) })

const UpdateSubscriptionSchema = Type.Partial(Type.Object(fields))

export const createSubscriptionBody = jsonBody(CreateSubscriptionSchema, urlProblems)

export const updateSubscriptionBody = jsonBody(UpdateSubscriptionSchema, urlProblems)

/** `ws_` and the 32 digits of our id. */
export function subscriptionIdOf(endpointId: string): string {
  return endpointId.replace('ep_', 'ws_')
}

/** Our id behind a subscription's; throws `not_found` for what is none. */
export function endpointIdOf(subscriptionId: string): string {
  const digits = /^ws_([0-9a-f]{32})$/.exec(subscriptionId)?.[1]
  return digits === undefined ? missing('subscription', '') : `ep_${digits}`
}

/** A subscription as every answer but that of a rotate shows it; `secret` as far as it may be seen. */
export function presentSubscription(endpoint: Endpoint, secret: string) {
  return {
    id: subscriptionIdOf(endpoint.id),
    webhook_url: endpoint.url,
    version: payloadVersionOf(endpoint),
    enabled_events: withoutWildcards(endpoint.eventTypes, publishedTypes),
    secret,
    created_at: wireTime(endpoint.createdAt),
    updated_at: wireTime(endpoint.updatedAt),
  }
}

/** @throws AppError `validation_failed` for event types that are not known. */
export async function readCreateSubscription(
  body: Static<typeof CreateSubscriptionSchema>,
  context: ActionContext,
  projectId: string,
): Promise<CreateEndpointInput> {
  await refuseUnknownTypes(body, context, projectId)
  const { webhook_url: url, enabled_events: eventTypes, version = 'V3' } = body
  return { url, eventTypes, format: formats[version] }
}

/**
 * Only what was given.
 *
 * @throws AppError `validation_failed` for event types that are not known, and where nothing was
 * given.
 */
export async function readUpdateSubscription(
  body: Static<typeof UpdateSubscriptionSchema>,
  context: ActionContext,
  before: Endpoint,
): Promise<UpdateEndpointInput> {
  const { webhook_url: url, enabled_events: eventTypes, version } = body
  if (url === undefined && eventTypes === undefined && version === undefined) {
    throw invalidField('body', 'Must have at least one of: webhook_url, enabled_events, version.')
  }
  await refuseUnknownTypes(body, context, before.projectId)
  // Formats that are not Composio's show as V3: a client that sends back what it read must not
  // change by that how another system's receiver has to verify.
  const isNewVersion = version !== undefined && version !== payloadVersionOf(before)
  return {
    ...(url === undefined ? {} : { url }),
    eventTypes,
    format: isNewVersion ? formats[version] : undefined,
  }
}

function payloadVersionOf({ format }: Endpoint) {
  return payloadVersions.find((version) => formats[version] === format) ?? 'V3'
}

/** No action knows which types are published here, so that is asked before one is called. */
async function refuseUnknownTypes(
  body: Static<typeof UpdateSubscriptionSchema>,
  context: ActionContext,
  projectId: string,
): Promise<void> {
  const eventTypes = body.enabled_events ?? []
  const unknown = await unknownTypeProblems(context, projectId, eventTypes, publishedTypes)
  if (unknown.length === 0) return
  // The URL's faults are told along with them, so that one round puts everything right.
  throw invalidFields([...urlProblems(body, context), ...ownFieldNames(unknown, fieldNames)])
}

/** What the rules of an endpoint have against a URL that is a text. */
function urlProblems(body: unknown, { urlPolicy }: ActionParts): FieldError[] {
  const { webhook_url: url } = (body ?? {}) as { webhook_url?: unknown }
  return ownFieldNames(checkEndpointInput({ url }, urlPolicy), fieldNames)
}
