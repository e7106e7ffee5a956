import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { createIdFactory } from '../../core/ids.ts'
import { exerciseStorage } from '../suite/exercise-suite.ts'
import { createTestClock } from '../suite/test-clock-suite.ts'
import { applyMigrations } from './migrate.ts'
import { createSqliteStorage } from './sqlite-storage.ts'

const isRowRange = /SEARCH d USING INTEGER PRIMARY KEY \(rowid>\? AND rowid<\?\)/
const hotTables = /\b(?:events|deliveries|attempts|d|e|a)\b/

test('no statement reads a hot table from end to end', async () => {
  const { database, statements } = await exerciseEverything()
  assert.ok(statements.size > 60, `only ${statements.size} statements were seen`)
  const offences = []
  for (const sql of statements) {
    if (!/^\s*(?:select|update|delete|insert)/.test(sql)) continue
    const plan = explain(database, sql)
    const details = plan.map(({ detail }) => detail)
    // The deliveries of an event are a range of rows; any index is a detour of the whole project.
    if (/first_delivery_seq \+/.test(sql) && !details.some((detail) => isRowRange.test(detail))) {
      offences.push(`${details.join('; ')}\n${sql}`)
    }
    for (const { detail, parent } of plan) {
      const isWhole = /^SCAN /.test(detail) && hotTables.test(detail)
      const isSorted = /USE TEMP B-TREE/.test(detail)
      if ((isWhole && !isCountAtStart(sql)) || (isSorted && !isSortedByDesign(sql, parent))) {
        offences.push(`${detail}\n${sql}`)
      }
    }
  }
  assert.deepEqual(offences, [])
  database.close()
})

test('counts and pages by position pass over index entries alone', async () => {
  const { database, statements } = await exerciseEverything()
  const offences = []
  const seen = [...statements].filter(isIndexEnough)
  for (const sql of seen) {
    const search = explain(database, sql).find(({ detail }) => /^SEARCH d/.test(detail))
    if (!search?.detail.includes('USING COVERING INDEX deliveries_')) {
      offences.push(`${search?.detail}\n${sql}`)
    }
  }
  // Pages of all, failed, skipped and pending, of the project and of an endpoint; each run that is
  // counted, where both have the pending ones in common, in two statements.
  assert.equal(seen.length, 8 + 7 * 2)
  assert.deepEqual(offences, [])
  database.close()
})

test('the fleet is read in the order of age, by indices, and left at the shortest age', async () => {
  const { database, statements } = await exerciseEverything()
  const seen = [...statements].filter((sql) => sql.includes('indexed by secrets_by_age'))
  assert.ok(seen.length >= 4, `${seen.length} statements`)
  for (const sql of seen) {
    const lines = explain(database, sql).map(({ detail }) => detail)
    const isScanned = lines.filter((line) => /^SCAN (?:s|e|p|r|o|previous)\b/.test(line))
    const isPassed = isScanned.filter((line) => !line.includes('USING INDEX secrets_by_age'))
    assert.deepEqual(isPassed, [], sql)
    const isBounded = lines.some((line) =>
      /^SEARCH s .*secrets_by_age \(.*created_at<\?/.test(line),
    )
    assert.equal(isBounded, sql.includes('min(days)'), `${lines}`)
    assert.ok(!lines.some((line) => line.includes('ORDER BY')), `${lines}`)
  }
  database.close()
})

/** No filter is left that only the rows, or other tables, could answer. */
function isIndexEnough(sql: string): boolean {
  if (/from deliveries indexed by deliveries_\w+\s+where .* > \(/.test(sql)) return true
  const skipped = /select d\.seq from (deliveries d indexed by .*?) order by/s.exec(sql)?.[1]
  return skipped !== undefined && !/cross join|d\.status = \?/.test(skipped)
}

/** The plan of a statement: each line, and the one that it is a part of. */
function explain(database: DatabaseSync, sql: string): { detail: string; parent: number }[] {
  const plan = database.prepare(`explain query plan ${sql}`).all()
  return plan.map(({ detail, parent }) => ({ detail: String(detail), parent: Number(parent) }))
}

/** At the start the backlog is counted once, in its own index. */
function isCountAtStart(sql: string): boolean {
  return /select count\(\*\) as count from deliveries indexed by deliveries_pending/.test(sql)
}

/** Pending deliveries are indexed by when they are due; few secrets are listed by activation. */
function isSortedByDesign(sql: string, parent: number): boolean {
  // The rows of one page, once they have been found in order.
  if (parent === 0 && sql.includes(') as page')) return true
  // A project has at most a thousand endpoints.
  if (sql.includes('as condition, count(*)')) return true
  return /from deliveries d indexed by deliveries_pending|from secrets|from announcements/.test(sql)
}

/** Runs every kind of query once and keeps the text of every statement. */
async function exerciseEverything() {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-plans-'))
  const file = join(directory, 'test.db')
  const statements = new Set<string>()
  const writerDatabase = watch(new DatabaseSync(file), statements)
  applyMigrations(writerDatabase, file)
  writerDatabase.exec('pragma journal_mode = wal')
  const readerDatabase = watch(new DatabaseSync(file), statements)
  const clock = createTestClock()
  const storage = createSqliteStorage({
    writerDatabase,
    readerDatabase,
    clock,
    newId: createIdFactory({ now: clock.now, randomBytes }),
    leaseMs: 1_000,
    eraseLog() {},
    async release() {
      writerDatabase.close()
      rmSync(directory, { recursive: true })
    },
  })
  await exerciseStorage({ storage, clock })
  await storage.close()
  return { database: readerDatabase, statements }
}

function watch(database: DatabaseSync, statements: Set<string>): DatabaseSync {
  const prepare = database.prepare.bind(database)
  database.prepare = (sql) => {
    statements.add(sql)
    return prepare(sql)
  }
  return database
}
