import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { deliveryStatuses } from '../../core/delivery.ts'
import { createIdFactory } from '../../core/ids.ts'
import type { DeliveryFilter } from '../storage.ts'
import { onePage } from '../suite/pages-suite.ts'
import { createSamples } from '../suite/samples-suite.ts'
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
    const plan = database.prepare(`explain query plan ${sql}`).all()
    const details = plan.map(({ detail }) => String(detail))
    // The deliveries of an event are a range of rows; any index is a detour of the whole project.
    if (/first_delivery_seq \+/.test(sql) && !details.some((detail) => isRowRange.test(detail))) {
      offences.push(`${details.join('; ')}\n${sql}`)
    }
    for (const detail of details) {
      const isWhole = /^SCAN /.test(detail) && hotTables.test(detail)
      const isSorted = /USE TEMP B-TREE/.test(detail)
      if ((isWhole && !isCountAtStart(sql)) || (isSorted && !isSortedByDesign(sql))) {
        offences.push(`${detail}\n${sql}`)
      }
    }
  }
  assert.deepEqual(offences, [])
  database.close()
})

/** At the start the backlog is counted once, in its own index. */
function isCountAtStart(sql: string): boolean {
  return /select count\(\*\) as count from deliveries indexed by deliveries_pending/.test(sql)
}

/** Pending deliveries are indexed by when they are due; few secrets are listed by activation. */
function isSortedByDesign(sql: string): boolean {
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
    async release() {
      writerDatabase.close()
      rmSync(directory, { recursive: true })
    },
  })
  const samples = createSamples({ storage, clock })
  const { project, endpoint } = await samples.addPair()
  const [event] = await samples.publish(project.id, { id: 'own', hasCallerId: true }, {})
  const dueAt = clock.now() + 5
  const [delivery] = await samples.deliverAll({ next: { status: 'pending', dueAt } })
  assert.ok(event && delivery)
  for (const status of [undefined, ...deliveryStatuses]) {
    for (const endpointId of [undefined, endpoint.id]) {
      for (const eventType of [undefined, event.type]) {
        for (const eventId of [undefined, event.id]) {
          const given = { status, endpointId, eventType, eventId, since: 1, until: 5 }
          const filter = Object.entries(given).filter(([, value]) => value !== undefined)
          const read = Object.fromEntries(filter) as DeliveryFilter
          await storage.listDeliveries(project.id, read, onePage)
        }
      }
    }
  }
  const secret = samples.secret(endpoint)
  await storage.transact(async (tx) => {
    await tx.retryDelivery(delivery.id, clock.now())
    await tx.insertSecret(secret)
    await tx.updateSecretTimes({ id: secret.id, revokedAt: 1 })
    await tx.insertRotation(samples.rotation(secret, secret))
    await tx.deleteExpiredIdempotentAnswers(1, 1)
  })
  await samples.claimAll()
  await storage.getDelivery(project.id, delivery.id)
  await storage.listAttempts(delivery.id)
  await storage.getEvent(project.id, event.id)
  await storage.listEvents(project.id, onePage)
  await storage.listSecrets(endpoint.id)
  await storage.listOpenRotations(clock.now())
  await storage.latestRotation(endpoint.id)
  await storage.listDueAnnouncements(1, 1)
  await storage.nextAnnouncementAt()
  await storage.listAuditRows(project.id, { actor: 'x', action: 'y', since: 1 }, onePage)
  await storage.transact((tx) => tx.deleteProject(project.id, clock.now()))
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
