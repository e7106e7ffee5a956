import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import type { TestDatabase } from './test-database.ts'
import { until } from './until.ts'

/**
 * What a server has stored, read past all code of the product, while the server runs or not. It
 * reads and never writes.
 */
export interface TestStore {
  kind: 'sqlite' | 'postgres'
  /** All that `work` selects is of one moment. */
  read<T>(work: (select: Select) => Promise<T>): Promise<T>
  /**
   * Every byte in it, by the name of the file or the table: all files of the data directory but
   * those that are there to hold a key, and all rows of a database as it gives them out.
   */
  contents(): Promise<Map<string, Buffer>>
  /** Resolves when nobody writes to it: a database may still commit what a dead process sent. */
  settled(): Promise<void>
}

/**
 * Runs one query, with a `?` for each value. Casts to JSON (`::json`) are for PostgreSQL, which
 * takes its fields from nothing else; SQLite never sees them.
 */
export type Select = (sql: string, ...values: string[]) => Promise<Record<string, unknown>[]>

/** The store of a server whose data are in `dataDir`; `database` null: it is on SQLite. */
export function openTestStore(database: TestDatabase | null, dataDir: string): TestStore {
  return database === null ? sqliteStore(dataDir) : postgresStore(database.url, dataDir)
}

/** The SQLite store in a directory. */
export function sqliteStore(directory: string): TestStore {
  return {
    kind: 'sqlite',
    async read(work) {
      const file = join(directory, 'countersign.db')
      const database = new DatabaseSync(file, { readOnly: true })
      try {
        database.exec('begin')
        return await work(async (sql, ...values) =>
          database.prepare(sql.replaceAll('::json', '')).all(...values),
        )
      } finally {
        database.close()
      }
    },
    contents: async () => readFiles(directory),
    settled: async () => {},
  }
}

function postgresStore(url: string, dataDir: string): TestStore {
  const read: TestStore['read'] = (work) =>
    withClient(url, async (client) => {
      await client.query('begin isolation level repeatable read read only')
      return work(async (sql, ...values) => {
        let count = 0
        const numbered = sql.replaceAll('?', () => `$${++count}`)
        return (await client.query(numbered, values)).rows
      })
    })
  return {
    kind: 'postgres',
    read,
    contents: () =>
      read(async (select) => {
        const contents = readFiles(dataDir)
        const tables = await select(
          `select oid::regclass::text as name from pg_class
           where relkind in ('r', 'p') and not relispartition
             and relnamespace = 'public'::regnamespace`,
        )
        for (const { name } of tables) {
          const rows = await select(`select * from ${name}`)
          const values = rows.flatMap((row) => Object.values(row)).filter((value) => value !== null)
          const bytes = values.flatMap((value) => [
            Buffer.isBuffer(value) ? value : Buffer.from(String(value)),
            Buffer.from('\n'),
          ])
          contents.set(`table ${name}`, Buffer.concat(bytes))
        }
        return contents
      }),
    settled: () =>
      withClient(url, (client) =>
        until('nobody else is connected to the database', async () => {
          const { rows } = await client.query(
            `select pid from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()
               and backend_type = 'client backend'`,
          )
          return rows.length === 0
        }),
      ),
  }
}

function readFiles(directory: string): Map<string, Buffer> {
  const names = readdirSync(directory).filter((name) => !['master-key', 'root-key'].includes(name))
  return new Map(names.map((name) => [name, readFileSync(join(directory, name))]))
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
