import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { checkContext } from '../../core/secret-box.ts'
import { StorageOpenError } from '../storage.ts'
import type { CopiedRow, StoreSource } from '../store-copy.ts'
import { assertSound } from './database-copy.ts'
import { assertNotLost } from './database-file.ts'
import { openError } from './errors.ts'
import { lockDatabase } from './lock.ts'
import { readSchemaStatus } from './migrate.ts'

interface ExportedTable {
  name: string
  /** What is read of each row, where it is not just all columns. */
  select?: string
  /** What else is to be looked at for it. */
  join?: string
  /** A key whose order is that of insertion, or any where there is none. */
  order: string
}

/** Each names only what stands above it. */
const tables: readonly ExportedTable[] = [
  { name: 'projects', order: 'seq' },
  { name: 'api_keys', order: 'seq' },
  { name: 'endpoints', order: 'seq' },
  { name: 'secrets', order: 'seq' },
  { name: 'rotations', order: 'seq' },
  { name: 'reported_secrets', order: 'rotation_id, secret_id' },
  { name: 'claim_links', order: 'hash' },
  { name: 'event_types', order: 'seq' },
  { name: 'portal_sessions', order: 'seq' },
  { name: 'campaigns', order: 'seq' },
  { name: 'campaign_endpoints', order: 'seq' },
  { name: 'recoveries', order: 'seq' },
  { name: 'audit_rows', order: 'seq' },
  { name: 'idempotent_answers', order: 'scope' },
  { name: 'announcements', order: 'rotation_id, secret_id, kind' },
  { name: 'meta', order: 'key' },
  { name: 'events', order: 'seq' },
  {
    name: 'deliveries',
    select: `deliveries.*,
      (select duration_ms from attempts where delivery_seq = deliveries.seq
       order by seq desc limit 1) as last_duration_ms`,
    order: 'seq',
  },
  {
    name: 'attempts',
    select: 'attempts.*, d.project_seq, d.created_at',
    // A cross join keeps its order: each delivery is found by its number.
    join: 'cross join deliveries d on d.seq = attempts.delivery_seq',
    order: 'attempts.seq',
  },
]

/**
 * Opens a database to read all of it out, and holds it so that no server opens it meanwhile. It is
 * not changed. Throws `StorageOpenError`: where a server has it open, where it is damaged, or where
 * its schema is not the one that this build has.
 */
export async function openSqliteExport(
  file: string,
): Promise<{ source: StoreSource; masterKeyCheck: Uint8Array | null }> {
  if (!existsSync(file)) throw new StorageOpenError(`There is no database ${file}.`)
  assertNotLost(file)
  const lock = lockDatabase(file)
  let database: DatabaseSync | null = null
  const close = () => {
    database?.close()
    lock.release()
  }
  try {
    await assertCurrent(file)
    assertSound(file, file)
    database = new DatabaseSync(file, { readOnly: true })
    database.exec('begin')
    const check = database.prepare('select value from meta where key = ?').get(checkContext)
    const masterKeyCheck = check === undefined ? null : (check.value as Uint8Array)
    return { source: createSource(database, file, close), masterKeyCheck }
  } catch (error) {
    close()
    throw openError(file, error)
  }
}

async function assertCurrent(file: string): Promise<void> {
  const { version, knownVersion } = await readSchemaStatus(file)
  if (version > knownVersion) {
    throw new StorageOpenError(
      `The database ${file} has schema version ${version}, but this build knows only ${knownVersion}: use the newer Countersign that migrated it.`,
    )
  }
  if (version < knownVersion) {
    throw new StorageOpenError(
      `The database ${file} has schema version ${version} and this build needs ${knownVersion}: run countersign migrate on it first.`,
    )
  }
}

function createSource(database: DatabaseSync, file: string, close: () => void): StoreSource {
  const countOf = (name: string) =>
    Number(database.prepare(`select count(*) as count from ${name}`).get()?.count)

  function* rows(name: string): Generator<CopiedRow> {
    const table = tables.find((candidate) => candidate.name === name)
    if (table === undefined) throw new Error(`There is no table ${name} to copy.`)
    const { select = '*', join = '', order } = table
    try {
      // The driver's rows are plain records of what SQLite can hold.
      yield* database
        .prepare(`select ${select} from ${name} ${join} order by ${order}`)
        .iterate() as Iterable<CopiedRow>
    } catch (error) {
      throw openError(file, error)
    }
  }

  return { tables: tables.map(({ name }) => ({ name, rowCount: countOf(name) })), rows, close }
}
