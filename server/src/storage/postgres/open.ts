import type { Clock } from '../../core/clock.ts'
import type { Storage } from '../storage.ts'
import { createStatements } from './connection.ts'
import type { StoreTime } from './due-deliveries.ts'
import { openError } from './errors.ts'
import { assertMigrated, migratePostgres, nameOf } from './migrate.ts'
import { createPartitions } from './partitions.ts'
import { createFailures } from './ping.ts'
import { createPool } from './pool.ts'
import { createPostgresStorage } from './postgres-storage.ts'
import type { CommitReport } from './writer.ts'

/** Connections of a node: enough to keep a database server busy, few enough for many nodes on one. */
const readConnectionsMax = 6
const writeConnectionsMax = 16

/**
 * Opens (and where needed migrates) a PostgreSQL database, beside any number of other nodes. Throws
 * `StorageOpenError`, whose message is one sentence for the operator, and then has changed nothing
 * but the migrations that it has applied.
 */
export async function openPostgresStorage(options: {
  /** `postgres://user:password@host:port/database`; what the driver takes. */
  url: string
  clock: Clock
  newId: (prefix: 'dlv') => string
  /** How long a claimed delivery stays with the claimer. */
  leaseMs: number
  /** For how long nodes act on what they have read: `transact` answers that much later. */
  cacheTtlMs: number
  /** False: refuses a schema that is older than this build. Default true. */
  migrates?: boolean
  /** Told of every commit, for metrics. */
  observeCommit?: (report: CommitReport) => void
  /** Told of what went wrong beside the calls. */
  onError?: (message: string, error: unknown) => void
  /** For tests: the time of the store, by which leases are judged. Default: the store's own clock. */
  storeTime?: StoreTime
}): Promise<Storage> {
  const { url, clock, newId, leaseMs, cacheTtlMs, observeCommit } = options
  const { onError = () => {}, storeTime = () => null } = options
  if (options.migrates === false) await assertMigrated(url)
  else await migratePostgres(url)
  const statements = createStatements()
  const failures = createFailures()
  const onFailure = failures.note
  const pool = createPool({ url, statements, connectionsMax: writeConnectionsMax, onFailure })
  const reader = createPool({ url, statements, connectionsMax: readConnectionsMax, onFailure })
  try {
    await createPartitions(pool).makeAhead(clock.now())
  } catch (error) {
    await Promise.all([pool.end(), reader.end()])
    throw openError(nameOf(url), error)
  }
  return createPostgresStorage({
    url,
    reader,
    pool,
    failures,
    clock,
    storeTime,
    newId,
    leaseMs,
    cacheTtlMs,
    observeCommit,
    onError,
  })
}
