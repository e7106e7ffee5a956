import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../../core/clock.ts'
import type { Storage } from '../storage.ts'
import { assertNotLost, checkFreeSpace, prepareFile } from './database-file.ts'
import { openError } from './errors.ts'
import { lockDatabase } from './lock.ts'
import { applyMigrations } from './migrate.ts'
import { createSqliteStorage } from './sqlite-storage.ts'
import { emptyLog, startCheckpointThread } from './start-checkpoint-thread.ts'
import { openWritable } from './writable-database.ts'
import type { CommitReport } from './writer.ts'

/** How long opening waits for a lock. */
const busyTimeoutMs = 10_000
/**
 * How long a write waits within the driver, and so with the whole event loop: as long as the
 * checkpoint thread holds the lock, which is milliseconds. The writer waits longer by itself.
 */
const writeBusyTimeoutMs = 50
/**
 * Page caches, in KiB. The writer's holds the ends of all tables and indexes and the pages of the
 * deliveries under way; the reader's one list. What is older comes from the system's file cache. A
 * writer's of 32 MB made nothing quicker and held 30 MB more, and SQLite looks through all of it at
 * each commit.
 */
const writerCacheKib = 8 * 1024
const readerCacheKib = 8 * 1024

/**
 * Opens (and where needed creates and migrates) a SQLite database for this process alone. Throws
 * `StorageOpenError`, whose message is one sentence for the operator, and then has changed nothing.
 */
export async function openSqliteStorage(options: {
  /** Its directory must exist. */
  file: string
  clock: Clock
  newId: (prefix: 'dlv') => string
  /** How long a claimed delivery stays with the claimer. */
  leaseMs: number
  /** False: checkpoints happen inside the writes, for tests and short commands. Default true. */
  checkpointThread?: boolean
  /** Told of every commit, for metrics. */
  observeCommit?: (report: CommitReport) => void
  /** Told of what went wrong beside the calls: checkpoints. */
  onError?: (message: string, error: unknown) => void
}): Promise<Storage> {
  const releases: (() => void | Promise<void>)[] = []
  const release = async () => {
    for (const step of releases.splice(0).reverse()) await step()
  }
  try {
    assertNotLost(options.file)
    const file = prepareFile(options.file)
    releases.push(lockDatabase(file).release)
    const writerDatabase = openWriter(file)
    releases.push(() => writerDatabase.close())
    applyMigrations(writerDatabase, file)
    writerDatabase.exec(`pragma journal_mode = wal; pragma busy_timeout = ${writeBusyTimeoutMs}`)
    // What a unit may have to undo is kept in memory; else it would go to a file of its own, made
    // and removed with nearly every commit. Migrations, which may have much to sort, use files.
    writerDatabase.exec('pragma temp_store = memory')
    const readerDatabase = openReader(file)
    releases.push(() => readerDatabase.close())
    const { clock, newId, leaseMs, observeCommit, onError } = options
    const databases = { writerDatabase, readerDatabase }
    let eraseLog = () => emptyLog(writerDatabase, options.onError)
    if (options.checkpointThread !== false) {
      const thread = startCheckpointThread({ file, writerDatabase, onError })
      // Stopped before the databases close: the last connection to close empties the log.
      releases.push(thread.stop)
      eraseLog = thread.eraseLog
    }
    const storage = createSqliteStorage({
      ...databases,
      clock,
      newId,
      leaseMs,
      observeCommit,
      eraseLog,
      release,
    })
    return {
      ...storage,
      async ping() {
        // A full disk still takes a small write, into space that the log has already.
        checkFreeSpace(file)
        await storage.ping()
      },
    }
  } catch (error) {
    await release()
    throw openError(options.file, error)
  }
}

/**
 * The page size stays SQLite's 4 KiB: a lone event and its attempt write 13 pages, so larger ones
 * cost it twice the bytes, and batches of 50 or 200 gain nothing that could be measured.
 */
function openWriter(file: string): DatabaseSync {
  const database = openWritable(file, busyTimeoutMs)
  database.exec(`pragma synchronous = full; pragma cache_size = -${writerCacheKib}`)
  return database
}

function openReader(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { readOnly: true, timeout: busyTimeoutMs })
  database.exec(`pragma cache_size = -${readerCacheKib}`)
  return database
}
