import assert from 'node:assert/strict'
import pg from 'pg'
import {
  checkContext,
  headersContext,
  idempotencyContext,
  secretContext,
} from '../../core/secret-box.ts'
import { StorageOpenError, StorageUnavailableError } from '../storage.ts'
import type { CopiedRow, CopiedValue, SealedSample, StoreTarget } from '../store-copy.ts'
import { createStatements } from './connection.ts'
import { isConnectionLost, openError } from './errors.ts'
import { type ImportedColumn, type ImportedTable, importedTables } from './import-tables.ts'
import { lockStarts, migratePostgres, nameOf } from './migrate.ts'
import { makeWeek, weekOf } from './partitions.ts'
import { type Client, endSoon, toClient } from './pool.ts'

/** Where each sealed value is, what binds its ciphertext to its row, and in what order they came. */
const sealedValues: readonly {
  sql: string
  contextOf: (id: string, owner: string) => string
}[] = [
  {
    sql: `select sealed_value as sealed, id, endpoint_id as owner, row_number() over (order by seq) as place
          from secrets where sealed_value is not null`,
    contextOf: (id, endpointId) => secretContext(endpointId, id),
  },
  {
    sql: `select sealed_headers as sealed, id, '' as owner, row_number() over (order by seq) as place
          from endpoints where sealed_headers is not null`,
    contextOf: headersContext,
  },
  {
    sql: `select body as sealed, scope as id, '' as owner, row_number() over (order by scope) as place
          from idempotent_answers where is_sealed`,
    contextOf: idempotencyContext,
  },
  {
    sql: `select value as sealed, key as id, '' as owner, 1 as place
          from meta where key = '${checkContext}'`,
    contextOf: () => checkContext,
  },
]

/** Numbered by the server itself: they have to go on after the highest that came in. */
const blockSequences = [
  { sequence: 'event_seqs', table: 'events' },
  { sequence: 'delivery_seqs', table: 'deliveries' },
]

/**
 * Opens a database to fill it with another store, in one transaction: until `commit` nobody sees any
 * of it, and whatever ends it before leaves the database as empty as it was. Nodes that start
 * meanwhile wait. Throws `StorageOpenError`: where it cannot be reached, has a newer schema, or is
 * not empty.
 */
export async function openPostgresImport(url: string): Promise<StoreTarget> {
  const where = nameOf(url)
  await migratePostgres(url)
  const driver = new pg.Client({
    connectionString: url,
    application_name: 'countersign migrate-store',
  })
  // What goes wrong is told by the statement that it goes wrong with.
  driver.on('error', () => {})
  try {
    await driver.connect()
    const client = toClient(driver, createStatements())
    await begin(client, where)
    return createTarget(client, where, () => endSoon(driver.end()))
  } catch (error) {
    await endSoon(driver.end())
    throw openError(where, error)
  }
}

/** Without the bounds on time of a server's connection, whatever the database's own settings are. */
async function begin(client: Client, where: string): Promise<void> {
  await client.command('set statement_timeout = 0')
  await client.command('set idle_in_transaction_session_timeout = 0')
  await lockStarts(client)
  await client.command('begin')
  for (const { name } of importedTables) {
    const row = await client.connection.one(`select 1 from ${name} limit 1`)
    if (row === undefined) continue
    throw new StorageOpenError(
      `The database ${where} is not empty: there are ${name.replaceAll('_', ' ')} in it. Give a new one, as nothing is ever mixed with what is there or written over it.`,
    )
  }
}

function createTarget(client: Client, where: string, end: () => Promise<void>): StoreTarget {
  const { connection } = client
  const weeks = new Set<number>()

  async function insert(table: ImportedTable, rows: readonly CopiedRow[]): Promise<void> {
    const taken = table.takes === undefined ? rows : rows.filter(table.takes)
    if (taken.length === 0) return
    const columns = Object.entries(table.columns)
    const count = await connection.run(
      `insert into ${table.name} (${columns.map(([name]) => name).join(', ')})
       overriding system value
       select * from unnest(${columns.map(([, { type }]) => `?::${type}[]`).join(', ')})`,
      ...columns.map(([, column]) => taken.map((row) => cellOf(column, row))),
    )
    assert.equal(count, taken.length, table.name)
  }

  /** The tables of the history take rows only where there is a partition for their time. */
  async function makePartitions(rows: readonly CopiedRow[]): Promise<void> {
    for (const row of rows) {
      const week = weekOf(Number(row.created_at))
      if (weeks.has(week)) continue
      weeks.add(week)
      await makeWeek(client, week)
    }
  }

  return {
    async write(source, rows) {
      try {
        if (source === 'events') await makePartitions(rows)
        for (const table of tablesOf(source)) await insert(table, rows)
      } catch (error) {
        throw copyError(where, error)
      }
    },

    async countRows(source) {
      const row = await connection.one<{ count: number }>(
        `select count(*)::float8 as count from ${tablesOf(source)[0]?.name}`,
      )
      return row?.count ?? 0
    },

    async sampleSealed(limit) {
      const samples: SealedSample[] = []
      for (const { sql, contextOf } of sealedValues) {
        const rows = await connection.all<{ sealed: Uint8Array; id: string; owner: string }>(
          `with placed as materialized (${sql}), total as (select count(*) as count from placed)
           select sealed, id, owner from placed, total
           where place % greatest(1, total.count / ?::bigint) = 0
           order by place limit ?`,
          limit,
          limit,
        )
        samples.push(
          ...rows.map(({ sealed, id, owner }) => ({ sealed, context: contextOf(id, owner) })),
        )
      }
      return samples
    },

    async commit() {
      await continueNumbers(client)
      await client.command('commit')
    },
    // What was not committed is rolled back with the connection.
    close: end,
  }
}

function copyError(where: string, error: unknown): unknown {
  const cause = error instanceof StorageUnavailableError ? error.cause : error
  if (!(cause instanceof pg.DatabaseError) && !isConnectionLost(cause)) return error
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new StorageOpenError(
    `The copy into ${where} has ended and left nothing there; run it again when this is mended: ${reason}`,
    { cause: error },
  )
}

/** The one of the same kind first. */
function tablesOf(source: string): ImportedTable[] {
  const found = importedTables.filter((table) => table.source === source)
  if (found.length === 0) throw new Error(`Nothing takes the rows of ${source}.`)
  return found
}

function cellOf({ type, from, as }: ImportedColumn, row: CopiedRow): CopiedValue | boolean {
  const read = row[from]
  if (read === undefined) throw new Error(`There is no column ${from} to copy.`)
  const value = as === undefined ? read : as(read)
  if (value === null) return null
  if (type === 'boolean') return value === 1
  // PostgreSQL's text has no U+0000. Receivers' words may, and it becomes the sign for the unknown.
  if (type === 'text') return String(value).replaceAll('\0', '\ufffd')
  if (type === 'bytea') return typeof value === 'string' ? Buffer.from(value) : value
  return value
}

async function continueNumbers(client: Client): Promise<void> {
  for (const { name, columns } of importedTables) {
    if (!Object.hasOwn(columns, 'seq')) continue
    await client.command(
      `select setval(pg_get_serial_sequence('${name}', 'seq'), max(seq)) from ${name}
       where pg_get_serial_sequence('${name}', 'seq') is not null`,
    )
  }
  for (const { sequence, table } of blockSequences) {
    await client.command(
      `select setval('${sequence}', (max(seq) / increment_by + 1) * increment_by + 1, false)
       from ${table}, pg_sequences where sequencename = '${sequence}' group by increment_by`,
    )
  }
}
