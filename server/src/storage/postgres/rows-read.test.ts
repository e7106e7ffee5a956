import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import {
  findPostgres,
  noPostgres,
  type PostgresServer,
  startPostgres,
} from '../../../test/support/postgres-server.ts'
import { openWatchedStorage } from '../../../test/support/watched-postgres.ts'
import type { DeliveryFilter, Storage } from '../storage.ts'
import { createSamples } from '../suite/samples-suite.ts'
import { createTestClock } from '../suite/test-clock-suite.ts'
import type { Statement } from './connection.ts'
import { clientConfig } from './pool.ts'

// A plan that reads all and sorts it takes as long as the right one while a history is short, and
// a slow machine hides it: so the rows are counted that a query reads beside a long one.

const skip = findPostgres() === null ? noPostgres : false
/** One endpoint got so many deliveries, another missed as many. */
const historyLength = 20_000
/** Deliveries of one event of a thousand, of none of the newest thousand. */
const refunds = (2 * historyLength) / 1_000
/** To choose between two indexes, so many entries of each are counted at most. */
const countedMax = 10_000
const pageLimit = 100

/**
 * PostgreSQL by itself analyzes partitions, never the table for all of them; who runs `analyze` has
 * both. The planner takes the same join for one row with the ones and for many with the others.
 */
const statistics = ['of partitions', 'of all tables'] as const
type Statistics = (typeof statistics)[number]

interface History {
  storage: Storage
  client: pg.Client
  projectId: string
  /** Endpoints, by what became of their deliveries. */
  delivered: string
  missed: string
  /** Every statement that the storage ran. */
  seen: Statement[]
}

let server: PostgresServer
const histories = new Map<Statistics, History>()

before(async () => {
  if (skip) return
  server = await startPostgres()
  for (const each of statistics) histories.set(each, await createHistory(each))
})

after(async () => {
  for (const { storage, client } of histories.values()) {
    await client.end()
    await storage.close()
  }
  await server?.dispose()
})

interface Read {
  name: string
  filter: (history: History) => DeliveryFilter
  found: number
  /** Entries that are counted to choose an index. */
  counted: number
}

const created = 'order.created'
const lists: readonly Read[] = [
  { name: 'of a project', filter: () => ({}), found: pageLimit, counted: 0 },
  {
    name: 'delivered ones',
    filter: () => ({ status: 'delivered' }),
    found: pageLimit,
    counted: 0,
  },
  {
    name: 'failed ones',
    filter: () => ({ status: 'failed' }),
    found: pageLimit,
    counted: 0,
  },
  {
    name: 'of a common type',
    filter: () => ({ eventType: created }),
    found: pageLimit,
    counted: 0,
  },
  {
    name: 'of a rare type',
    filter: () => ({ eventType: 'order.refunded' }),
    found: refunds,
    counted: 0,
  },
  {
    name: 'delivered ones of a type',
    filter: () => ({ eventType: created, status: 'delivered' }),
    found: pageLimit,
    counted: 0,
  },
  {
    name: 'failed ones of a type',
    filter: () => ({ eventType: created, status: 'failed' }),
    found: pageLimit,
    counted: 2 * countedMax,
  },
  {
    name: 'of an endpoint',
    filter: ({ delivered }) => ({ endpointId: delivered }),
    found: pageLimit,
    counted: 0,
  },
  {
    name: 'of an endpoint and a type',
    filter: ({ delivered }) => ({ endpointId: delivered, eventType: created }),
    found: pageLimit,
    counted: 2 * countedMax,
  },
  {
    name: 'failed ones of an endpoint and a type',
    filter: ({ missed }) => ({ endpointId: missed, eventType: created, status: 'failed' }),
    found: pageLimit,
    counted: 3 * countedMax,
  },
]

for (const each of statistics) {
  for (const { name, filter, found, counted } of lists) {
    test(`a page of deliveries reads a page, statistics ${each}: ${name}`, { skip }, async () => {
      const history = historyOf(each)
      const { storage, projectId } = history
      const firstPage = { after: null, limit: pageLimit }
      const first = await rowsRead(history, () =>
        storage.listDeliveries(projectId, filter(history), firstPage),
      )
      assert.equal(first.result.items.length, found)
      assertFew(first.count, { found, counted })
      if (first.result.nextKey === null) return
      const page = { after: first.result.nextKey, limit: pageLimit }
      const second = await rowsRead(history, () =>
        storage.listDeliveries(projectId, filter(history), page),
      )
      assert.equal(second.result.items.length, found)
      assertFew(second.count, { found, counted })
    })

    test(`a stretch reads what lies before it, statistics ${each}: ${name}`, { skip }, async () => {
      const history = historyOf(each)
      const { storage, projectId } = history
      const stretch = { skip: 10, limit: pageLimit }
      const { count, result } = await rowsRead(history, () =>
        storage.listDeliveriesAt(projectId, filter(history), stretch),
      )
      assert.equal(result.length, found === refunds ? refunds - stretch.skip : pageLimit)
      assertFew(count, { found: result.length, counted })
    })
  }

  test(`retention reads what it removes, statistics ${each}`, { skip }, async () => {
    const history = historyOf(each)
    const { count, result } = await rowsRead(history, () =>
      history.storage.transact((tx) =>
        tx.deleteOldEvents(history.projectId, Number.MAX_SAFE_INTEGER, 50),
      ),
    )
    assert.equal(result, 50)
    assertFew(count, { found: 50, counted: 0 })
  })

  test(`a recovery reads what it brings back, statistics ${each}`, { skip }, async () => {
    const history = historyOf(each)
    const recovery = { since: 0, until: Number.MAX_SAFE_INTEGER, statuses: ['failed'] as const }
    const { count, result } = await rowsRead(history, () =>
      history.storage.transact(async (tx) => {
        await tx.insertRecovery({ endpointId: history.missed, ...recovery })
        return tx.continueRecoveries(Date.now(), 200)
      }),
    )
    assert.equal(result, 200)
    assertFew(count, { found: 200, counted: 0 })
  })
}

function assertFew(count: number, expected: { found: number; counted: number }): void {
  const { found, counted } = expected
  assert.ok(count >= found, `only ${count} rows were seen to be read`)
  assert.ok(count < counted + 10 * pageLimit, `${count} rows were read`)
}

function historyOf(each: Statistics): History {
  const history = histories.get(each)
  assert.ok(history)
  return history
}

/** What `work` returns, and the rows of all tables that its queries read. */
async function rowsRead<T>(
  { seen, client }: History,
  work: () => Promise<T>,
): Promise<{ count: number; result: T }> {
  seen.length = 0
  const result = await work()
  let count = 0
  for (const statement of [...seen]) {
    if (/^\s*select/.test(statement.text)) count += await rowsReadBy(client, statement)
  }
  return { count, result }
}

/** A step of a plan that was run, as the server tells it. */
interface PlanNode {
  'Relation Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  'Rows Removed by Index Recheck'?: number
  Plans?: PlanNode[]
}

/** Runs a query once more, as the server does: prepared, with a plan for any values. */
async function rowsReadBy(client: pg.Client, { text, values }: Statement): Promise<number> {
  const literals = values.map((value) => client.escapeLiteral(String(value)))
  const list = literals.length === 0 ? '' : `(${literals.join(', ')})`
  await client.query(`prepare query as ${text}`)
  const { rows } = await client.query(`explain (analyze, format json) execute query${list}`)
  await client.query('deallocate query')
  return rowsOf(rows[0]['QUERY PLAN'][0].Plan)
}

function rowsOf(node: PlanNode): number {
  const below = (node.Plans ?? []).reduce((sum, plan) => sum + rowsOf(plan), 0)
  if (node['Relation Name'] === undefined) return below
  const removed =
    (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)
  return below + (node['Actual Rows'] + removed) * node['Actual Loops']
}

async function createHistory(each: Statistics): Promise<History> {
  const { url } = await server.createDatabase()
  const seen: Statement[] = []
  const clock = createTestClock()
  const storage = await openWatchedStorage(url, clock, (statement) => seen.push(statement))
  const samples = createSamples({ storage, clock })
  const { project, endpoint } = await samples.addPair()
  await samples.publish(project.id)
  const { id: missed } = await samples.addEndpoint(project.id)
  const client = new pg.Client(clientConfig(url))
  await client.connect()
  await fill(client, { delivered: endpoint.id, missed })
  await analyze(client, each)
  return { storage, client, projectId: project.id, delivered: endpoint.id, missed, seen }
}

/** Events in the week of the only delivery that there is, each with a delivery to either endpoint. */
async function fill(
  client: pg.Client,
  { delivered, missed }: Pick<History, 'delivered' | 'missed'>,
): Promise<void> {
  const model = '(select * from deliveries order by seq desc limit 1)'
  await client.query(
    `insert into events (project_seq, created_at, seq, delivery_count, id, type, timestamp,
       metadata, data)
     select d.project_seq, d.created_at + n, -n, 2, 'evt_old_' || n,
       case n % 1000 when 1 then 'order.refunded' else '${created}' end, '', '{}', '{}'
     from ${model} as d, generate_series(1, ${historyLength}) as n`,
  )
  for (const [id, status] of [
    [delivered, 'delivered'],
    [missed, 'failed'],
  ]) {
    await client.query(
      `insert into deliveries (project_seq, created_at, seq, endpoint_seq, event_seq, is_test, id,
         status, missed)
       select d.project_seq, d.created_at + n, -n * 2 - $3, ep.seq, -n, false,
         'dlv_' || $2 || n, $2, nullif($2, 'delivered')
       from ${model} as d, endpoints ep, generate_series(1, ${historyLength}) as n
       where ep.id = $1`,
      [id, status, status === 'delivered' ? 0 : 1],
    )
  }
}

async function analyze(client: pg.Client, each: Statistics): Promise<void> {
  if (each === 'of all tables') {
    await client.query('analyze')
    return
  }
  const { rows } = await client.query<{ name: string }>(
    `select oid::regclass::text as name from pg_class
     where relkind = 'r' and relnamespace = 'public'::regnamespace`,
  )
  await client.query(`analyze ${rows.map(({ name }) => name).join(', ')}`)
}
