import type { Config } from './config.ts'
import { copyStore, type StoreCopy } from './copy-store.ts'
import { checkContext, createSecretBox, type SecretBox, SecretBoxError } from './core/secret-box.ts'
import { makeDataDirectory } from './data-directory.ts'
import {
  type Finding,
  inspectAddressGuard,
  inspectDirectory,
  inspectKeyFiles,
  inspectMasterKeys,
  inspectStore,
} from './inspection.ts'
import { loadOrCreateMasterKeys, prependMasterKey } from './key-files.ts'
import { shownDatabase } from './option-kinds.ts'
import { createRandom } from './random.ts'
import { StartError } from './start-error.ts'
import { openPostgresImport } from './storage/postgres/import.ts'
import { inspectPostgres } from './storage/postgres/inspect.ts'
import { migratePostgres } from './storage/postgres/migrate.ts'
import { resealPostgres } from './storage/postgres/reseal.ts'
import { backupSqlite, type OnPages } from './storage/sqlite/backup.ts'
import { openSqliteExport } from './storage/sqlite/export.ts'
import { inspectSqlite } from './storage/sqlite/inspect.ts'
import { migrateSqlite, type SqliteMigration } from './storage/sqlite/migrate.ts'
import { resealSqlite } from './storage/sqlite/reseal.ts'
import { restoreSqlite } from './storage/sqlite/restore.ts'
import { StorageOpenError, type StoreCondition } from './storage/storage.ts'
import { storeFile, storeName } from './store-file.ts'

export type { Finding } from './inspection.ts'

/*
 * What commands do with a store outside of a server. Beside app.ts the only file that names an
 * adapter. Everything here throws StartError, one sentence for the operator.
 */

/** Applies missing migrations and closes again: what `countersign migrate` does. */
export async function migrateStore(
  config: Config,
): Promise<Pick<SqliteMigration, 'applied' | 'version'> & { name: string }> {
  const name = storeName(config)
  if (config.database !== 'sqlite') {
    return { ...(await asStartError(migratePostgres(config.database))), name }
  }
  makeDataDirectory(config.dataDir)
  return { ...(await asStartError(migrateSqlite(storeFile(config)))), name }
}

/** Writes a consistent copy of the store beside a running server: `countersign backup`. */
export async function backupStore(config: Config, to: string, onPages: OnPages) {
  refuseDatabase(config, 'pg_dump')
  return asStartError(backupSqlite({ file: storeFile(config), to, onPages }))
}

/** Puts a backup in the place of the store: `countersign restore`. */
export async function restoreStore(config: Config, from: string, isForced: boolean) {
  refuseDatabase(config, 'pg_restore')
  makeDataDirectory(config.dataDir)
  return asStartError(restoreSqlite({ from, file: storeFile(config), isForced }))
}

/** PostgreSQL's own tools know how to copy a database of any size. */
function refuseDatabase({ database }: Config, tool: string): void {
  if (database === 'sqlite') return
  throw new StartError(
    `This copies a SQLite file; for the PostgreSQL database ${shownDatabase(database)} use ${tool}, as docs/guides/scaling.md says.`,
  )
}

/** Copies a SQLite store into an empty PostgreSQL database: `countersign migrate-store`. */
export function moveStore(
  config: Config,
  { from, to }: { from: string; to: string },
  onRows: (done: number, total: number) => void,
): Promise<StoreCopy> {
  return asStartError(move())

  async function move(): Promise<StoreCopy> {
    const { source, masterKeyCheck } = await openSqliteExport(from)
    try {
      // Before anything is copied: it may take hours, and without the keys it is worth nothing.
      const secretBox = openedBox(config)
      if (masterKeyCheck !== null) secretBox.open(masterKeyCheck, checkContext)
      const target = await openPostgresImport(to)
      try {
        return await copyStore({ source, target, secretBox, onRows })
      } finally {
        await target.close()
      }
    } finally {
      source.close()
    }
  }
}

/** Seals everything under the first master key: `countersign keys rotate-master`. */
export async function resealStore(
  config: Config,
  onRows: (done: number, total: number) => void,
): Promise<{ resealed: number; total: number }> {
  const box = openedBox(config)
  const reseal = (sealed: Uint8Array, context: string) =>
    box.isUnderFirstKey(sealed) ? null : box.seal(box.open(sealed, context), context)
  const { database } = config
  return asStartError(
    database === 'sqlite'
      ? resealSqlite({ file: storeFile(config), reseal, onRows })
      : resealPostgres({ url: database, reseal, onRows }),
  )
}

/** With the keys of a store that is there. */
function openedBox(config: Config): SecretBox {
  const { bytes: randomBytes } = createRandom()
  const { keys } = loadOrCreateMasterKeys({ config, randomBytes, isStoreSealed: true })
  return createSecretBox({ masterKeys: keys, randomBytes })
}

async function asStartError<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw error instanceof StorageOpenError || error instanceof SecretBoxError
      ? new StartError(error.message)
      : error
  }
}

/** Puts a new key first into the key file: `countersign keys rotate-master --new-key`. */
export function addMasterKey(config: Config): { file: string } {
  return prependMasterKey({ config, randomBytes: createRandom().bytes })
}

/** Looks at an installation without changing it: `countersign doctor`. */
export async function inspect(config: Config, now: number): Promise<Finding[]> {
  const { database } = config
  const isFile = database === 'sqlite'
  const condition = await (isFile ? inspectSqlite(storeFile(config)) : inspectPostgres(database))
  return [
    ...(isFile ? [...inspectDirectory(config), ...inspectKeyFiles(config)] : []),
    ...inspectStore(condition, now),
    ...inspectMasterKeys(fitOfMasterKeys(config, condition)),
    ...inspectAddressGuard(config),
  ]
}

function fitOfMasterKeys(config: Config, condition: StoreCondition) {
  const check = condition.kind === 'usable' ? condition.masterKeyCheck : null
  if (check === null) return 'unknown'
  try {
    openedBox(config).open(check, checkContext)
    return 'fits'
  } catch (error) {
    if (error instanceof SecretBoxError || error instanceof StartError) return 'does not fit'
    throw error
  }
}
