import { DatabaseSync } from 'node:sqlite'
import { StorageOpenError } from '../storage.ts'
import { createPrivately } from './database-file.ts'
import { isDriverError, openError } from './errors.ts'

const SQLITE_BUSY = 5

/**
 * Holds the database for this process alone, so that leases may live in its memory. The lock is the
 * operating system's, on a sidecar `<file>.lock`: whatever ends the process, SIGKILL included,
 * releases it. Other programs may still read the database itself, for backups. Throws
 * `StorageOpenError` when another process holds it.
 */
export function lockDatabase(file: string): { release(): void } {
  let database: DatabaseSync | undefined
  try {
    createPrivately(`${file}.lock`)
    database = new DatabaseSync(`${file}.lock`, { timeout: 0 })
    // Nothing is ever written to it: an exclusive transaction alone takes the lock.
    database.exec('begin exclusive')
  } catch (error) {
    database?.close()
    if (!isDriverError(error) || (error.errcode & 0xff) !== SQLITE_BUSY) {
      throw openError(`${file}.lock`, error)
    }
    throw new StorageOpenError(
      `The database ${file} is in use by another Countersign process; a SQLite database serves one process, so stop that one first.`,
      { cause: error },
    )
  }
  const held = database
  return { release: () => held.close() }
}
