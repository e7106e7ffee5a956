import type { Static } from 'typebox'
import type { ActionParts } from '../../actions/action-context.ts'
import type { CreateEndpointInput } from '../../actions/create-endpoint.ts'
import { checkEndpointInput } from '../../actions/endpoint-input.ts'
import type { UpdateEndpointInput } from '../../actions/update-endpoint.ts'
import { jsonBody } from '../../api/request-body.ts'
import { mergeFieldErrors } from '../../api/validation.ts'
import { nullable, oneOf, text } from '../../api/wire/fields.ts'
import { wireTime } from '../../api/wire/time.ts'
import { Type } from '../../api/wire/type.ts'
import type { Endpoint } from '../../core/endpoint.ts'
import { type FieldError, invalidField, invalidFields } from '../../core/errors.ts'
import { uuidOf } from '../../core/ids.ts'
import { limits } from '../../core/limits.ts'
import { ownFieldNames } from '../own-field-names.ts'
import { reservedTypeProblems } from '../reserved-event-types.ts'
import { fieldNames } from './surface.ts'

const stateNames = { active: 'ACTIVE', disabled: 'DISABLED' } as const
const states = { ACTIVE: 'active', DISABLED: 'disabled' } as const

const eventTypesField = Type.Array(text(limits.eventTypeLengthMax), {
  maxItems: limits.eventTypesMax,
})
const descriptionField = Type.String({ maxLength: limits.descriptionLengthMax })

const CreateWebhookSchema = Type.Object({
  url: text(limits.urlLengthMax),
  eventTypes: Type.Optional(eventTypesField),
  description: Type.Optional(descriptionField),
})

/** `url` is not among them: like any other unknown field it is ignored. */
const UpdateWebhookSchema = Type.Object({
  eventTypes: Type.Optional(eventTypesField),
  state: Type.Optional(oneOf(['ACTIVE', 'DISABLED'])),
  description: Type.Optional(nullable(descriptionField)),
})

export const createWebhookBody = jsonBody(CreateWebhookSchema, webhookProblems)

export const updateWebhookBody = jsonBody(UpdateWebhookSchema, webhookProblems)

/** A webhook as every answer shows it; those of create and rotate add `secret`. */
export function presentWebhook(endpoint: Endpoint) {
  return {
    id: uuidOf(endpoint.id),
    url: endpoint.url,
    eventTypes: endpoint.eventTypes,
    state: stateNames[endpoint.state],
    health: endpoint.health,
    blockedAt: wireTime(endpoint.blockedAt),
    blockedReason: endpoint.blockedReason,
    signingEnabled: endpoint.signingEnabled,
    description: endpoint.description,
    createdBy: endpoint.createdBy.id,
    createdAt: wireTime(endpoint.createdAt),
    updatedAt: wireTime(endpoint.updatedAt),
  }
}

/** @throws AppError `validation_failed` for reserved event types. */
export function readCreateWebhook(
  body: Static<typeof CreateWebhookSchema>,
  parts: ActionParts,
): CreateEndpointInput {
  refuseReservedTypes(body, parts)
  const { url, eventTypes, description } = body
  return { url, description, eventTypes: filterOf(eventTypes ?? []), format: 'mobilerun' }
}

/**
 * Only what was given.
 *
 * @throws AppError `validation_failed` for reserved event types, and where nothing was given.
 */
export function readUpdateWebhook(
  { eventTypes, state, description }: Static<typeof UpdateWebhookSchema>,
  parts: ActionParts,
): UpdateEndpointInput {
  if (eventTypes === undefined && state === undefined && description === undefined) {
    throw invalidField('body', 'Must have at least one of: eventTypes, state, description.')
  }
  refuseReservedTypes({ eventTypes }, parts)
  return {
    description,
    eventTypes: eventTypes && filterOf(eventTypes),
    state: state && states[state],
  }
}

/** No types at all means every type, here. */
function filterOf(eventTypes: string[]): string[] {
  return eventTypes.length === 0 ? ['*'] : eventTypes
}

/** No action knows that they are out of reach here, so that is asked before one is called. */
function refuseReservedTypes(body: { eventTypes?: string[] | undefined }, parts: ActionParts) {
  if (reservedTypeProblems(body.eventTypes).length === 0) return
  throw invalidFields(webhookProblems(body, parts))
}

/** What the rules of an endpoint have against the members that have the right type. */
function webhookProblems(body: unknown, { urlPolicy }: ActionParts): FieldError[] {
  const { url, eventTypes } = body as { url?: unknown; eventTypes?: unknown }
  const problems = mergeFieldErrors(
    reservedTypeProblems(eventTypes),
    checkEndpointInput({ url, event_types: eventTypes }, urlPolicy),
  )
  return ownFieldNames(problems, fieldNames)
}
