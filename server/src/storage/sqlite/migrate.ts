import { readdirSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { StorageOpenError } from '../storage.ts'
import { assertNotLost, prepareFile } from './database-file.ts'
import { openError } from './errors.ts'
import { lockDatabase } from './lock.ts'
import { openWritable } from './writable-database.ts'

export interface SchemaStatus {
  /** The newest migration the database has; 0 for a database that does not exist yet. */
  version: number
  /** The newest migration this build has. */
  knownVersion: number
}

/** What `migrateSqlite` did. */
export interface SqliteMigration extends SchemaStatus {
  /** Names of the migrations that were missing, in order. */
  applied: string[]
}

interface Migration {
  version: number
  name: string
  sql: string
}

/** "CSIG": tells a database of ours from any other SQLite file. */
const APPLICATION_ID = 0x43534947

/**
 * Applies what is missing and nothing else: for the `migrate` command. Throws `StorageOpenError`,
 * also while a server has the database open.
 */
export async function migrateSqlite(path: string): Promise<SqliteMigration> {
  assertNotLost(path)
  const file = prepareFile(path)
  const lock = lockDatabase(file)
  try {
    const database = openWritable(file, 0)
    try {
      const applied = applyMigrations(database, file)
      return { ...readStatus(database, file), applied }
    } finally {
      database.close()
    }
  } catch (error) {
    throw openError(file, error)
  } finally {
    lock.release()
  }
}

/**
 * Reads the schema's version and changes nothing; works beside a running server. `name` is what the
 * operator calls the file.
 */
export async function readSchemaStatus(file: string, name = file): Promise<SchemaStatus> {
  try {
    const database = new DatabaseSync(file, { readOnly: true })
    try {
      return readStatus(database, name)
    } finally {
      database.close()
    }
  } catch (error) {
    throw openError(name, error)
  }
}

/** Forward only, each migration in a transaction of its own; a newer schema is refused unchanged. */
export function applyMigrations(database: DatabaseSync, file: string): string[] {
  const { version, knownVersion } = readStatus(database, file)
  if (version > knownVersion) {
    throw new StorageOpenError(
      `The database ${file} has schema version ${version}, but this build knows only ${knownVersion}: run the newer Countersign that migrated it.`,
    )
  }
  const missing = loadMigrations().filter((migration) => migration.version > version)
  for (const migration of missing) applyMigration(database, migration)
  return missing.map((migration) => migration.name)
}

function readStatus(database: DatabaseSync, file: string): SchemaStatus {
  const tables = database.prepare("select name from sqlite_schema where type = 'table'").all()
  const knownVersion = loadMigrations().at(-1)?.version ?? 0
  if (tables.length === 0) return { version: 0, knownVersion }
  const applicationId = database.prepare('pragma application_id').get()?.application_id
  if (applicationId !== APPLICATION_ID) {
    throw new StorageOpenError(
      `The file ${file} is a SQLite database of another program; choose another path.`,
    )
  }
  const newest = database.prepare('select max(version) as version from schema_migrations').get()
  return { version: Number(newest?.version ?? 0), knownVersion }
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

function applyMigration(database: DatabaseSync, migration: Migration): void {
  database.exec('begin immediate')
  try {
    database.exec(`
      pragma application_id = ${APPLICATION_ID};
      create table if not exists schema_migrations (
        version integer primary key,
        name text not null,
        applied_at integer not null
      ) strict;
    `)
    database.exec(migration.sql)
    database
      .prepare(
        `insert into schema_migrations (version, name, applied_at)
         values (?, ?, cast(unixepoch('subsec') * 1000 as integer))`,
      )
      .run(migration.version, migration.name)
    database.exec('commit')
  } catch (error) {
    if (database.isTransaction) database.exec('rollback')
    throw error
  }
}
