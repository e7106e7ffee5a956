import type { TProperties, TSchema } from 'typebox'
import { Type } from '../../api/wire/type.ts'
import { invalidFields } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { Stretch } from '../../storage/storage.ts'

/** The bounds of a list. Mobilerun documents none; its own tools ask for at most 100 at once. */
const pageSizeDefault = 20
const pageSizeMax = limits.pageSizeMax
/** What a page lies behind is read and thrown away, so no page may begin deeper than this. */
const skippedMax = 100_000

const pageFields = {
  page: Type.Optional(Type.Integer({ minimum: 1 })),
  pageSize: Type.Optional(Type.Integer({ minimum: 1, maximum: pageSizeMax })),
}

/** What a list takes: `page`, counted from 1, `pageSize`, and filters of its own. */
export function pageQuery<T extends TProperties = Record<never, TSchema>>(filters?: T) {
  return Type.Object({ ...pageFields, ...(filters as T) })
}

/** Which page of a list is asked for. */
export interface NumberedPage {
  page: number
  pageSize: number
  /** The same for the store. */
  stretch: Stretch
}

/** @throws AppError `validation_failed` for a page that begins too deep. */
export function numberedPage(query: { page?: number; pageSize?: number }): NumberedPage {
  const { page = 1, pageSize = pageSizeDefault } = query
  const skip = (page - 1) * pageSize
  if (skip > skippedMax) {
    const pageMax = Math.floor(skippedMax / pageSize) + 1
    const detail = `Must be at most ${pageMax} at ${pageSize} items a page: nothing is listed that lies behind more than ${skippedMax} newer items.`
    throw invalidFields([{ param: 'page', detail, code: 'out_of_range' }], 'query')
  }
  return { page, pageSize, stretch: { skip, limit: pageSize } }
}

export function presentPagination({ page, pageSize }: NumberedPage, total: number) {
  const pages = Math.ceil(total / pageSize)
  return { hasNext: page < pages, hasPrev: page > 1, page, pages, pageSize, total }
}
