import {
  checkContext,
  headersContext,
  idempotencyContext,
  secretContext,
} from '../../core/secret-box.ts'
import { assertMigrated, withClient } from './migrate.ts'

/** Sealed values by where they are: what identifies a row, and what binds its ciphertext to it. */
interface SealedColumn {
  name: string
  table: string
  column: string
  where: string
  /** Of the row, unique; compared and continued after. */
  key: string
  parts: readonly string[]
  contextOf(parts: readonly string[]): string
}

const columns: readonly SealedColumn[] = [
  {
    name: 'secrets',
    table: 'secrets',
    column: 'sealed_value',
    where: 'sealed_value is not null',
    key: 'id',
    parts: ['endpoint_id', 'id'],
    contextOf: ([endpointId = '', id = '']) => secretContext(endpointId, id),
  },
  {
    name: 'custom headers',
    table: 'endpoints',
    column: 'sealed_headers',
    where: 'sealed_headers is not null',
    key: 'id',
    parts: ['id'],
    contextOf: ([id = '']) => headersContext(id),
  },
  {
    name: 'kept answers',
    table: 'idempotent_answers',
    column: 'body',
    where: 'is_sealed',
    key: 'scope',
    parts: ['scope'],
    contextOf: ([scope = '']) => idempotencyContext(scope),
  },
  {
    name: 'the check of the key',
    table: 'meta',
    column: 'value',
    where: `key = '${checkContext}'`,
    key: 'key',
    parts: ['key'],
    contextOf: () => checkContext,
  },
]

const rowsPerStepMax = 50

/** As the driver gives them here: bytes, and text for all else. */
type Row = Record<string, unknown>

interface Queries {
  query(text: string, values?: unknown[]): Promise<{ rows: Row[]; rowCount: number | null }>
}

/**
 * Seals every value anew for which `reseal` gives another ciphertext; null leaves it as it is. Works
 * beside running servers: each value is written by itself, and one that changed meanwhile is left
 * alone, as whoever changed it sealed it. What is done stays done when it is interrupted.
 */
export async function resealPostgres(options: {
  url: string
  reseal: (sealed: Uint8Array, context: string) => Uint8Array | null
  onRows: (done: number, total: number) => void
}): Promise<{ resealed: number; total: number }> {
  const { url } = options
  await assertMigrated(url)
  return withClient(url, async (client) => {
    let total = 0
    for (const column of columns) total += await countOf(client, column)
    let done = 0
    let resealed = 0
    for (const column of columns) {
      for await (const step of resealColumn(client, column, options.reseal)) {
        done += step.rows
        resealed += step.resealed
        options.onRows(Math.min(done, total), total)
      }
    }
    return { resealed, total }
  })
}

async function countOf(client: Queries, { table, where }: SealedColumn): Promise<number> {
  const { rows } = await client.query(`select count(*) as count from ${table} where ${where}`)
  return Number(rows[0]?.count)
}

async function* resealColumn(
  client: Queries,
  column: SealedColumn,
  reseal: (sealed: Uint8Array, context: string) => Uint8Array | null,
): AsyncGenerator<{ rows: number; resealed: number }> {
  const { table, key, where, parts } = column
  const read = `select ${[...new Set([key, ...parts])].join(', ')}, ${column.column} as sealed
    from ${table} where ${where} and ${key} > $1 order by ${key} limit ${rowsPerStepMax}`
  const write = `update ${table} set ${column.column} = $1
    where ${key} = $2 and ${column.column} = $3`
  let after = ''
  for (;;) {
    const { rows } = await client.query(read, [after])
    const last = rows.at(-1)
    if (last === undefined) return
    let resealed = 0
    for (const row of rows) {
      const sealed = row.sealed as Uint8Array
      const fresh = reseal(sealed, column.contextOf(parts.map((part) => String(row[part]))))
      if (fresh === null) continue
      const written = await client.query(write, [fresh, row[key], sealed])
      resealed += written.rowCount ?? 0
    }
    after = String(last[key])
    yield { rows: rows.length, resealed }
  }
}
