import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { openNode, realClock } from '../../../test/support/postgres-nodes.ts'
import {
  findPostgres,
  noPostgres,
  type PostgresServer,
  startPostgres,
} from '../../../test/support/postgres-server.ts'
import { until } from '../../../test/support/until.ts'
import { StorageOpenError } from '../storage.ts'
import { inspectPostgres } from './inspect.ts'
import { applyMigration, migratePostgres, readSchemaStatus, withClient } from './migrate.ts'

const skip = findPostgres() === null ? noPostgres : false
const migrationCount = readdirSync(new URL('./migrations/', import.meta.url)).length
let server: PostgresServer

before(async () => {
  if (!skip) server = await startPostgres()
})
after(() => server?.dispose())

test('of nodes that start at the same time one migrates', { skip }, async () => {
  const { url } = await server.createEmptyDatabase()
  assert.deepEqual(await inspectPostgres(url), { kind: 'absent' })
  const migrations = await Promise.all(Array.from({ length: 4 }, () => migratePostgres(url)))
  const applied = migrations.map((migration) => migration.applied.length)
  assert.deepEqual(applied.sort(), [0, 0, 0, migrationCount])
  const version = migrationCount
  assert.deepEqual(await readSchemaStatus(url), { version, knownVersion: version })
  await using node = await openNode(url)
  const { project } = await node.samples.addPair()
  const [event] = await node.samples.publish(project.id)
  assert.deepEqual(await inspectPostgres(url), {
    kind: 'usable',
    version,
    knownVersion: version,
    newestEventAt: event?.createdAt,
    masterKeyCheck: null,
  })
})

test('a node refuses a newer schema, and one that runs goes on beside it', { skip }, async () => {
  const { url } = await server.createDatabase()
  await using node = await openNode(url)
  await run(url, `insert into schema_migrations values (9999, '9999-later', 0)`)
  await assert.rejects(openNode(url), (error: Error) => {
    assert.ok(error instanceof StorageOpenError)
    assert.match(error.message, /has schema version 9999, but this build knows only \d+: run the/)
    return true
  })
  assert.equal((await inspectPostgres(url)).kind, 'unusable')
  await node.storage.ping()
})

test('a migration gives way to a node that it meets at two tables, and comes through', {
  skip,
}, async () => {
  const { url } = await server.createDatabase()
  const sql = 'alter table projects add column later text; alter table events add column later text'
  const migration = { version: 9999, name: '9999-later', sql }
  await withClient(url, async (node) => {
    await node.query('begin; lock table events in row exclusive mode')
    const migrating = withClient(url, (client) => applyMigration(client, migration))
    await until('the migration has one table, and waits for the other', async () => {
      const { rows } = await node.query(
        `select pid from pg_locks where not granted and relation = 'events'::regclass`,
      )
      return rows.length === 1
    })
    await node.query('lock table projects in row exclusive mode')
    await node.query('commit')
    await migrating
  })
  assert.equal((await readSchemaStatus(url)).version, 9999)
  await run(url, 'select later from events')
})

test('a node makes weeks of the tables as a newer build has left them', { skip }, async () => {
  const { url } = await server.createDatabase()
  let aheadMs = 0
  const clock = { now: () => Date.now() + aheadMs, monotonic: realClock.monotonic }
  await using node = await openNode(url, { clock })
  const { project } = await node.samples.addPair()
  await withClient(url, (client) =>
    applyMigration(client, {
      version: 9999,
      name: '9999-later',
      sql: ['events', 'deliveries', 'attempts']
        .map(
          (table) => `alter table ${table} add column later bigint not null default 7;
            create index later_${table} on ${table} (later)`,
        )
        .join(';'),
    }),
  )
  aheadMs = 100 * 86_400_000
  const [event] = await node.samples.publish(project.id)
  assert.ok(event)
  assert.equal((await node.storage.getEvent(project.id, event.id))?.id, event.id)
  await run(url, 'select 1 / count(*) from deliveries where later = 7')
})

test('a node that may not migrate says what is to be done', { skip }, async () => {
  const { url } = await server.createEmptyDatabase()
  await assert.rejects(openNode(url, { migrates: false }), /run countersign migrate/)
  assert.equal((await readSchemaStatus(url)).version, 0)
})

async function run(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(sql)
  await client.end()
}
