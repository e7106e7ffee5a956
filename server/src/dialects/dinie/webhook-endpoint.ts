import type { Static } from 'typebox'
import type { ActionContext, ActionParts } from '../../actions/action-context.ts'
import type { CreateEndpointInput } from '../../actions/create-endpoint.ts'
import { checkEndpointInput } from '../../actions/endpoint-input.ts'
import { missing } from '../../actions/load.ts'
import type { UpdateEndpointInput } from '../../actions/update-endpoint.ts'
import { jsonBody } from '../../api/request-body.ts'
import { nullable, oneOf, text } from '../../api/wire/fields.ts'
import { Type } from '../../api/wire/type.ts'
import type { Endpoint } from '../../core/endpoint.ts'
import { type FieldError, invalidFields } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { ownFieldNames } from '../own-field-names.ts'
import { unknownTypeProblems } from '../published-types.ts'
import { publishedTypes, wildcards } from './event-types.ts'
import { fieldNames } from './surface.ts'
import type { WriteTime } from './times.ts'

const fields = {
  url: text(limits.urlLengthMax),
  events: Type.Optional(
    Type.Array(text(limits.eventTypeLengthMax), { maxItems: limits.eventTypesMax }),
  ),
  description: Type.Optional(nullable(Type.String({ maxLength: limits.descriptionLengthMax }))),
}

const CreateEndpointSchema = Type.Object(fields)

const UpdateEndpointSchema = Type.Object({
  ...fields,
  url: Type.Optional(fields.url),
  status: Type.Optional(oneOf(['active', 'disabled'])),
})

export const createEndpointBody = jsonBody(CreateEndpointSchema, urlProblems)

export const updateEndpointBody = jsonBody(UpdateEndpointSchema, urlProblems)

/** `we_` and the 32 digits of our id. */
export function webhookEndpointIdOf(endpointId: string): string {
  return endpointId.replace('ep_', 'we_')
}

/** Our id behind one of Dinie's; throws `not_found` for what is none. */
export function endpointIdOf(webhookEndpointId: string): string {
  return readId(webhookEndpointId) ?? missing('webhook endpoint', '')
}

/** The same for a parameter of the query, which is at fault where it is none. */
export function endpointIdIn(param: string, webhookEndpointId: string): string {
  const id = readId(webhookEndpointId)
  if (id !== null) return id
  const detail = 'Must be the id of a webhook endpoint.'
  throw invalidFields([{ param, detail, code: 'invalid_value' }], 'query')
}

/** An endpoint as every answer shows it; create adds `secret`. */
export function presentWebhookEndpoint(endpoint: Endpoint, writeTime: WriteTime) {
  return {
    id: webhookEndpointIdOf(endpoint.id),
    url: endpoint.url,
    events: endpoint.eventTypes,
    description: endpoint.description,
    status: endpoint.state,
    created_at: writeTime(endpoint.createdAt),
    updated_at: writeTime(endpoint.updatedAt),
  }
}

/** @throws AppError `validation_failed` for event types that are not known. */
export async function readCreateEndpoint(
  body: Static<typeof CreateEndpointSchema>,
  context: ActionContext,
  projectId: string,
): Promise<CreateEndpointInput> {
  const { url, events = [], description } = body
  await refuseUnknownTypes(context, projectId, events, body)
  return { url, description, eventTypes: filterOf(events), format: 'dinie' }
}

/** Only what was given. @throws AppError `validation_failed` for event types that are not known. */
export async function readUpdateEndpoint(
  body: Static<typeof UpdateEndpointSchema>,
  context: ActionContext,
  projectId: string,
): Promise<UpdateEndpointInput> {
  const { url, events, description, status } = body
  await refuseUnknownTypes(context, projectId, events ?? [], body)
  return {
    ...(url === undefined ? {} : { url }),
    description,
    eventTypes: events && filterOf(events),
    state: status,
  }
}

function readId(webhookEndpointId: string): string | null {
  const digits = /^we_([0-9a-f]{32})$/.exec(webhookEndpointId)?.[1]
  return digits === undefined ? null : `ep_${digits}`
}

/** No events at all means every event, here. */
function filterOf(events: string[]): string[] {
  return events.length === 0 ? ['*'] : events
}

async function refuseUnknownTypes(
  context: ActionContext,
  projectId: string,
  events: readonly string[],
  body: unknown,
): Promise<void> {
  const known = [...publishedTypes, ...wildcards]
  const unknown = await unknownTypeProblems(context, projectId, events, known)
  if (unknown.length === 0) return
  throw invalidFields([...urlProblems(body, context), ...ownFieldNames(unknown, fieldNames)])
}

/** What the rules of an endpoint have against a URL that is a text. */
function urlProblems(body: unknown, { urlPolicy }: ActionParts): FieldError[] {
  const { url } = (body ?? {}) as { url?: unknown }
  return checkEndpointInput({ url }, urlPolicy)
}
