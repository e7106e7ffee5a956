import type { DatabaseSync } from 'node:sqlite'

/**
 * Moves the write-ahead log into the database, so that the log stays bounded whatever the load.
 *
 * A passive pass never makes a writer wait, but the log starts over only when a pass has caught up
 * with a writer that may never pause. So where the log has grown long, passive passes bring the
 * distance down and a last one, which holds the write lock for what little is left, ends it.
 */
export interface Checkpointer {
  /** Looks at the log, does what is due, and says in how many milliseconds to look again. */
  step(monotonicNow: number): number
  /**
   * The log holds something that was removed from the database: one of the next steps empties it.
   */
  eraseLog(): void
}

/** Between looks: while something is being written, and while nothing is (a look costs 0.2 ms). */
const busyIntervalMs = 100
const quietIntervalMs = 500

export interface CheckpointBounds {
  /** A pass begins when this much is not in the database yet… */
  passBytes: number
  /** …or anything has been for this long. */
  passAfterMs: number
  /** From this length on the log must start over. */
  restartBytes: number
  /** A longer log file gives its space back once nothing has been written for `idleMs`. */
  fileBytesMax: number
  idleMs: number
  /** Between two times that the log is emptied, as everything written after has to grow it again. */
  eraseEveryMs: number
  /** Between two tries while somebody reads for long: each holds up the writer. */
  retryMs: number
}

export const checkpointBounds: CheckpointBounds = {
  passBytes: 16 * 1024 * 1024,
  passAfterMs: 5_000,
  restartBytes: 64 * 1024 * 1024,
  fileBytesMax: 16 * 1024 * 1024,
  idleMs: 10_000,
  eraseEveryMs: 5_000,
  retryMs: 1_000,
}

/** How often one step asks for the write lock; each time what is left grows shorter by a pass. */
const attemptsMax = 50

/** Lengths in bytes; `done` of the `length` are in the database. */
interface LogState {
  length: number
  done: number
  /** A lock was not to be had: only a passive pass was made. */
  isBusy: boolean
}

interface CheckpointRow {
  busy: number
  log: number
  checkpointed: number
}

export function createCheckpointer(options: {
  /** A connection of its own. */
  database: DatabaseSync
  bounds: CheckpointBounds
  readLogFileBytes: () => number
}): Checkpointer {
  const { database, bounds } = options
  const pageBytes = Number(database.prepare('pragma page_size').get()?.page_size)
  let lastPassAt = Number.NEGATIVE_INFINITY
  let lastLength = 0
  let quietSince = Number.POSITIVE_INFINITY
  let restartFrom = Number.NEGATIVE_INFINITY
  let mustErase = false
  let eraseFrom = Number.NEGATIVE_INFINITY

  const statements = {
    noop: database.prepare('pragma wal_checkpoint(noop)'),
    passive: database.prepare('pragma wal_checkpoint(passive)'),
    restart: database.prepare('pragma wal_checkpoint(restart)'),
    truncate: database.prepare('pragma wal_checkpoint(truncate)'),
  }

  function checkpoint(mode: keyof typeof statements): LogState {
    const row = statements[mode].get() as unknown as CheckpointRow
    return {
      length: Math.max(0, row.log) * pageBytes,
      done: Math.max(0, row.checkpointed) * pageBytes,
      isBusy: row.busy === 1,
    }
  }

  /** Tries again and again beside a busy writer. False where only waiting for a reader would help. */
  function insist(mode: 'restart' | 'truncate', pass: LogState): boolean {
    let { done } = pass
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const now = checkpoint(mode)
      if (!now.isBusy) return true
      // A busy writer leaves more to move each time; only a reader keeps a pass where it was.
      if (now.done === done) return false
      done = now.done
    }
    return false
  }

  function catchUp(monotonicNow: number): void {
    const pass = checkpoint('passive')
    if (pass.length < bounds.restartBytes || monotonicNow < restartFrom) return
    if (!insist('restart', pass)) restartFrom = monotonicNow + bounds.retryMs
  }

  /** Old versions of pages stay in the log's file until they are written over, or it is cut off. */
  function erase(monotonicNow: number): void {
    lastPassAt = monotonicNow
    mustErase = !insist('truncate', checkpoint('passive'))
    eraseFrom = monotonicNow + (mustErase ? bounds.retryMs : bounds.eraseEveryMs)
  }

  return {
    eraseLog() {
      mustErase = true
    },
    step(monotonicNow) {
      if (mustErase && monotonicNow >= eraseFrom) erase(monotonicNow)
      const { length, done } = checkpoint('noop')
      const isGrowing = length !== lastLength
      if (isGrowing) quietSince = monotonicNow
      lastLength = length
      const waiting = length - done
      const isLong = length >= bounds.restartBytes
      const isOld = monotonicNow - lastPassAt >= bounds.passAfterMs
      // With nothing waiting, the next write starts the log over by itself.
      if (waiting >= bounds.passBytes || (waiting > 0 && (isLong || isOld))) {
        lastPassAt = monotonicNow
        catchUp(monotonicNow)
      } else if (
        monotonicNow - quietSince >= bounds.idleMs &&
        options.readLogFileBytes() > bounds.fileBytesMax
      ) {
        checkpoint('truncate')
        quietSince = Number.POSITIVE_INFINITY
      }
      return isGrowing ? busyIntervalMs : quietIntervalMs
    },
  }
}
