import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { StorageUnavailableError } from '../storage.ts'
import { translateError } from './errors.ts'

/** One database connection with its compiled statements. Every error is one of the port. */
export interface Connection {
  readonly database: DatabaseSync
  /** The first row, or undefined. */
  one<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined
  all<Row>(sql: string, ...values: SQLInputValue[]): Row[]
  /** Runs a statement whose parameters are `?`; returns how many rows it changed. */
  run(sql: string, ...values: SQLInputValue[]): number
  /** Runs a statement whose parameters are `:names`, for rows of many columns. */
  write(sql: string, row: Record<string, SQLInputValue>): number
  /**
   * A compiled statement. The number of different texts is bounded by the code, so nothing is ever
   * thrown out. Hot loops hold on to the statement and run inside `protect`.
   */
  statement(sql: string): StatementSync
  /** Runs `work` with the guard asked once and errors translated. */
  protect<T>(work: () => T): T
  /**
   * Runs many reads on one snapshot. Each read by itself locks and unlocks the log, which costs more
   * than most of the reads.
   */
  readTogether<T>(work: () => T): T
}

export interface ConnectionGuard {
  /** Asked before each use; throws where the connection must not be used now. */
  check(): void
  /** Told of each error that says the store is unavailable. */
  failed(error: StorageUnavailableError): void
}

export function createConnection(database: DatabaseSync, guard?: ConnectionGuard): Connection {
  const statements = new Map<string, StatementSync>()

  function statement(sql: string): StatementSync {
    let found = statements.get(sql)
    if (found === undefined) {
      found = database.prepare(sql)
      statements.set(sql, found)
    }
    return found
  }

  function protect<T>(work: () => T): T {
    guard?.check()
    try {
      return work()
    } catch (error) {
      const translated = translateError(error)
      if (translated instanceof StorageUnavailableError) guard?.failed(translated)
      throw translated
    }
  }

  return {
    database,
    statement,
    protect,
    readTogether: (work) =>
      protect(() => {
        statement('begin').run()
        try {
          return work()
        } finally {
          // An error may have ended the transaction already.
          if (database.isTransaction) statement('commit').run()
        }
      }),
    // The driver's rows are plain records; the row type stands beside each query.
    one: <Row>(sql: string, ...values: SQLInputValue[]) =>
      protect(() => statement(sql).get(...values) as unknown as Row | undefined),
    all: <Row>(sql: string, ...values: SQLInputValue[]) =>
      protect(() => statement(sql).all(...values) as unknown as Row[]),
    run: (sql, ...values) => protect(() => Number(statement(sql).run(...values).changes)),
    write: (sql, row) => protect(() => Number(statement(sql).run(row).changes)),
  }
}
