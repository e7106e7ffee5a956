import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import {
  findPostgres,
  noPostgres,
  type PostgresServer,
  startPostgres,
} from '../test/support/postgres-server.ts'
import { copyStore } from './copy-store.ts'
import { SecretBoxError } from './core/secret-box.ts'
import { openPostgresImport } from './storage/postgres/import.ts'
import { importedTables } from './storage/postgres/import-tables.ts'
import { openSqliteExport } from './storage/sqlite/export.ts'
import { migrateSqlite } from './storage/sqlite/migrate.ts'
import type { StoreTarget } from './storage/store-copy.ts'

type Row = Record<string, unknown>

/** Columns of SQLite that PostgreSQL does not have, with the reason. */
const left: Readonly<Record<string, string>> = {
  'events.first_delivery_seq': 'deliveries are found by their event',
  'attempts.seq': 'attempts are in the order of their numbers',
}

/** Tables and columns of PostgreSQL that begin empty, with the reason. */
const fresh: Readonly<Record<string, string>> = {
  schema_migrations: 'each kind of store has its own',
  leads: 'nodes take the lead when they run',
  token_buckets: 'they fill by themselves within seconds',
  'projects.subscriptions_version': 'counts changes from here on',
}

/** Where a value of SQLite is in PostgreSQL when it has become another one there. */
const changed: Readonly<Record<string, (value: unknown) => unknown>> = {
  'event_types.project_id': (id) => id ?? '',
  'idempotent_answers.headers': (headers) => headers ?? '{}',
  'attempts.response_body': (text) => (text === null ? null : Buffer.from(String(text))),
}

const time = Date.UTC(2026, 10, 18)
const flags = /^(?:is_|signing_enabled|response_body_truncated)/
const anyBox = { open: () => '' }

let server: PostgresServer
let directory: string
let fileCount = 0

describe('copyStore', { skip: findPostgres() === null && noPostgres }, () => {
  before(async () => {
    server = await startPostgres()
    directory = mkdtempSync(join(tmpdir(), 'countersign-copy-'))
  })
  after(async () => {
    await server.dispose()
    rmSync(directory, { recursive: true, force: true })
  })

  test('brings every column of every table, whatever it holds', async () => {
    const file = await filledStore()
    const { url } = await server.createEmptyDatabase()
    const { rows } = await copy(file, url)
    const database = new DatabaseSync(file, { readOnly: true })
    const tables = tablesOf(database)
    assert.equal(rows, tables.length * 2)
    for (const table of tables) {
      const before = database.prepare(`select * from ${table}`).all() as Row[]
      const arrived = await arrivedRows(url, table)
      assert.equal(arrived.length, 2, table)
      for (const [index, row] of before.entries()) {
        for (const [column, value] of Object.entries(row)) {
          const name = `${table}.${column}`
          if (Object.hasOwn(left, name)) continue
          const expected = changed[name]?.(value) ?? value
          assert.deepEqual(plain(arrived[index]?.[column]), plain(expected), name)
        }
      }
    }
    database.close()
  })

  test('leaves no column of PostgreSQL out, but those that begin empty', async () => {
    const { url } = await server.createDatabase()
    const columns = await query(
      url,
      `select c.relname as table, a.attname as column
       from pg_class c join pg_attribute a on a.attrelid = c.oid
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
         and not c.relispartition and a.attnum > 0 and not a.attisdropped`,
    )
    const filled = new Map(importedTables.map((table) => [table.name, table.columns]))
    const missing = columns.filter(({ table, column }) => {
      if (Object.hasOwn(fresh, String(table))) return false
      if (Object.hasOwn(fresh, `${table}.${column}`)) return false
      return !Object.hasOwn(filled.get(String(table)) ?? {}, String(column))
    })
    assert.deepEqual(missing, [])
  })

  test('numbers go on after those that came', async () => {
    const file = await filledStore()
    const { url } = await server.createEmptyDatabase()
    await copy(file, url)
    const [numbers] = await query(
      url,
      `select nextval(pg_get_serial_sequence('projects', 'seq')) as project,
         nextval('event_seqs') as event, nextval('delivery_seqs') as delivery,
         nextval(pg_get_serial_sequence('audit_rows', 'seq')) as audit_row`,
    )
    assert.deepEqual(numbers, { project: '15', event: '1001', delivery: '1001', audit_row: '15' })
  })

  test('what is pending is due, and ids of callers stay theirs', async () => {
    const file = await filledStore((database) => {
      database.exec(`update deliveries set due_at = 42 where seq = 7;
        update events set id = 'evt_0197f9c1d2e37abc8def0123456789ab' where seq = 14`)
    })
    const { url } = await server.createEmptyDatabase()
    await copy(file, url)
    const due = await query(url, 'select seq, due_at, lease_until, lease_token from due_deliveries')
    assert.deepEqual(due, [{ seq: '7', due_at: '42', lease_until: '0', lease_token: '0' }])
    const ids = await query(url, 'select id, seq from caller_event_ids')
    assert.deepEqual(ids, [{ id: 'events_1', seq: '7' }])
    const missed = await query(url, 'select seq, missed from deliveries order by seq')
    assert.deepEqual(
      missed.map(({ missed }) => missed),
      [null, 'skipped'],
    )
  })

  test('gives up and leaves nothing, where a row is missing or a secret does not open', async () => {
    const { url } = await server.createEmptyDatabase()
    const file = await filledStore()
    await assert.rejects(
      copy(file, url, { change: (target) => ({ ...target, countRows: async () => 1 }) }),
      /Of 2 rows in projects, 1 are in the copy/,
    )
    const open = () => {
      throw new SecretBoxError('Wrong.')
    }
    await assert.rejects(copy(file, url, { box: { open } }), /secret:endpoints_1:secrets_1/)
    for (const { name } of importedTables) {
      assert.deepEqual(await query(url, `select 1 from ${name}`), [], name)
    }
    const { opened } = await copy(file, url)
    assert.equal(opened, 3, 'a secret, headers and a kept answer')
  })

  test('refuses a database with anything in it', async () => {
    const file = await filledStore()
    for (const { name } of importedTables) {
      const { url, drop } = await server.createDatabase()
      await query(
        url,
        `alter table ${name} disable trigger all`,
        name === 'events' || name === 'deliveries' || name === 'attempts'
          ? `create table ${name}_all partition of ${name} default`
          : 'select 1',
        await insertOfDefaults(url, name),
      )
      await assert.rejects(copy(file, url), /is not empty/, name)
      await drop()
    }
  })
})

async function copy(
  file: string,
  url: string,
  options: { box?: { open: () => string }; change?: (target: StoreTarget) => StoreTarget } = {},
) {
  const { box = anyBox, change = (target) => target } = options
  const { source } = await openSqliteExport(file)
  try {
    const target = await openPostgresImport(url)
    try {
      return await copyStore({ source, target: change(target), secretBox: box, onRows() {} })
    } finally {
      await target.close()
    }
  } finally {
    source.close()
  }
}

/** A store with two rows in each table: one with a value everywhere, one with as few as can be. */
async function filledStore(change = (_: DatabaseSync) => {}): Promise<string> {
  fileCount += 1
  const file = join(directory, `store-${fileCount}.db`)
  await migrateSqlite(file)
  const database = new DatabaseSync(file)
  database.exec('pragma foreign_keys = off')
  for (const table of tablesOf(database)) {
    const columns = database.prepare(`select * from pragma_table_info('${table}')`).all()
    for (const place of [1, 2]) {
      const row = columns.map((column) => valueFor(table, column, place))
      const marks = columns.map(() => '?').join(', ')
      database.prepare(`insert into ${table} values (${marks})`).run(...row)
    }
  }
  change(database)
  database.close()
  return file
}

function valueFor(table: string, column: Row, place: number): SQLInputValue {
  const name = String(column.name)
  if (name === 'seq') return place * 7
  if (name === 'id') return `${table}_${place}`
  const [, referred, kind] = /^(\w+)_(id|seq)$/.exec(name) ?? []
  if (kind === 'id' && column.notnull === 1) return `${plural(referred ?? '')}_${place}`
  if (kind === 'seq') return place * 7
  if (name === 'created_at') return time + place
  // Only what is pending is due.
  if (`${table}.${name}` === 'deliveries.status') return place === 1 ? 'pending' : 'skipped'
  if (place === 2 && column.notnull === 0) return null
  if (flags.test(name)) return place % 2
  if (column.type === 'INTEGER') return Number(column.cid) * 100 + place
  if (column.type === 'REAL') return Number(column.cid) + place / 8
  if (column.type === 'BLOB') return Buffer.from([0, 255, Number(column.cid), place])
  return `${name} ${place} ✔ {"a":[null,"\\"x'\\\\ NULL"]}`
}

function plural(name: string): string {
  return `${name.replace(/^(?:previous|new)_(?=secret)/, '')}s`
}

function tablesOf(database: DatabaseSync): string[] {
  const rows = database
    .prepare(`select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'`)
    .all()
  return rows.map(({ name }) => String(name)).filter((name) => name !== 'schema_migrations')
}

/** The rows of one table of SQLite, wherever their columns are now; the key comes first in each. */
async function arrivedRows(url: string, table: string): Promise<Row[]> {
  const parts: Readonly<Record<string, string>> = {
    endpoints: 'endpoints t join endpoint_health h on h.endpoint_id = t.id',
    secrets: 'secrets t left join secret_uses u on u.secret_id = t.id',
    deliveries: `(select d.*, q.due_at from deliveries d left join due_deliveries q using (project_seq, seq)) t`,
  }
  const from = parts[table] ?? `${table} t`
  return query(url, `select * from ${from} order by 1`)
}

/** What means the same looks the same: SQLite has no truth values, the driver gives bigints as text. */
function plain(value: unknown): unknown {
  if (typeof value === 'boolean') return String(Number(value))
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  return typeof value === 'number' ? String(value) : value
}

/** A row of nothing in particular, for a table without checks of what it refers to. */
async function insertOfDefaults(url: string, table: string): Promise<string> {
  const columns = await query(
    url,
    `select column_name as name, data_type as type from information_schema.columns
     where table_name = '${table}' and is_nullable = 'NO'`,
  )
  const values = columns.map(({ type }) => (type === 'boolean' ? 'false' : `'0'`))
  const names = columns.map(({ name }) => String(name))
  return `insert into ${table} (${names.join(', ')}) overriding system value
          values (${values.join(', ')})`
}

async function query(url: string, ...statements: readonly string[]): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    let rows: Row[] = []
    for (const statement of statements) rows = (await client.query(statement)).rows
    return rows
  } finally {
    await client.end()
  }
}
