/** The store cannot be read or written now: full disk, locked, gone. Nothing was stored. */
export class StorageUnavailableError extends Error {
  override readonly name = 'StorageUnavailableError'
}

/** More is queued than the store may hold in memory. Nothing was stored. */
export class StorageOverloadedError extends Error {
  override readonly name = 'StorageOverloadedError'
}

/** The store could not be opened; the message is one sentence for the operator. */
export class StorageOpenError extends Error {
  override readonly name = 'StorageOpenError'
  /** There is no way to it now, or it is only starting: worth another try, unlike all else. */
  readonly isUnreachable: boolean

  constructor(message: string, options: ErrorOptions & { isUnreachable?: boolean } = {}) {
    super(message, options)
    this.isUnreachable = options.isUnreachable ?? false
  }
}

/** A value that must be unique is in use. */
export class StorageConflictError extends Error {
  override readonly name = 'StorageConflictError'
  readonly constraint: 'project_uid' | 'endpoint_uid' | 'idempotency_key'

  constructor(constraint: 'project_uid' | 'endpoint_uid' | 'idempotency_key') {
    super(`Not unique: ${constraint}.`)
    this.constraint = constraint
  }
}
