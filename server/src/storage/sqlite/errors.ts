import { StorageConflictError, StorageOpenError, StorageUnavailableError } from '../storage.ts'

/** An error of the driver, as node:sqlite throws it. */
interface DriverError extends Error {
  code: 'ERR_SQLITE_ERROR'
  /** SQLite's extended result code; the low byte is the primary one. */
  errcode: number
}

/** Primary result codes that speak of the store's state. All others are mistakes of ours. */
const unavailableReasons: Readonly<Record<number, string>> = {
  5: 'it is locked',
  6: 'it is locked',
  7: 'memory is exhausted',
  8: 'it is read-only',
  9: 'the statement was interrupted',
  10: 'reading or writing the disk failed',
  11: 'the file is damaged',
  13: 'the disk is full',
  14: 'the file cannot be opened',
  15: 'its lock protocol failed',
  26: 'the file is not a SQLite database',
}

const uniqueConstraints: Readonly<Record<string, StorageConflictError['constraint']>> = {
  'UNIQUE constraint failed: projects.uid': 'project_uid',
  'UNIQUE constraint failed: endpoints.project_id, endpoints.uid': 'endpoint_uid',
}

/**
 * The adapter's edge: what the driver throws becomes an error of the port, cause kept. A mistake of
 * ours (a wrong statement, a broken constraint that nothing expects) passes as it is.
 */
export function translateError(error: unknown): unknown {
  if (isClosed(error)) return new StorageUnavailableError('The store is closed.', { cause: error })
  if (!isDriverError(error)) return error
  const reason = unavailableReasons[error.errcode & 0xff]
  if (reason !== undefined) {
    return new StorageUnavailableError(`The store cannot be used now: ${reason}.`, { cause: error })
  }
  const constraint = uniqueConstraints[error.message]
  return constraint === undefined ? error : new StorageConflictError(constraint)
}

/** One sentence for the operator of a file that does not open. */
export function openError(file: string, error: unknown): unknown {
  if (error instanceof StorageOpenError) return error
  const cause = error instanceof StorageUnavailableError ? error.cause : error
  if (isDriverError(cause)) return new StorageOpenError(`${openSentence(file, cause)}.`, { cause })
  if (!(cause instanceof Error && 'syscall' in cause)) return error
  return new StorageOpenError(`The database ${file} cannot be opened: ${cause.message}.`, { cause })
}

/** The file's contents are wrong; nothing but a restore mends that. */
export function isDamage({ cause }: StorageUnavailableError): boolean {
  return isDriverError(cause) && [11, 26].includes(cause.errcode & 0xff)
}

export function isDriverError(error: unknown): error is DriverError {
  return error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR'
}

/** Another connection holds the lock that was asked for. */
export function isLocked(error: unknown): boolean {
  return isDriverError(error) && [5, 6].includes(error.errcode & 0xff)
}

/** The driver has no code of its own for this. */
function isClosed(error: unknown): boolean {
  return (
    error instanceof Error &&
    (error.message === 'database is not open' || error.message === 'statement has been finalized')
  )
}

function openSentence(file: string, error: DriverError): string {
  switch (error.errcode & 0xff) {
    case 5:
    case 6:
      return `The database ${file} is locked by another program; close that program first`
    case 8:
      return `The database ${file} is read-only for this user; make the file and its directory writable`
    case 11:
      return `The database ${file} is damaged; see countersign doctor, and put a backup in its place with countersign restore`
    case 13:
      return `The disk that holds ${file} is full; free some space first`
    case 14:
      return `The database ${file} cannot be opened; check that it is a file this user may read and write, in a directory this user may write`
    case 26:
      return `The file ${file} is not a SQLite database; choose another path, or put a backup in its place with countersign restore`
    default:
      return `The database ${file} cannot be opened: ${error.message}`
  }
}
