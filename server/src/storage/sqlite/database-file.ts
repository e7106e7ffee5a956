import {
  accessSync,
  closeSync,
  constants,
  openSync,
  realpathSync,
  statfsSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { StorageOpenError, StorageUnavailableError } from '../storage.ts'

/** With less on the disk than this, the next write may well fail, however small. */
const freeBytesMin = 1024 * 1024

/** Throws `StorageOpenError` where opening the database would destroy what is left of it. */
export function assertNotLost(path: string): void {
  const loss = lossOfDatabase(path)
  if (loss !== null) throw new StorageOpenError(loss)
}

/**
 * Makes sure that the database's file is there and that this user may write it and its directory;
 * returns its real path, so that two paths to one file meet at one lock. Throws `StorageOpenError`.
 */
export function prepareFile(path: string): string {
  const directory = dirname(path)
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new StorageOpenError(
      `The directory ${directory} does not exist; create it, or choose another path for the database.`,
    )
  }
  try {
    accessSync(directory, constants.W_OK)
  } catch (cause) {
    throw new StorageOpenError(
      `The directory ${directory} is not writable for this user, and SQLite keeps its log there; give it to that user, or mount its disk for writing.`,
      { cause },
    )
  }
  try {
    createPrivately(path)
    accessSync(path, constants.R_OK | constants.W_OK)
    if (statSync(path).isFile()) return realpathSync(path)
  } catch (cause) {
    throw notUsable(path, cause)
  }
  throw notUsable(path)
}

/**
 * One sentence where the database is gone or empty and its log is not: SQLite would delete the log,
 * and with it what was accepted last. Null where all is well.
 */
export function lossOfDatabase(path: string): string | null {
  if (sizeOf(path) > 0 || sizeOf(`${path}-wal`) === 0) return null
  return `The database ${path} is empty or gone, but its log ${path}-wal is not; put the database back, or a backup with countersign restore, or move the log away to begin anew.`
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

/**
 * Makes an empty file for its owner alone, unless there is one: payloads are nobody else's business,
 * and SQLite gives its log the mode of the database. A file that exists is not even opened: closing
 * it would drop every lock that this process holds on it, as POSIX has it.
 */
export function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, 'ax', 0o600))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

/** Throws `StorageUnavailableError` where the disk has next to no space left for this user. */
export function checkFreeSpace(path: string): void {
  const { bavail, bsize } = statfsSync(dirname(path))
  if (bavail * bsize >= freeBytesMin) return
  throw new StorageUnavailableError('The store cannot be used now: the disk is full.')
}

function notUsable(path: string, cause?: unknown): StorageOpenError {
  return new StorageOpenError(
    `The database ${path} cannot be opened; check that it is a file that this user may read and write.`,
    { cause },
  )
}
