import { toCamelCase } from './camel-case.ts'
import { CountersignError } from './errors.ts'
import type { RequestOptions, Transport } from './transport.ts'

/**
 * One page of a list, newest first.
 *
 * @example
 * const page: Page<Endpoint> = await client.endpoints.list(project, { limit: 100 }).page()
 * if (page.nextCursor !== null) {
 *   await client.endpoints.list(project, { limit: 100, cursor: page.nextCursor }).page()
 * }
 */
export interface Page<T> {
  data: T[]
  hasMore: boolean
  /** Pass it as `cursor` to get the next page; null on the last one. */
  nextCursor: string | null
}

/**
 * A list that asks for its pages as it is read; nothing is sent before. Each `for await`, and
 * each call of `page` or `pages`, reads anew.
 *
 * @example
 * for await (const delivery of client.deliveries.list(project, { status: 'failed' })) {
 *   console.log(delivery.id, delivery.lastError)
 * }
 */
export interface List<T> extends AsyncIterable<T> {
  /** The one page at `cursor`, or the first where no cursor was given. */
  page(): Promise<Page<T>>
  /** That page and every one after it. */
  pages(): AsyncIterable<Page<T>>
}

interface WirePage {
  data: unknown[]
  has_more: boolean
  next_cursor: string | null
}

export interface ListSource {
  transport: Transport
  path: readonly string[]
  query: object | undefined
  options: RequestOptions | undefined
}

/** Makes the list behind a GET route that answers `{data, has_more, next_cursor}`. */
export function createList<T>(source: ListSource): List<T> {
  const first = cursorOf(source.query)
  return {
    page: () => fetchPage<T>(source, first),
    pages: () => fetchPages<T>(source, first),
    async *[Symbol.asyncIterator]() {
      for await (const page of fetchPages<T>(source, first)) yield* page.data
    },
  }
}

async function* fetchPages<T>(
  source: ListSource,
  first: string | undefined,
): AsyncGenerator<Page<T>, void, undefined> {
  for (let cursor = first; ; ) {
    const page = await fetchPage<T>(source, cursor)
    yield page
    if (!page.hasMore || page.nextCursor === null) return
    // A cursor that does not move would make this loop, and its caller's, endless.
    if (page.nextCursor === cursor) throw new CountersignError('The cursor of a list did not move')
    cursor = page.nextCursor
  }
}

async function fetchPage<T>(
  { transport, path, query, options }: ListSource,
  cursor: string | undefined,
): Promise<Page<T>> {
  const wire = await transport.send<WirePage>({
    method: 'GET',
    path,
    query: { ...query, cursor },
    options,
  })
  return {
    data: wire.data.map((item) => toCamelCase<T>(item)),
    hasMore: wire.has_more === true,
    nextCursor: wire.next_cursor ?? null,
  }
}

function cursorOf(query: object | undefined): string | undefined {
  const cursor = query && 'cursor' in query ? query.cursor : undefined
  return typeof cursor === 'string' ? cursor : undefined
}
