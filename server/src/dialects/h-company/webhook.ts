import { type Static, Type } from 'typebox'
import type { ActionContext, ActionParts } from '../../actions/action-context.ts'
import type { CreateEndpointInput } from '../../actions/create-endpoint.ts'
import { checkEndpointInput } from '../../actions/endpoint-input.ts'
import type { UpdateEndpointInput } from '../../actions/update-endpoint.ts'
import { jsonBody } from '../../api/request-body.ts'
import { nullable, text } from '../../api/wire/fields.ts'
import { wireTime } from '../../api/wire/time.ts'
import type { Delivery } from '../../core/delivery.ts'
import type { Endpoint } from '../../core/endpoint.ts'
import { type FieldError, invalidFields } from '../../core/errors.ts'
import { idOfUuid, uuidOf } from '../../core/ids.ts'
import { limits } from '../../core/limits.ts'
import { ownFieldNames } from '../own-field-names.ts'
import { unknownTypeProblems } from '../published-types.ts'
import { publishedTypes } from './event-types.ts'
import { fieldNames } from './surface.ts'

const descriptionLengthMax = 255

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

/** A webhook as every answer shows it; those of create and rotate add `secret`. */
export function presentWebhook(endpoint: Endpoint, latest: Delivery | null) {
  const { lastSuccessAt, lastFailureAt } = endpoint
  const hasFailedLast = (lastFailureAt ?? 0) > (lastSuccessAt ?? 0)
  const lastAt = Math.max(lastSuccessAt ?? 0, lastFailureAt ?? 0)
  return {
    id: uuidOf(endpoint.id),
    url: endpoint.url,
    enabled_events: endpoint.eventTypes,
    description: endpoint.description,
    disabled: endpoint.state === 'disabled',
    created_at: wireTime(endpoint.createdAt),
    updated_at: wireTime(endpoint.updatedAt),
    last_delivery_status: lastAt === 0 ? null : hasFailedLast ? 'failed' : 'succeeded',
    last_delivery_error: hasFailedLast ? failureOf(latest) : null,
    last_delivery_at: lastAt === 0 ? null : wireTime(lastAt),
    last_success_at: wireTime(lastSuccessAt),
    consecutive_failures: endpoint.consecutiveFailures,
  }
}

/** The endpoint as it is shown, with what its newest delivery tells of its last failure. */
export async function showWebhook({ storage }: ActionContext, endpoint: Endpoint) {
  const [latest] = await storage.listDeliveriesAt(
    endpoint.projectId,
    { endpointId: endpoint.id },
    { skip: 0, limit: 1 },
  )
  return presentWebhook(endpoint, latest ?? null)
}

/** @throws AppError `validation_failed` for event types that are not known. */
export async function readCreateWebhook(
  body: Static<typeof CreateWebhookSchema>,
  context: ActionContext,
  projectId: string,
): Promise<CreateEndpointInput> {
  const { url, enabled_events: eventTypes = ['*'], description: text = null } = body
  await refuseUnknownTypes(context, projectId, eventTypes, body)
  return { url, eventTypes, description: text, format: 'h-company' }
}

/** Null leaves a field as it is, but the description, which it clears. */
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

async function refuseUnknownTypes(
  context: ActionContext,
  projectId: string,
  eventTypes: readonly string[],
  body: unknown,
): Promise<void> {
  const known = [...publishedTypes, '*']
  const unknown = await unknownTypeProblems(context, projectId, eventTypes, known)
  if (unknown.length === 0) return
  throw invalidFields([...urlProblems(body, context), ...ownFieldNames(unknown, fieldNames)])
}

function failureOf(latest: Delivery | null): string | null {
  if (latest === null) return null
  const { lastError, lastStatusCode } = latest
  if (lastError === 'http_status') return `The receiver answered ${lastStatusCode}.`
  return lastError
}

/** What the rules of an endpoint have against a URL that is a text. */
function urlProblems(body: unknown, { urlPolicy }: ActionParts): FieldError[] {
  const { url } = (body ?? {}) as { url?: unknown }
  return checkEndpointInput({ url }, urlPolicy)
}
