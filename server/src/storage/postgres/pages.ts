import type { Page, PageRequest } from '../storage.ts'
import type { Connection, Value } from './connection.ts'

/**
 * Lists continue after the sort key of the last item. Resources are sorted by `seq`; what there are
 * millions of, by `created_at` and then `seq`, which also serves `since` and `until`.
 */
export interface TimeKey {
  at: number
  seq: number
}

/** Before every row: where the first page starts. */
const newestKey: TimeKey = { at: Number.MAX_SAFE_INTEGER, seq: Number.MAX_SAFE_INTEGER }

/** The key after which the page starts. A key that no list made starts at the end: nothing follows. */
export function parseTimeKey(after: string | null): TimeKey {
  if (after === null) return newestKey
  const [at, seq] = after.split('.')
  return { at: wholeNumber(at), seq: wholeNumber(seq) }
}

export function parseSeqKey(after: string | null): number {
  return after === null ? Number.MAX_SAFE_INTEGER : wholeNumber(after)
}

function wholeNumber(text: string | undefined): number {
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : 0
}

/**
 * A page of a list sorted by `seq`. The query's last two parameters are the key to start below and
 * the limit: `… and seq < ? order by seq desc limit ?`.
 */
export async function readSeqPage<Row extends { seq: number }, T>(
  connection: Connection,
  sql: string,
  values: readonly Value[],
  page: PageRequest,
  toItem: (row: Row) => T,
): Promise<Page<T>> {
  const rows = await connection.all<Row>(sql, ...values, parseSeqKey(page.after), page.limit + 1)
  return toPage(rows, page, (row) => String(row.seq), toItem)
}

/**
 * A page of a list sorted by time. The query's last three parameters are the key to start below and
 * the limit: `… and (at, seq) < (?, ?) order by at desc, seq desc limit ?`.
 */
export async function readTimePage<Row extends TimeKey, T>(
  connection: Connection,
  sql: string,
  values: readonly Value[],
  page: PageRequest,
  toItem: (row: Row) => T,
): Promise<Page<T>> {
  const after = parseTimeKey(page.after)
  const rows = await connection.all<Row>(sql, ...values, after.at, after.seq, page.limit + 1)
  return toPage(rows, page, (row) => `${row.at}.${row.seq}`, toItem)
}

/** `rows` holds one more than the page where there are more. */
export function toPage<Row, T>(
  rows: readonly Row[],
  page: PageRequest,
  keyOf: (row: Row) => string,
  toItem: (row: Row) => T,
): Page<T> {
  const hasMore = rows.length > page.limit
  const shown = hasMore ? rows.slice(0, page.limit) : rows
  const last = shown.at(-1)
  return {
    items: shown.map(toItem),
    hasMore,
    nextKey: hasMore && last !== undefined ? keyOf(last) : null,
  }
}
