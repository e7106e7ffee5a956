import type { Static } from 'typebox'
import type { ActionContext, ActionParts } from '../../actions/action-context.ts'
import type { CreateEndpointInput } from '../../actions/create-endpoint.ts'
import { checkEndpointInput } from '../../actions/endpoint-input.ts'
import { jsonAnswer } from '../../api/answer.ts'
import { jsonBody } from '../../api/request-body.ts'
import { text } from '../../api/wire/fields.ts'
import { wireTime } from '../../api/wire/time.ts'
import { Type } from '../../api/wire/type.ts'
import type { Endpoint } from '../../core/endpoint.ts'
import { type FieldError, invalidFields } from '../../core/errors.ts'
import { uuidOf } from '../../core/ids.ts'
import { limits } from '../../core/limits.ts'
import { unknownTypeProblems, withoutWildcards } from '../published-types.ts'
import { publishedTypes } from './event-types.ts'

const CreateWebhookSchema = Type.Object({
  url: text(limits.urlLengthMax),
  events: Type.Array(text(limits.eventTypeLengthMax), {
    minItems: 1,
    maxItems: limits.eventTypesMax,
  }),
})

export const createWebhookBody = jsonBody(CreateWebhookSchema, webhookProblems)

/** A webhook as create and list show it; create adds `secret`. */
export function presentWebhook(endpoint: Endpoint) {
  return {
    id: uuidOf(endpoint.id),
    url: endpoint.url,
    events: withoutWildcards(endpoint.eventTypes, publishedTypes),
    isActive: endpoint.state === 'active',
    createdAt: wireTime(endpoint.createdAt),
    updatedAt: wireTime(endpoint.updatedAt),
  }
}

/** What nearly every answer is wrapped in. */
export function envelopeAnswer(
  status: number,
  data: object,
  { context, projectId }: { context: ActionContext; projectId: string },
) {
  const meta = { timestamp: wireTime(context.clock.now()), projectId: uuidOf(projectId) }
  return jsonAnswer(status, { data, meta })
}

/** @throws AppError `validation_failed` for event types that are not known. */
export async function readCreateWebhook(
  { url, events }: Static<typeof CreateWebhookSchema>,
  context: ActionContext,
  projectId: string,
): Promise<CreateEndpointInput> {
  const unknown = await unknownTypeProblems(context, projectId, events, publishedTypes)
  // The URL's faults are told along with them, so that one round puts everything right.
  if (unknown.length > 0) throw invalidFields([...webhookProblems({ url }, context), ...unknown])
  return { url, eventTypes: events, format: 'devtune' }
}

/** What the rules of an endpoint have against a URL that is a text. */
function webhookProblems(body: unknown, { urlPolicy }: ActionParts): FieldError[] {
  const { url } = (body ?? {}) as { url?: unknown }
  return checkEndpointInput({ url }, urlPolicy)
}
