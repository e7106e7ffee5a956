import {
  createReadStream,
  createWriteStream,
  existsSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pipeline } from 'node:stream/promises'
import { StorageOpenError } from '../storage.ts'
import { assertSound, makeSelfContained, publish, removePartial } from './database-copy.ts'
import { prepareFile } from './database-file.ts'
import { isDriverError, openError } from './errors.ts'
import { lockDatabase } from './lock.ts'
import { readSchemaStatus } from './migrate.ts'

/**
 * Puts a backup in the place of the database. It writes nothing beside the backup, which may lie
 * where nobody may write. Throws `StorageOpenError`, and has then changed nothing: while a server has
 * the database open, where there is one already and `isForced` is not set, or where the backup is
 * damaged, of another program, or newer than this build.
 */
export async function restoreSqlite(options: {
  from: string
  file: string
  isForced: boolean
}): Promise<{ keptAs: string | null }> {
  const { from, isForced } = options
  if (!existsSync(from)) throw new StorageOpenError(`There is no file ${from} to restore.`)
  const file = prepareFile(options.file)
  const lock = lockDatabase(file)
  const partial = `${file}.partial`
  try {
    const isThere = statSync(file).size > 0
    if (isThere && !isForced) {
      throw new StorageOpenError(
        `There is a database ${file} already; with --force it is kept under another name and replaced.`,
      )
    }
    await copyPrivately(from, partial)
    const keptAs = isThere ? putAside(file) : null
    // A log that belongs to the old database would be played into the new one.
    for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true })
    publish(partial, file)
    return { keptAs }
  } catch (error) {
    removePartial(partial)
    // `prepareFile` makes an empty one where there is none.
    if (statSync(file, { throwIfNoEntry: false })?.size === 0) rmSync(file)
    throw error
  } finally {
    lock.release()
  }
}

/** A copy that is sound and ours, whatever mode and rights the backup has. */
async function copyPrivately(from: string, partial: string): Promise<void> {
  if ((statSync(`${from}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) {
    throw new StorageOpenError(
      `The file ${from} has a log beside it, ${from}-wal: it comes from a store that was running and is no backup; where it is all there is, put both into the place of the store.`,
    )
  }
  try {
    removePartial(partial)
    const copy = createWriteStream(partial, { flags: 'wx', mode: 0o600 })
    await pipeline(createReadStream(from), copy)
    makeSelfContained(partial)
    await assertRestorable(partial, from)
    assertSound(partial, from)
  } catch (error) {
    throw openError(from, error)
  }
}

async function assertRestorable(copy: string, from: string): Promise<void> {
  const { version, knownVersion } = await readSchemaStatus(copy, from)
  if (version === 0) throw new StorageOpenError(`The file ${from} is empty; it is no backup.`)
  if (version > knownVersion) {
    throw new StorageOpenError(
      `The backup ${from} has schema version ${version}, but this build knows only ${knownVersion}: restore it with the newer Countersign.`,
    )
  }
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
