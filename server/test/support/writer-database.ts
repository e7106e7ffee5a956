import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'

/** The connection through which a store of this process writes, for making SQLite itself fail. */
export interface WriterDatabase extends Disposable {
  /** Fails where no store was opened since. */
  get(): DatabaseSync
}

/**
 * From here on, remembers the connection that stores are opened with for writing: the only one that
 * begins transactions that write.
 */
export function watchWriterDatabase(): WriterDatabase {
  const { prepare } = DatabaseSync.prototype
  let writer: DatabaseSync | null = null
  DatabaseSync.prototype.prepare = function (this: DatabaseSync, ...args) {
    if (args[0] === 'begin immediate') writer = this
    return prepare.apply(this, args)
  }
  return {
    get() {
      assert.ok(writer !== null, 'a store was opened')
      return writer
    },
    [Symbol.dispose]() {
      DatabaseSync.prototype.prepare = prepare
    },
  }
}
