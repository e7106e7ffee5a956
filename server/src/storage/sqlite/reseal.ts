import { existsSync } from 'node:fs'
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  checkContext,
  headersContext,
  idempotencyContext,
  secretContext,
} from '../../core/secret-box.ts'
import { StorageOpenError } from '../storage.ts'
import { openError } from './errors.ts'
import { openWritable } from './writable-database.ts'

/** Sealed values by where they are: what identifies a row, and what binds its ciphertext to it. */
interface SealedColumn {
  name: string
  table: string
  column: string
  where: string
  /** Of the row, in the order of the table's key; compared and continued after. */
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
    where: 'is_sealed = 1',
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

/** Few enough that a server beside hardly waits for the write lock. */
const rowsPerStepMax = 50
const busyTimeoutMs = 10_000

/**
 * Seals every value anew for which `reseal` gives another ciphertext; null leaves it as it is. Works
 * beside a running server, in short transactions; a value that changed meanwhile is left alone, as
 * whoever changed it sealed it. What is done stays done when it is interrupted.
 */
export async function resealSqlite(options: {
  file: string
  reseal: (sealed: Uint8Array, context: string) => Uint8Array | null
  onRows: (done: number, total: number) => void
}): Promise<{ resealed: number; total: number }> {
  const { file } = options
  if (!existsSync(file)) throw new StorageOpenError(`There is no database ${file}.`)
  const database = openWritable(file, busyTimeoutMs)
  try {
    const total = columns.reduce((sum, column) => sum + countOf(database, column), 0)
    let done = 0
    let resealed = 0
    for (const column of columns) {
      for await (const step of resealColumn(database, column, options.reseal)) {
        done += step.rows
        resealed += step.resealed
        options.onRows(Math.min(done, total), total)
      }
    }
    return { resealed, total }
  } catch (error) {
    throw openError(file, error)
  } finally {
    database.close()
  }
}

function countOf(database: DatabaseSync, { table, where }: SealedColumn): number {
  const row = database.prepare(`select count(*) as count from ${table} where ${where}`).get()
  return Number(row?.count)
}

async function* resealColumn(
  database: DatabaseSync,
  column: SealedColumn,
  reseal: (sealed: Uint8Array, context: string) => Uint8Array | null,
): AsyncGenerator<{ rows: number; resealed: number }> {
  const { table, key, where, parts } = column
  const read = database.prepare(
    `select ${[...new Set([key, ...parts])].join(', ')}, ${column.column} as sealed from ${table}
     where ${where} and ${key} > ? order by ${key} limit ?`,
  )
  const write = database.prepare(
    `update ${table} set ${column.column} = ? where ${key} = ? and ${column.column} = ?`,
  )
  let after = ''
  for (;;) {
    const rows = read.all(after, rowsPerStepMax) as Record<string, SQLInputValue>[]
    const last = rows.at(-1)
    if (last === undefined) return
    let resealed = 0
    database.exec('begin immediate')
    try {
      for (const row of rows) {
        const sealed = row.sealed as Uint8Array
        const context = column.contextOf(parts.map((part) => String(row[part])))
        const fresh = reseal(sealed, context)
        if (fresh === null) continue
        resealed += Number(write.run(fresh, row[key] ?? null, sealed).changes)
      }
      database.exec('commit')
    } catch (error) {
      if (database.isTransaction) database.exec('rollback')
      throw error
    }
    after = String(last[key])
    yield { rows: rows.length, resealed }
    await nextTurn()
  }
}
