import type { Page, PageRequest } from '../storage.ts'

/** Reads a list page by page to its end. */
export async function readPages<T>(
  limit: number,
  read: (page: PageRequest) => Promise<Page<T>>,
): Promise<T[]> {
  const items: T[] = []
  let after: string | null = null
  do {
    const page: Page<T> = await read({ limit, after })
    items.push(...page.items)
    after = page.nextKey
    if (page.hasMore !== (after !== null)) throw new Error('hasMore and nextKey disagree')
    if (page.hasMore && page.items.length !== limit) throw new Error('a page was left short')
  } while (after !== null)
  return items
}

/** The first page of a list, which is long enough for all that tests put into one. */
export const onePage: PageRequest = { limit: 100, after: null }
