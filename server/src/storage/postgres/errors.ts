import pg from 'pg'
import { StorageConflictError, StorageOpenError, StorageUnavailableError } from '../storage.ts'

/** Classes of SQLSTATE that speak of the store's state. All others are mistakes of ours. */
const unavailableReasons: Readonly<Record<string, string>> = {
  '08': 'the connection was lost',
  '25006': 'it is read-only',
  '25P03': 'it ended a transaction that was silent for too long',
  '28': 'it does not let this user in',
  '53': 'it has run out of space, memory or connections',
  '55P03': 'a lock could not be had in time',
  '57': 'it is shutting down, or ended the statement',
  '58': 'reading or writing the disk failed',
  XX: 'it is damaged',
}

const uniqueConstraints: Readonly<Record<string, StorageConflictError['constraint']>> = {
  projects_by_uid: 'project_uid',
  endpoints_by_uid: 'endpoint_uid',
}

/** What the driver and the sockets below it say when there is no server to talk to. */
const connectionLost =
  /Connection terminated|timeout|ECONN|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ENOENT|not queryable|ended|closed|SSL|SASL|certificate/

/** Where a failover is under way, the address may lead to one that is not the primary yet. */
export class StandbyError extends Error {
  override readonly name = 'StandbyError'

  constructor() {
    super('it is a standby, and not the primary')
  }
}

/**
 * The adapter's edge: what the driver throws becomes an error of the port, cause kept. A mistake of
 * ours (a wrong statement, a broken constraint that nothing expects) passes as it is.
 */
export function translateError(error: unknown): unknown {
  if (error instanceof pg.DatabaseError) {
    // The server repeats the whole row there, with what is never to be in a log.
    error.detail = undefined
    const code = error.code ?? ''
    const reason = unavailableReasons[code] ?? unavailableReasons[code.slice(0, 2)]
    if (reason !== undefined) {
      return new StorageUnavailableError(`The store cannot be used now: ${reason}.`, {
        cause: error,
      })
    }
    const constraint = code === '23505' ? uniqueConstraints[error.constraint ?? ''] : undefined
    return constraint === undefined ? error : new StorageConflictError(constraint)
  }
  if (error instanceof StandbyError) {
    return new StorageUnavailableError('The store is a standby.', { cause: error })
  }
  if (isConnectionLost(error)) {
    return new StorageUnavailableError('The store cannot be reached now.', { cause: error })
  }
  return error
}

/**
 * The transaction met with another one: run again, it finds what the other has left. A deadlock, or
 * no order of the two in which each could have read what it read.
 */
export function isCollision(error: unknown): boolean {
  return error instanceof pg.DatabaseError && ['40001', '40P01'].includes(error.code ?? '')
}

/** Somebody else held the lock for longer than was waited for it. */
export function isLocked(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '55P03'
}

/** No partition for the row's time. */
export function isWithoutPartition(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '23514'
}

/** What the store holds contradicts itself: reading it again does not help. */
export function isDamage(error: StorageUnavailableError): boolean {
  return error.cause instanceof pg.DatabaseError && /^XX00[12]/.test(error.cause.code ?? '')
}

/** The connection must not be used again: what it was doing is not known. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return /^(08|57P0|25P03)/.test(error.code ?? '')
  if (!(error instanceof Error)) return false
  const { code } = error as { code?: unknown }
  return connectionLost.test(`${error.message} ${typeof code === 'string' ? code : ''}`)
}

/** It has no room for one more connection. */
export function isFull(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '53300'
}

/** It starts, stops, takes no writes or is full of connections: another time it may be different. */
function isStarting(error: unknown): boolean {
  if (isFull(error) || error instanceof StandbyError) return true
  return error instanceof pg.DatabaseError && ['57P03', '25006'].includes(error.code ?? '')
}

/** What the address says of passwords and certificates is wrong: no wait mends that. */
const misfit = /does not support SSL|SASL|certificate|, open '|PEM/

/** What stands in the way, as the operator may mend it. */
function reasonOf(cause: unknown): string {
  if (cause instanceof pg.DatabaseError && cause.code === '42501') {
    return `${cause.message}; its user has to be the owner of the database`
  }
  const message = cause instanceof Error ? cause.message : String(cause)
  return message.includes('client password must be a string')
    ? 'it asks for a password, and the address has none'
    : message
}

/** One sentence for the operator of a database that does not open. */
export function openError(where: string, error: unknown): unknown {
  if (error instanceof StorageOpenError) return error
  const cause = error instanceof StorageUnavailableError ? error.cause : error
  const isMisfit = cause instanceof Error && misfit.test(cause.message)
  const isKnown = isMisfit || isStarting(cause) || isConnectionLost(cause)
  if (isKnown || cause instanceof pg.DatabaseError) {
    return new StorageOpenError(`The database ${where} cannot be opened: ${reasonOf(cause)}.`, {
      cause: error,
      isUnreachable: (isConnectionLost(cause) && !isMisfit) || isStarting(cause),
    })
  }
  return error
}
