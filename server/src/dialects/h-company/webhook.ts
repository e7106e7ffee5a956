import type { Static } from 'typebox'
import type { ActionContext, ActionParts } from '../../actions/action-context.ts'
import type { CreateEndpointInput } from '../../actions/create-endpoint.ts'
import { checkEndpointInput } from '../../actions/endpoint-input.ts'
import type { UpdateEndpointInput } from '../../actions/update-endpoint.ts'
import { jsonBody } from '../../api/request-body.ts'
import { mergeFieldErrors } from '../../api/validation.ts'
import { nullable, text } from '../../api/wire/fields.ts'
import { wireTime } from '../../api/wire/time.ts'
import { Type } from '../../api/wire/type.ts'
import type { Delivery } from '../../core/delivery.ts'
import type { Endpoint } from '../../core/endpoint.ts'
import { type FieldError, invalidFields } from '../../core/errors.ts'
import { compileFilter } from '../../core/event-filter.ts'
import { idOfUuid, uuidOf } from '../../core/ids.ts'
import { limits } from '../../core/limits.ts'
import { ownFieldNames } from '../own-field-names.ts'
import { unknownTypeProblems } from '../published-types.ts'
import { pingType, publishedTypes } from './event-types.ts'
import { fieldNames } from './surface.ts'

const descriptionLengthMax = 255
/** How many of a webhook's newest deliveries are searched for its last failure. */
const deliveriesSearchedMax = 10
const unknownFailure = 'The last attempt failed.'

const enabledEvents = Type.Array(text(limits.eventTypeLengthMax), {
  minItems: 1,
  maxItems: limits.eventTypesMax,
})
const description = nullable(Type.String({ maxLength: descriptionLengthMax }))

const CreateWebhookSchema = Type.Object({
  url: text(limits.urlLengthMax),
  enabled_events: Type.Optional(enabledEvents),
  description: Type.Optional(description),
})

const UpdateWebhookSchema = Type.Object({
  url: Type.Optional(nullable(text(limits.urlLengthMax))),
  enabled_events: Type.Optional(nullable(enabledEvents)),
  description: Type.Optional(description),
  disabled: Type.Optional(nullable(Type.Boolean())),
})

export const createWebhookBody = jsonBody(CreateWebhookSchema, urlProblems)

export const updateWebhookBody = jsonBody(UpdateWebhookSchema, urlProblems)

/** Our id behind a UUID; text that is none is a field error of the path, as its clients expect. */
export function endpointIdOf(webhookId: string): string {
  const id = idOfUuid('ep', webhookId)
  if (id !== null) return id
  throw invalidFields(
    [{ param: 'webhook_id', detail: 'Must be a UUID.', code: 'uuid_parsing' }],
    'path',
  )
}

/**
 * A webhook as every answer shows it; those of create and rotate add `secret`.
 *
 * @param failure what went wrong, shown where the last attempt has failed
 */
export function presentWebhook(endpoint: Endpoint, failure = unknownFailure) {
  const { lastSuccessAt, lastFailureAt } = endpoint
  const lastAt = Math.max(lastSuccessAt ?? 0, lastFailureAt ?? 0)
  const isFailed = hasFailedLast(endpoint)
  return {
    id: uuidOf(endpoint.id),
    url: endpoint.url,
    enabled_events: shownEvents(endpoint.eventTypes),
    description: endpoint.description,
    disabled: endpoint.state === 'disabled',
    created_at: wireTime(endpoint.createdAt),
    updated_at: wireTime(endpoint.updatedAt),
    last_delivery_status: lastAt === 0 ? null : isFailed ? 'failed' : 'succeeded',
    last_delivery_error: isFailed ? failure : null,
    last_delivery_at: lastAt === 0 ? null : wireTime(lastAt),
    last_success_at: wireTime(lastSuccessAt),
    consecutive_failures: endpoint.consecutiveFailures,
  }
}

/** The same, with what its deliveries tell of its last failure. */
export async function showWebhook({ storage }: ActionContext, endpoint: Endpoint) {
  if (!hasFailedLast(endpoint)) return presentWebhook(endpoint)
  const deliveries = await storage.listDeliveriesAt(
    endpoint.projectId,
    { endpointId: endpoint.id },
    { skip: 0, limit: deliveriesSearchedMax },
  )
  return presentWebhook(endpoint, failureOf(deliveries))
}

/** @throws AppError `validation_failed` for event types that cannot be enabled. */
export async function readCreateWebhook(
  body: Static<typeof CreateWebhookSchema>,
  context: ActionContext,
  projectId: string,
): Promise<CreateEndpointInput> {
  const { url, enabled_events: eventTypes = ['*'], description: text = null } = body
  await refuseUnknownTypes(context, projectId, eventTypes, body)
  return { url, eventTypes, description: text, format: 'h-company' }
}

/**
 * Null leaves a field as it is, but the description, which it clears.
 *
 * @throws AppError `validation_failed` for event types that cannot be enabled.
 */
export async function readUpdateWebhook(
  body: Static<typeof UpdateWebhookSchema>,
  context: ActionContext,
  projectId: string,
): Promise<UpdateEndpointInput> {
  const { url, enabled_events: eventTypes, description: text, disabled } = body
  await refuseUnknownTypes(context, projectId, eventTypes ?? [], body)
  return {
    ...(typeof url === 'string' ? { url } : {}),
    eventTypes: eventTypes ?? undefined,
    description: text,
    state: typeof disabled === 'boolean' ? (disabled ? 'disabled' : 'active') : undefined,
  }
}

/** Every entry that cannot be enabled here, and what is wrong with the URL beside it. */
async function refuseUnknownTypes(
  context: ActionContext,
  projectId: string,
  eventTypes: readonly string[],
  body: unknown,
): Promise<void> {
  const known = [...publishedTypes, '*']
  const unknown = await unknownTypeProblems(context, projectId, eventTypes, known)
  const problems = mergeFieldErrors(pingProblems(eventTypes), unknown)
  if (problems.length === 0) return
  throw invalidFields([...urlProblems(body, context), ...ownFieldNames(problems, fieldNames)])
}

/** Pings reach every webhook and cannot be enabled, even where the catalogue has such a type. */
function pingProblems(eventTypes: readonly string[]): FieldError[] {
  return eventTypes.flatMap((type, index) => {
    if (type !== pingType) return []
    const detail = 'Pings reach every webhook by themselves; they cannot be enabled.'
    return [{ param: `event_types.${index}`, detail, code: 'invalid_value' }]
  })
}

/** What the rules of an endpoint have against a URL that is a text. */
function urlProblems(body: unknown, { urlPolicy }: ActionParts): FieldError[] {
  const { url } = (body ?? {}) as { url?: unknown }
  return checkEndpointInput({ url }, urlPolicy)
}

function hasFailedLast({ consecutiveFailures, lastFailureAt, lastSuccessAt }: Endpoint): boolean {
  return consecutiveFailures > 0 || (lastFailureAt ?? 0) > (lastSuccessAt ?? 0)
}

/**
 * A filter that was set elsewhere: `prefix.*`, which is unknown here, as the published types that it
 * matches. Where it matches none it stays, so that nothing which is delivered is hidden.
 */
function shownEvents(eventTypes: readonly string[]): string[] {
  if (eventTypes.length === 0) return ['*']
  const shown = eventTypes.flatMap((entry) => {
    const matched = entry.endsWith('.*') ? publishedTypes.filter(compileFilter([entry])) : []
    return matched.length > 0 ? matched : [entry]
  })
  return [...new Set(shown)]
}

/** A ping says nothing of how deliveries go. */
function failureOf(deliveries: readonly Delivery[]): string {
  const failed = deliveries.find(({ isTest, lastError }) => !isTest && lastError !== null)
  if (failed === undefined) return unknownFailure
  const { lastError, lastStatusCode } = failed
  const isAnswered = lastError === 'http_status' || lastError === 'redirect'
  return isAnswered
    ? `The receiver answered ${lastStatusCode}.`
    : `The attempt failed: ${lastError}.`
}
