import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StorageOpenError } from '../storage.ts'

/*
 * A copy of a database on its way to its name. It is made as `<name>.partial`, so that a file with
 * the name is whole, whatever happens.
 */

/** What SQLite keeps beside a database at times. */
const companions = ['-journal', '-wal', '-shm']

/** Removes what a run that did not come to its end has left. True where there was something. */
export function removePartial(partial: string): boolean {
  const isThere = existsSync(partial)
  for (const suffix of ['', ...companions]) rmSync(partial + suffix, { force: true })
  return isThere
}

/**
 * Makes a database one file without a log beside it: one in log mode can be read only where its
 * directory can be written.
 */
export function makeSelfContained(file: string): void {
  const database = new DatabaseSync(file)
  try {
    database.exec('pragma journal_mode = delete')
  } finally {
    database.close()
  }
}

/** @throws StorageOpenError where a page cannot be read; `name` is what the operator calls it. */
export function assertSound(file: string, name: string): void {
  const damage = findDamage(file)
  if (damage !== null) throw new StorageOpenError(`The file ${name} is damaged: ${damage}.`)
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

/** Gives a finished copy its name, so that a power cut leaves either none or the whole. */
export function publish(partial: string, file: string): void {
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
