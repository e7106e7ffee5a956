import type { Static } from 'typebox'
import type { ActionContext } from '../../actions/action-context.ts'
import { apiLimits } from '../../api/api-limits.ts'
import { oneOf, text } from '../../api/wire/fields.ts'
import { Type } from '../../api/wire/type.ts'
import { endpointConditions } from '../../core/endpoint.ts'
import { invalidFields } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { EndpointFilter } from '../../storage/storage.ts'
import { numberedPage, pageQuery, presentPagination } from './numbered-pages.ts'
import { presentWebhook } from './webhook.ts'

export const webhookListQuery = pageQuery({
  status: Type.Optional(oneOf(endpointConditions)),
  /** An empty one is none, as a search box sends it. */
  search: Type.Optional(Type.String({ maxLength: apiLimits.searchLengthMax })),
  mine: Type.Optional(oneOf(['true', 'false'])),
  createdBy: Type.Optional(text(limits.uidLengthMax)),
})

type WebhookListQuery = Static<typeof webhookListQuery>

/** One page of the project's webhooks, newest first; `counts` are of all of them. */
export async function listWebhooks(
  { storage, principal }: ActionContext,
  projectId: string,
  query: WebhookListQuery,
) {
  const page = numberedPage(query)
  const filter = filterOf(query, principal.actor.id)
  const [endpoints, total, counts] = await Promise.all([
    storage.listEndpointsAt(projectId, filter, page.stretch),
    storage.countEndpoints(projectId, filter),
    storage.countEndpointsByCondition(projectId),
  ])
  const { active, failing, blocked, disabled } = counts
  return {
    items: endpoints.map(presentWebhook),
    pagination: presentPagination(page, total),
    counts: { total: active + failing + blocked + disabled, active, failing, blocked, disabled },
  }
}

function filterOf(
  { status, search, mine, createdBy }: WebhookListQuery,
  callerId: string | null,
): EndpointFilter {
  if (mine !== undefined && createdBy !== undefined) {
    const detail = 'Cannot stand beside mine: send one of them.'
    throw invalidFields([{ param: 'createdBy', detail, code: 'invalid_value' }], 'query')
  }
  const createdById = mine === 'true' ? callerId : createdBy
  return {
    ...(status === undefined ? {} : { condition: status }),
    ...(search === undefined || search === '' ? {} : { search }),
    ...(createdById === undefined || createdById === null ? {} : { createdById }),
  }
}
