import { Buffer } from 'node:buffer'
import type { Static } from 'typebox'
import type { ActionContext } from '../../actions/action-context.ts'
import { Type } from '../../api/wire/type.ts'
import type { Endpoint } from '../../core/endpoint.ts'
import { type AppError, invalidFields } from '../../core/errors.ts'
import type { Stretch } from '../../storage/storage.ts'
import { shownSecrets } from './shown-secrets.ts'
import { presentSubscription } from './subscription.ts'
import type { ComposioVersion } from './version.ts'

/** Of a page that names no limit; Composio documents none. */
const limitDefault = 20
/** What a page lies behind is read and thrown away, so no page may begin deeper than this. */
const skippedMax = 100_000
/** Longer than any cursor of ours, so that a hostile one costs nothing. */
const cursorLengthMax = 128

/** Texts, because clients send an empty one for null. */
export const subscriptionListQuery = Type.Object({
  limit: Type.Optional(Type.String()),
  cursor: Type.Optional(Type.String()),
})

/** A page counts from 1. */
interface ListPage {
  page: number
  limit: number
}

/**
 * One page of the project's subscriptions: those made by Composio, then the others, each newest
 * first. Composio knows one a project, and its client takes the first of `limit=1` for that one to
 * change it. So with `limit=1` the others do not exist: nobody's endpoint may be overwritten.
 */
export async function listSubscriptions(
  version: ComposioVersion,
  context: ActionContext,
  projectId: string,
  query: Static<typeof subscriptionListQuery>,
) {
  const { page, limit } = readPage(query, version.listLimitMax)
  const { storage } = context
  const ownCount = await storage.countEndpoints(projectId, { dialect: 'composio' })
  const otherCount =
    limit === 1 ? 0 : await storage.countEndpoints(projectId, { notDialect: 'composio' })
  const total = ownCount + otherCount
  const pageCount = Math.ceil(total / limit)
  const skip = (page - 1) * limit
  const endpoints = await readStretch(context, projectId, { ownCount, otherCount, skip, limit })
  const secrets = await shownSecrets(version, context, endpoints)
  return {
    items: endpoints.map((endpoint, index) => presentSubscription(endpoint, secrets[index] ?? '')),
    next_cursor: page < pageCount ? encodeCursor({ page: page + 1, limit }) : null,
    total_pages: pageCount,
    current_page: page,
    total_items: total,
  }
}

/** The cursor knows its page's limit, so a limit beside it is not looked at. */
function readPage(
  { limit, cursor }: Static<typeof subscriptionListQuery>,
  limitMax: number,
): ListPage {
  if (cursor === undefined || cursor === '') return { page: 1, limit: readLimit(limit, limitMax) }
  const page = decodeCursor(cursor)
  if (page !== null && page.limit <= limitMax) return page
  throw invalidQuery('cursor', 'Must be a next_cursor of this list.')
}

function readLimit(text: string | undefined, limitMax: number): number {
  if (text === undefined || text === '') return limitDefault
  const limit = /^[1-9][0-9]{0,3}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= limitMax) return limit
  throw invalidQuery('limit', `Must be a whole number from 1 to ${limitMax}.`)
}

function invalidQuery(param: string, detail: string): AppError {
  return invalidFields([{ param, detail, code: 'invalid_value' }], 'query')
}

/** As Composio's documents describe it: base64 of the page and its limit. */
function encodeCursor({ page, limit }: ListPage): string {
  return Buffer.from(JSON.stringify({ page, limit })).toString('base64')
}

/** Null for a text that `encodeCursor` did not make, or one of a page that is too deep. */
function decodeCursor(cursor: string): ListPage | null {
  if (cursor.length > cursorLengthMax) return null
  const text = Buffer.from(cursor, 'base64').toString('latin1')
  const match = /^\{"page":([1-9][0-9]{0,6}),"limit":([1-9][0-9]{0,3})\}$/.exec(text)
  if (match === null) return null
  const decoded = { page: Number(match[1]), limit: Number(match[2]) }
  const isDeep = (decoded.page - 1) * decoded.limit > skippedMax
  return isDeep || encodeCursor(decoded) !== cursor ? null : decoded
}

async function readStretch(
  { storage }: ActionContext,
  projectId: string,
  { ownCount, otherCount, skip, limit }: Stretch & { ownCount: number; otherCount: number },
): Promise<Endpoint[]> {
  const own =
    skip < ownCount
      ? await storage.listEndpointsAt(projectId, { dialect: 'composio' }, { skip, limit })
      : []
  const left = { skip: Math.max(0, skip - ownCount), limit: limit - own.length }
  if (otherCount === 0 || left.limit === 0) return own
  const others = await storage.listEndpointsAt(projectId, { notDialect: 'composio' }, left)
  return [...own, ...others]
}
