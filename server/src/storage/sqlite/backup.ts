import { existsSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { StorageOpenError } from '../storage.ts'
import { assertSound, makeSelfContained, publish, removePartial } from './database-copy.ts'
import { createPrivately } from './database-file.ts'
import { openError } from './errors.ts'
import { holdLock } from './lock.ts'

/** Told of what is done, in pages of the database. */
export type OnPages = (done: number, total: number) => void

export interface Backup {
  bytes: number
  /** An earlier run to the same name had not come to its end; what it left was removed. */
  hasClearedUnfinished: boolean
}

/** Pages copied between two looks at the event loop: 4 MiB. */
const pagesPerStep = 1_000

/**
 * Writes a consistent copy of a database, beside a server that goes on writing: it holds what was
 * committed when the copy began. It is one file, which can be read from where nobody may write. The
 * copy is checked before it gets its name, so a file of that name is whole. Throws
 * `StorageOpenError`; then nothing is left of it, and what was there is as it was.
 */
export async function backupSqlite(options: {
  file: string
  to: string
  onPages: OnPages
}): Promise<Backup> {
  const { file, to } = options
  if (!existsSync(file)) throw new StorageOpenError(`There is no database ${file} to back up.`)
  if (!existsSync(dirname(to))) {
    throw new StorageOpenError(
      `The directory ${dirname(to)} does not exist; create it, or choose another.`,
    )
  }
  assertFree(to)
  const partial = `${to}.partial`
  const lockPath = `${partial}.lock`
  const lock = holdLock(lockPath, `Another backup to ${to} is under way; choose another name.`)
  try {
    const hasClearedUnfinished = removePartial(partial)
    createPrivately(partial)
    await copyPages(file, partial, options.onPages)
    makeSelfContained(partial)
    assertSound(partial, partial)
    // Again: copying takes long enough for somebody else to have taken the name.
    assertFree(to)
    publish(partial, to)
    return { bytes: statSync(to).size, hasClearedUnfinished }
  } catch (error) {
    removePartial(partial)
    throw openError(to, error)
  } finally {
    lock.release()
    rmSync(lockPath, { force: true })
  }
}

function assertFree(to: string): void {
  if (!existsSync(to)) return
  throw new StorageOpenError(`The file ${to} exists already; choose another name.`)
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
