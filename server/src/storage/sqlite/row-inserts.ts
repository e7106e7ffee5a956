import type { SQLInputValue } from 'node:sqlite'
import type { Connection } from './connection.ts'

/**
 * Inserts rows of one table, eight with one statement where so many come together: most of what a
 * small row costs is to start a statement, and to find the end of each index anew.
 */
export interface RowInserts {
  /** The row is in the table at the latest after `finish`. */
  add(values: readonly SQLInputValue[]): void
  /** Whether a row that waits has this value. */
  holds(value: SQLInputValue): boolean
  /** Inserts the rows that wait. */
  finish(): void
  /** Forgets the rows that wait, for the transaction is undone. */
  discard(): void
}

const rowsPerStatement = 8

/**
 * The values of `row` are `?` without numbers: for each that is bound, the driver would look through
 * all numbers before it.
 */
export function createRowInserts(
  connection: Connection,
  { into, row }: { into: string; row: string },
): RowInserts {
  const width = row.split('?').length - 1
  // `or fail`: a statement that may have to be undone by itself makes copies of all it changes. Here
  // the whole unit, or the commit, is undone: nobody may catch the error and go on.
  const insert = (count: number) =>
    connection.statement(`insert or fail into ${into} values ${Array(count).fill(row).join(', ')}`)
  const insertOne = insert(1)
  const insertMany = insert(rowsPerStatement)
  const waiting: SQLInputValue[] = []

  return {
    add(values) {
      waiting.push(...values)
      if (waiting.length === rowsPerStatement * width) insertMany.run(...waiting.splice(0))
    },
    holds: (value) => waiting.includes(value),
    finish() {
      while (waiting.length > 0) insertOne.run(...waiting.splice(0, width))
    },
    discard() {
      waiting.length = 0
    },
  }
}
