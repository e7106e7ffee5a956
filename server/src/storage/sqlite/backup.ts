import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { StorageOpenError } from '../storage.ts'
import { createPrivately, prepareFile } from './database-file.ts'
import { isDriverError, openError } from './errors.ts'
import { lockDatabase } from './lock.ts'
import { readSchemaStatus } from './migrate.ts'

/** Told of what is done, in pages of the database. */
export type OnPages = (done: number, total: number) => void

/** Pages copied between two looks at the event loop: 4 MiB. */
const pagesPerStep = 1_000

/**
 * Writes a consistent copy of a database, beside a server that goes on writing: it holds what was
 * committed when the copy began. The copy is checked before it gets its name, so a file of that name
 * is whole. Throws `StorageOpenError`; then there is no such file.
 */
export async function backupSqlite(options: {
  file: string
  to: string
  onPages: OnPages
}): Promise<{ bytes: number }> {
  const { file, to } = options
  if (!existsSync(file)) throw new StorageOpenError(`There is no database ${file} to back up.`)
  if (existsSync(to)) {
    throw new StorageOpenError(`The file ${to} exists already; choose another name.`)
  }
  const partial = `${to}.partial`
  try {
    rmSync(partial, { force: true })
    createPrivately(partial)
    await copyPages(file, partial, options.onPages)
    assertSound(partial)
    publish(partial, to)
    return { bytes: statSync(to).size }
  } catch (error) {
    rmSync(partial, { force: true })
    throw openError(to, error)
  }
}

/**
 * Puts a backup in the place of the database. Throws `StorageOpenError`, and has then changed
 * nothing: while a server has it open, where there is one already and `isForced` is not set, or
 * where the backup is damaged, of another program, or newer than this build.
 */
export async function restoreSqlite(options: {
  from: string
  file: string
  isForced: boolean
}): Promise<{ keptAs: string | null }> {
  const { from, isForced } = options
  if (!existsSync(from)) throw new StorageOpenError(`There is no file ${from} to restore.`)
  await assertRestorable(from)
  const isThere = existsSync(options.file) && statSync(options.file).size > 0
  if (isThere && !isForced) {
    throw new StorageOpenError(
      `There is a database ${options.file} already; with --force it is kept under another name and replaced.`,
    )
  }
  const file = prepareFile(options.file)
  const lock = lockDatabase(file)
  try {
    const partial = `${file}.partial`
    rmSync(partial, { force: true })
    copyFileSync(from, partial)
    assertSound(partial)
    const keptAs = isThere ? putAside(file) : null
    // A log that belongs to the old database would be played into the new one.
    for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true })
    publish(partial, file)
    return { keptAs }
  } finally {
    lock.release()
  }
}

/** Finds damage: reads every page. Null where all is well, else what SQLite says. */
export function findDamage(file: string): string | null {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    const row = database.prepare('pragma quick_check(1)').get()
    const verdict = String(row?.quick_check)
    return verdict === 'ok' ? null : verdict
  } finally {
    database.close()
  }
}

async function copyPages(file: string, to: string, onPages: OnPages): Promise<void> {
  const source = new DatabaseSync(file, { readOnly: true })
  try {
    // One snapshot for all steps: without it, each write of the server would begin the copy anew.
    source.exec('begin')
    source.prepare('select count(*) from sqlite_schema').get()
    const pages = await backup(source, to, {
      rate: pagesPerStep,
      progress: ({ totalPages, remainingPages }) =>
        onPages(totalPages - remainingPages, totalPages),
    })
    // The last step is not told of.
    onPages(pages, pages)
  } finally {
    source.close()
  }
}

async function assertRestorable(from: string): Promise<void> {
  const { version, knownVersion } = await readSchemaStatus(from)
  if (version === 0) throw new StorageOpenError(`The file ${from} is empty; it is no backup.`)
  if (version > knownVersion) {
    throw new StorageOpenError(
      `The backup ${from} has schema version ${version}, but this build knows only ${knownVersion}: restore it with the newer Countersign.`,
    )
  }
}

function assertSound(file: string): void {
  const damage = findDamage(file)
  if (damage !== null) throw new StorageOpenError(`The copy ${file} is damaged: ${damage}.`)
}

/** With its log: what is damaged may still be worth something to someone. */
function putAside(file: string): string {
  moveLogInto(file)
  let count = 1
  while (existsSync(`${file}.before-restore-${count}`)) count += 1
  const keptAs = `${file}.before-restore-${count}`
  renameSync(file, keptAs)
  if (existsSync(`${file}-wal`)) renameSync(`${file}-wal`, `${keptAs}-wal`)
  return keptAs
}

/** Nobody has it open. Leaves both as they are where the database is damaged. */
function moveLogInto(file: string): void {
  const database = new DatabaseSync(file)
  try {
    database.exec('pragma wal_checkpoint(truncate)')
  } catch (error) {
    if (!isDriverError(error)) throw error
  } finally {
    database.close()
  }
}

/** Gives a finished file its name, so that a power cut leaves either none or the whole. */
function publish(partial: string, file: string): void {
  sync(partial, 'r+')
  renameSync(partial, file)
  // Windows cannot open a directory.
  if (process.platform !== 'win32') sync(dirname(file), 'r')
}

function sync(path: string, flags: string): void {
  const descriptor = openSync(path, flags)
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
