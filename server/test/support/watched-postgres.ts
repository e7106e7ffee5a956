import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createIdFactory } from '../../src/core/ids.ts'
import {
  createStatements,
  type Statement,
  type Statements,
} from '../../src/storage/postgres/connection.ts'
import { createFailures } from '../../src/storage/postgres/ping.ts'
import { createPool } from '../../src/storage/postgres/pool.ts'
import { createPostgresStorage } from '../../src/storage/postgres/postgres-storage.ts'
import type { Storage } from '../../src/storage/storage.ts'
import type { TestClock } from '../../src/storage/suite/test-clock-suite.ts'

/** A storage on the database at `url` that tells of each statement before it is run. */
export function openWatchedStorage(
  url: string,
  clock: TestClock,
  onStatement: (statement: Statement) => void,
): Promise<Storage> {
  const statements = watch(createStatements(), onStatement)
  const failures = createFailures()
  const connections = { url, statements, connectionsMax: 4, onFailure: failures.note }
  return createPostgresStorage({
    url,
    reader: createPool(connections),
    pool: createPool(connections),
    failures,
    clock,
    storeTime: clock.now,
    newId: createIdFactory({ now: clock.now, randomBytes }),
    leaseMs: 1_000,
    cacheTtlMs: 0,
    onError: (message, error) => assert.fail(`${message} ${error}`),
  })
}

function watch(statements: Statements, onStatement: (statement: Statement) => void): Statements {
  const note = (statement: Statement) => {
    onStatement(statement)
    return statement
  }
  return {
    of: (sql, values) => note(statements.of(sql, values)),
    named: (sql, row) => note(statements.named(sql, row)),
  }
}
