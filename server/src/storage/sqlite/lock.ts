import { DatabaseSync } from 'node:sqlite'
import { StorageOpenError } from '../storage.ts'
import { createPrivately } from './database-file.ts'
import { isLocked, openError } from './errors.ts'

export interface Lock {
  release(): void
}

/**
 * Holds the database for this process alone, so that leases may live in its memory. Other programs
 * may still read the database itself, for backups. Throws `StorageOpenError` when another process
 * holds it.
 */
export function lockDatabase(file: string): Lock {
  return holdLock(
    `${file}.lock`,
    `The database ${file} is in use by another Countersign process; a SQLite database serves one process, so stop that one first.`,
  )
}

/**
 * Takes the operating system's lock on a file, which is made where it is missing: whatever ends the
 * process, SIGKILL included, releases it. Throws `StorageOpenError` with the given sentence when it
 * is held already.
 */
export function holdLock(path: string, heldSentence: string): Lock {
  let database: DatabaseSync | undefined
  try {
    createPrivately(path)
    database = new DatabaseSync(path, { timeout: 0 })
    // Nothing is ever written to it: an exclusive transaction alone takes the lock.
    database.exec('begin exclusive')
  } catch (cause) {
    database?.close()
    throw isLocked(cause) ? new StorageOpenError(heldSentence, { cause }) : openError(path, cause)
  }
  const held = database
  return { release: () => held.close() }
}
