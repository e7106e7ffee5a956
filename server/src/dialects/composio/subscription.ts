import { type Static, Type } from 'typebox'
import type { ActionParts } from '../../actions/action-context.ts'
import type { CreateEndpointInput } from '../../actions/create-endpoint.ts'
import { checkEndpointInput } from '../../actions/endpoint-input.ts'
import { missing } from '../../actions/load.ts'
import type { UpdateEndpointInput } from '../../actions/update-endpoint.ts'
import { jsonBody } from '../../api/request-body.ts'
import { mergeFieldErrors } from '../../api/validation.ts'
import { oneOf, text } from '../../api/wire/fields.ts'
import { wireTime } from '../../api/wire/time.ts'
import type { Endpoint } from '../../core/endpoint.ts'
import { type FieldError, invalidField, invalidFields } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { ownFieldNames } from '../own-field-names.ts'
import { enabledEventsOf, publishedTypes } from './event-types.ts'
import { fieldNames } from './surface.ts'

/** The versions of the payload, and the formats that write them. */
const formats = { V1: 'composio-v1', V2: 'composio-v2', V3: 'composio' } as const
const payloadVersions = ['V1', 'V2', 'V3'] as const

const fields = {
  webhook_url: text(limits.urlLengthMax),
  enabled_events: Type.Array(Type.String(), { minItems: 1, maxItems: limits.eventTypesMax }),
  version: oneOf(payloadVersions),
}

const CreateSubscriptionSchema = Type.Object({ ...fields, version: Type.Optional(fields.version) })

const UpdateSubscriptionSchema = Type.Partial(Type.Object(fields))

export const createSubscriptionBody = jsonBody(CreateSubscriptionSchema, subscriptionProblems)

export const updateSubscriptionBody = jsonBody(UpdateSubscriptionSchema, subscriptionProblems)

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
    enabled_events: enabledEventsOf(endpoint.eventTypes),
    secret,
    created_at: wireTime(endpoint.createdAt),
    updated_at: wireTime(endpoint.updatedAt),
  }
}

/** @throws AppError `validation_failed` for event types that are not published. */
export function readCreateSubscription(
  body: Static<typeof CreateSubscriptionSchema>,
  parts: ActionParts,
): CreateEndpointInput {
  refuseUnknownTypes(body, parts)
  const { webhook_url: url, enabled_events: eventTypes, version = 'V3' } = body
  return { url, eventTypes, format: formats[version] }
}

/**
 * Only what was given.
 *
 * @throws AppError `validation_failed` for event types that are not published, and where nothing
 * was given.
 */
export function readUpdateSubscription(
  body: Static<typeof UpdateSubscriptionSchema>,
  before: Endpoint,
  parts: ActionParts,
): UpdateEndpointInput {
  const { webhook_url: url, enabled_events: eventTypes, version } = body
  if (url === undefined && eventTypes === undefined && version === undefined) {
    throw invalidField('body', 'Must have at least one of: webhook_url, enabled_events, version.')
  }
  refuseUnknownTypes(body, parts)
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
function refuseUnknownTypes(body: { enabled_events?: string[] }, parts: ActionParts): void {
  if (unknownTypeProblems(body.enabled_events).length === 0) return
  throw invalidFields(subscriptionProblems(body, parts))
}

/** What the rules of an endpoint have against the members that have the right type. */
function subscriptionProblems(body: unknown, { urlPolicy }: ActionParts): FieldError[] {
  const { webhook_url: url, enabled_events: eventTypes } = (body ?? {}) as Record<string, unknown>
  return mergeFieldErrors(
    ownFieldNames(checkEndpointInput({ url }, urlPolicy), fieldNames),
    unknownTypeProblems(eventTypes),
  )
}

function unknownTypeProblems(eventTypes: unknown): FieldError[] {
  if (!Array.isArray(eventTypes)) return []
  return eventTypes.flatMap((entry: unknown, index) =>
    typeof entry === 'string' && !publishedTypes.includes(entry)
      ? [
          {
            param: `enabled_events.${index}`,
            detail: `Must be one of: ${publishedTypes.join(', ')}.`,
            code: 'unknown_event_type',
          },
        ]
      : [],
  )
}
