import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { openNode } from '../../../test/support/postgres-nodes.ts'
import {
  findPostgres,
  noPostgres,
  type PostgresServer,
  startPostgres,
} from '../../../test/support/postgres-server.ts'
import { removeOldEvents } from '../../actions/remove-old-events.ts'
import { onePage } from '../suite/pages-suite.ts'
import { createTestClock } from '../suite/test-clock-suite.ts'

const dayMs = 86_400_000
const weekMs = 7 * dayMs
const skip = findPostgres() === null ? noPostgres : false
let server: PostgresServer

before(async () => {
  if (!skip) server = await startPostgres()
})
after(() => server?.dispose())

test('there are partitions for this week and the next four, and no default one', {
  skip,
}, async () => {
  const { url } = await server.createDatabase()
  const clock = createTestClock(Date.parse('2026-11-22T23:59:59.999Z'))
  await using _node = await openNode(url, { clock, storeTime: clock.now })
  const weeks = ['20261116', '20261123', '20261130', '20261207', '20261214']
  const tables = ['attempts', 'deliveries', 'events']
  assert.deepEqual(
    await partitions(url),
    tables.flatMap((table) => weeks.map((week) => `${table}_${week}`)),
  )
})

test('two nodes make what a row needs, whenever it is from', { skip }, async () => {
  const { url } = await server.createDatabase()
  await using a = await openNode(url)
  await using b = await openNode(url)
  const { project } = await a.samples.addPair()
  const createdAt = Date.parse('2031-01-01T00:00:00.000Z')
  const publish = (node: typeof a, at: number) =>
    node.storage.acceptEvents([node.samples.event(project.id, { createdAt: at })])
  await Promise.all([
    publish(a, createdAt),
    publish(b, createdAt),
    publish(a, createdAt - weekMs),
    publish(b, createdAt + weekMs),
  ])
  assert.equal((await a.storage.listEvents(project.id, onePage)).items.length, 4)
  const made = (await partitions(url)).filter((name) => /^events_203[01]/.test(name))
  assert.deepEqual(made, ['events_20301223', 'events_20301230', 'events_20310106'])
})

test('a week is dropped when nobody keeps it, and nothing in it is pending', { skip }, async () => {
  const { url } = await server.createDatabase()
  // A Monday, in the morning.
  const clock = createTestClock(Date.parse('2026-11-23T06:00:00.000Z'))
  await using node = await openNode(url, { clock, storeTime: clock.now })
  const { storage, samples } = node
  const short = await samples.addProject({ settings: { retentionDays: 2 } })
  const long = await samples.addPair()
  const publish = async () => {
    await samples.publish(short.id, {})
    const [event] = await samples.publish(long.project.id, { id: 'own', hasCallerId: true })
    return event
  }
  const first = await publish()
  const [delivery] = await samples.claimAll()
  assert.ok(first && delivery)
  clock.advance(3 * dayMs)
  const settings = { retentionDays: 30 }
  const remove = () => removeOldEvents({ storage, clock, settings })
  const idsOf = async (projectId: string) =>
    (await storage.listEvents(projectId, onePage)).items.map(({ id }) => id)

  // Row by row where another project still keeps the week.
  assert.equal(await remove(), false)
  assert.deepEqual(await idsOf(short.id), [])
  assert.deepEqual(await idsOf(long.project.id), [first.id])

  // Past keeping, but pending.
  clock.advance(6 * weekMs)
  await samples.publish(long.project.id)
  await remove()
  assert.deepEqual(await idsOf(long.project.id).then((ids) => ids.slice(1)), [first.id])
  assert.equal((await storage.acceptEvents([first]))[0]?.status, 'duplicate')

  const [again] = (await samples.claimAll()).filter(({ id }) => id === delivery.id)
  assert.ok(again)
  await storage.transact((tx) => tx.recordAttempts([samples.result(again)]))
  await remove()
  assert.equal((await idsOf(long.project.id)).length, 1)
  assert.deepEqual(await storage.listAttempts(delivery.id), [])
  assert.ok(!(await partitions(url)).some((name) => name.endsWith('_20261123')))
  // The id is free again.
  assert.equal(
    (await storage.acceptEvents([{ ...first, createdAt: clock.now() }]))[0]?.status,
    'accepted',
  )
})

test('a partition that cannot be made leaves its connection as it was', { skip }, async () => {
  const { url } = await server.createDatabase()
  await using node = await openNode(url)
  const { project } = await node.samples.addPair()
  await node.samples.publish(project.id)
  // Somebody made one by hand, of another name.
  const createdAt = Date.parse('2031-01-01T00:00:00.000Z')
  await run(
    url,
    `create table odd partition of events for values from (${createdAt}) to (maxvalue)`,
  )
  const event = node.samples.event(project.id, { createdAt: createdAt - 1 })
  await assert.rejects(node.storage.acceptEvents([event]))
  // The connection that was used last is used first.
  assert.equal((await node.samples.claimAll()).length, 1)
  await run(url, 'drop table odd')
  assert.equal((await node.storage.acceptEvents([event]))[0]?.status, 'accepted')
})

async function run(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(sql)
  await client.end()
}

async function partitions(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query(
    'select inhrelid::regclass::text as name from pg_inherits i join pg_class c on c.oid = inhparent where c.relkind = $1 order by 1',
    ['p'],
  )
  await client.end()
  return rows.map(({ name }) => String(name))
}
