import { readdirSync, readFileSync } from 'node:fs'
import pg from 'pg'
import { StorageOpenError } from '../storage.ts'
import { isCollision, isLocked, openError } from './errors.ts'
import { type Client, connectTimeoutMs, endSoon, queryTimeoutMs } from './pool.ts'

export interface SchemaStatus {
  /** The newest migration the database has; 0 where there is none. */
  version: number
  /** The newest migration this build has. */
  knownVersion: number
}

/** What `migratePostgres` did. */
export interface PostgresMigration extends SchemaStatus {
  /** Names of the migrations that were missing, in order. */
  applied: string[]
}

/** One file of the migrations. */
export interface Migration {
  version: number
  name: string
  sql: string
}

/** Of the advisory lock that one starter at a time holds while it looks and migrates: "CSIG". */
const lockKey = 0x43534947
const lockRetryMs = 100
/** Some minutes. */
const lockTriesMax = 3_000
/**
 * How long a migration waits for a table that nodes work on: they queue behind it, so it gives way
 * before PostgreSQL takes two that wait for each other for a deadlock (after a second).
 */
const tableLockMsMax = 500
/** Between, so that nodes get on with their work. */
const migrationRetryMs = 500
/** Some minutes, as whoever copies the database holds every table that long. */
const migrationTriesMax = 300

/**
 * Applies what is missing and nothing else: for the `migrate` command, and when a node starts. Nodes
 * that start together wait for each other. Throws `StorageOpenError`.
 */
export async function migratePostgres(url: string): Promise<PostgresMigration> {
  return withClient(url, async (client) => {
    await refuseOtherEncodings(client, url)
    await lockMigrations(client, url)
    const { version, knownVersion } = await readStatus(client)
    refuseNewer(url, version, knownVersion)
    const missing = loadMigrations().filter((migration) => migration.version > version)
    for (const migration of missing) await applyMigration(client, migration)
    // The lock ends with the connection.
    return { version: knownVersion, knownVersion, applied: missing.map(({ name }) => name) }
  })
}

/** Reads the schema's version and changes nothing; works beside running servers. */
export async function readSchemaStatus(url: string): Promise<SchemaStatus> {
  return withClient(url, readStatus)
}

/** Throws `StorageOpenError` unless this build can work with the schema as it is. */
export async function assertMigrated(url: string): Promise<void> {
  const { version, knownVersion } = await readSchemaStatus(url)
  refuseNewer(url, version, knownVersion)
  if (version < knownVersion) {
    throw new StorageOpenError(
      `The database ${nameOf(url)} has schema version ${version} and this build needs ${knownVersion}: run countersign migrate.`,
    )
  }
}

/** What may be shown of the address: never its password. */
export function nameOf(url: string): string {
  const { hostname, port, pathname } = new URL(url)
  return `${hostname}${port === '' ? '' : `:${port}`}${pathname}`
}

/** Until this connection ends, nodes that start wait, and nobody else migrates. */
export async function lockStarts(client: Client): Promise<void> {
  await client.command(`select pg_advisory_lock(${lockKey})`)
}

/** Asks again and again: on a line that is cut off, a lock that is waited for would never answer. */
async function lockMigrations(client: pg.Client, url: string): Promise<void> {
  // The driver's types leave the time-out out.
  const ask: pg.QueryConfig & { query_timeout: number } = {
    text: `select pg_try_advisory_lock(${lockKey}) as is_ours`,
    query_timeout: queryTimeoutMs,
  }
  for (let tries = 0; tries < lockTriesMax; tries += 1) {
    const { rows } = await client.query<{ is_ours: boolean }>(ask)
    if (rows[0]?.is_ours) return
    await new Promise((resolve) => setTimeout(resolve, lockRetryMs))
  }
  throw new StorageOpenError(
    `The database ${nameOf(url)} is being migrated by another process, and has been for minutes.`,
  )
}

/** Until the end of the transaction, one node at a time makes and drops partitions. */
export async function lockPartitions(client: Client): Promise<void> {
  await client.command(`select pg_advisory_xact_lock(${lockKey}, 1)`)
}

/** In any other, some letters cannot be stored, or are counted and compared as bytes. */
async function refuseOtherEncodings(client: pg.Client, url: string): Promise<void> {
  const { rows } = await client.query<{ server_encoding: string }>('show server_encoding')
  const encoding = rows[0]?.server_encoding
  if (encoding === 'UTF8') return
  throw new StorageOpenError(
    `The database ${nameOf(url)} has the encoding ${encoding}, in which not every text can be stored: make one with encoding UTF8.`,
  )
}

function refuseNewer(url: string, version: number, knownVersion: number): void {
  if (version <= knownVersion) return
  throw new StorageOpenError(
    `The database ${nameOf(url)} has schema version ${version}, but this build knows only ${knownVersion}: run the newer Countersign that migrated it.`,
  )
}

export async function withClient<T>(
  url: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = createClient(url)
  try {
    await client.connect()
    return await work(client)
  } catch (error) {
    throw openError(nameOf(url), error)
  } finally {
    await endSoon(client.end())
  }
}

function createClient(url: string): pg.Client {
  try {
    const client = new pg.Client({
      connectionString: url,
      application_name: 'countersign',
      connectionTimeoutMillis: connectTimeoutMs,
    })
    // What goes wrong is told by the statement that it goes wrong with.
    client.on('error', () => {})
    return client
  } catch (error) {
    // Files that the address names are read at once.
    throw openError(nameOf(url), error)
  }
}

async function readStatus(client: pg.Client): Promise<SchemaStatus> {
  const known = knownVersion()
  const { rows } = await client.query(
    `select to_regclass('schema_migrations') is not null as is_there`,
  )
  if (!rows[0]?.is_there) return { version: 0, knownVersion: known }
  const newest = await client.query(
    'select max(version)::integer as version from schema_migrations',
  )
  return { version: newest.rows[0]?.version ?? 0, knownVersion: known }
}

/** The newest migration of this build. */
export function knownVersion(): number {
  return loadMigrations().at(-1)?.version ?? 0
}

function loadMigrations(): Migration[] {
  const directory = new URL('./migrations/', import.meta.url)
  return readdirSync(directory)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => ({
      version: Number.parseInt(name, 10),
      name: name.slice(0, -'.sql'.length),
      sql: readFileSync(new URL(name, directory), 'utf8'),
    }))
}

/**
 * Applies one migration, whole or not at all, and notes it. Nodes that run meanwhile are met at their
 * tables: then it begins anew, for some minutes.
 */
export async function applyMigration(client: pg.Client, migration: Migration): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await tryMigration(client, migration)
      return
    } catch (error) {
      if (tries === migrationTriesMax || !(isCollision(error) || isLocked(error))) throw error
      await new Promise((resolve) => setTimeout(resolve, migrationRetryMs))
    }
  }
}

async function tryMigration(client: pg.Client, migration: Migration): Promise<void> {
  await client.query('begin')
  try {
    await client.query(`set local lock_timeout = ${tableLockMsMax}`)
    await client.query(`
      create table if not exists schema_migrations (
        version integer primary key,
        name text not null,
        applied_at bigint not null
      )`)
    await client.query(migration.sql)
    await client.query(
      `insert into schema_migrations (version, name, applied_at)
       values ($1, $2, (extract(epoch from now()) * 1000)::bigint)`,
      [migration.version, migration.name],
    )
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw error
  }
}
