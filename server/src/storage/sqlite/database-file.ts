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
      `The directory ${directory} is not writable for this user; SQLite keeps its log beside the database.`,
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
