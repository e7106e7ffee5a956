import type { Static } from 'typebox'
import type { ActionContext } from '../../actions/action-context.ts'
import { Type } from '../../api/wire/type.ts'
import { invalidFields } from '../../core/errors.ts'
import { showWebhook } from './webhook.ts'

const sizeMax = 1_000
const sizeDefault = 10
/** Further than any list of webhooks reaches: what is skipped is bounded by how many there are. */
const pageMax = 1_000_000

export const webhookListQuery = Type.Object({
  page: Type.Optional(Type.Integer({ minimum: 1, maximum: pageMax })),
  size: Type.Optional(Type.Integer({ minimum: 1, maximum: sizeMax })),
  // Once, several times, or as the JSON text that one of the clients makes of a list.
  sort: Type.Optional(Type.Unknown()),
})

/** One page of the project's webhooks, newest first unless it is asked otherwise. */
export async function listWebhooks(
  context: ActionContext,
  projectId: string,
  { page = 1, size = sizeDefault, sort }: Static<typeof webhookListQuery>,
) {
  const { storage } = context
  const endpoints = await storage.listEndpointsAt(
    projectId,
    {},
    { skip: (page - 1) * size, limit: size, isOldestFirst: isOldestFirst(sort) },
  )
  const items = await Promise.all(endpoints.map((endpoint) => showWebhook(context, endpoint)))
  return { items, total: await storage.countEndpoints(projectId), page }
}

/** There is one field to sort by, so of several entries the first decides. */
function isOldestFirst(sort: unknown): boolean {
  const entries = sortEntries(sort)
  if (entries.every(isSortEntry)) return entries[0] === 'created_at'
  const detail = 'Must be created_at or -created_at.'
  throw invalidFields([{ param: 'sort', detail, code: 'invalid_value' }], 'query')
}

function isSortEntry(entry: unknown): boolean {
  return entry === 'created_at' || entry === '-created_at'
}

function sortEntries(sort: unknown): unknown[] {
  if (sort === undefined) return []
  if (typeof sort !== 'string') return [sort].flat()
  if (!sort.startsWith('[')) return [sort]
  try {
    return [JSON.parse(sort)].flat()
  } catch {
    return [sort]
  }
}
