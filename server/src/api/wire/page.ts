import type { Static, TObject, TProperties, TSchema } from 'typebox'
import { invalidField } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { CURSOR_LENGTH_MAX, decodeCursor, encodeCursor } from '../../core/page-cursor.ts'
import type { Page, PageRequest } from '../../storage/storage.ts'
import { nullable, ref } from './fields.ts'
import { Type } from './type.ts'

/** What a list takes: `limit` and `cursor`, and filters of its own. Nothing else. */
export function listQuery<T extends TProperties = Record<never, TSchema>>(filters?: T) {
  return Type.Object({ ...pageQuery, ...(filters as T) }, { additionalProperties: false })
}

const pageQuery = {
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: limits.pageSizeMax,
      default: limits.pageSizeDefault,
      description: 'How many items at most.',
    }),
  ),
  cursor: Type.Optional(
    Type.String({
      maxLength: CURSOR_LENGTH_MAX,
      description: '`next_cursor` of an earlier page.',
    }),
  ),
}

/** The schema of a list of `item`, named after it. */
export function pageOf<T extends TSchema>(item: T, name: string, order = 'Newest first.') {
  return Type.Object(
    {
      data: Type.Array(ref(item), { description: order }),
      has_more: Type.Boolean(),
      next_cursor: nullable(Type.String({ description: 'Pass it as `cursor`; null at the end.' })),
    },
    { $id: name, additionalProperties: false },
  )
}

/** What the port is asked for. A cursor that no list made is refused. */
export function pageRequest(query: { limit?: number; cursor?: string }): PageRequest {
  const limit = query.limit ?? limits.pageSizeDefault
  if (query.cursor === undefined) return { limit, after: null }
  const after = decodeCursor(query.cursor)
  if (after === null) {
    throw invalidField('cursor', 'Must be the next_cursor of an earlier page, unchanged.')
  }
  return { limit, after }
}

export function presentPage<T, Wire>(page: Page<T>, present: (item: T) => Wire): WirePage<Wire> {
  return {
    data: page.items.map(present),
    has_more: page.hasMore,
    next_cursor: page.nextKey === null ? null : encodeCursor(page.nextKey),
  }
}

/** A page of a list that is in memory as a whole. */
export function slicePage<T extends { id: string }>(
  items: readonly T[],
  { limit, after }: PageRequest,
): Page<T> {
  const start = after === null ? 0 : items.findIndex((item) => item.id === after) + 1
  // A cursor whose item is gone, or that was forged, continues nowhere.
  const rest = after !== null && start === 0 ? [] : items.slice(start)
  const shown = rest.slice(0, limit)
  const hasMore = rest.length > shown.length
  return { items: shown, hasMore, nextKey: hasMore ? (shown.at(-1)?.id ?? null) : null }
}

export interface WirePage<Wire> {
  data: Wire[]
  has_more: boolean
  next_cursor: string | null
}

export type PageQuery = Static<TObject<typeof pageQuery>>
