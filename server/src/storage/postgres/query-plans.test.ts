import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import pg from 'pg'
import {
  findPostgres,
  noPostgres,
  type PostgresServer,
  startPostgres,
} from '../../../test/support/postgres-server.ts'
import { createIdFactory } from '../../core/ids.ts'
import type { Storage } from '../storage.ts'
import { exerciseStorage } from '../suite/exercise-suite.ts'
import { createSamples } from '../suite/samples-suite.ts'
import { createTestClock, type TestClock } from '../suite/test-clock-suite.ts'
import { createStatements, type Statement, type Statements } from './connection.ts'
import { createFailures } from './ping.ts'
import { clientConfig, createPool } from './pool.ts'
import { createPostgresStorage } from './postgres-storage.ts'

/** Tables that grow with what is published. */
const bigTables = /^(?:events|deliveries|attempts|due_deliveries|caller_event_ids)(?:_\d+)?$/
const skip = findPostgres() === null ? noPostgres : false
let server: PostgresServer

before(async () => {
  if (!skip) server = await startPostgres()
})
after(() => server?.dispose())

/** A step of a plan, as the server tells it. */
interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  'Index Cond'?: string
  'Recheck Cond'?: string
  'Actual Rows'?: number
  'Actual Loops'?: number
  'Rows Removed by Filter'?: number
  Plans?: PlanNode[]
}

test('no statement reads a big table from end to end', { skip }, async () => {
  const { url } = await server.createDatabase()
  const seen = await exerciseEverything(url)
  assert.ok(seen.length > 80, `only ${seen.length} statements were seen`)
  const offences: string[] = []
  await withClient(url, async (client) => {
    for (const { text, values } of seen) {
      for (const node of await explain(client, { text, values })) {
        if (isWholeTable(node) && !isCountOfBacklog(text)) {
          offences.push(`${node['Node Type']} on ${node['Relation Name']}\n${text}`)
        }
        // With stale statistics the planner takes these for queues: 54 ms a claim instead of 12.
        if (/Hash Join|Merge Join/.test(node['Node Type'])) {
          offences.push(`${node['Node Type']}\n${text}`)
        }
      }
    }
  })
  assert.deepEqual(offences, [])
})

test('a claim goes by its index whatever the statistics say', { skip }, async () => {
  const { url } = await server.createDatabase()
  const seen = await exerciseEverything(url)
  const claim = seen.find(({ text }) => text.includes('for update skip locked'))
  assert.ok(claim)
  await withClient(url, async (client) => {
    // As the planner sees a queue that was just emptied, and one that was never looked at.
    for (const state of ['analyze due_deliveries', 'delete from pg_statistic']) {
      await client.query(state)
      const nodes = await explain(client, claim)
      const reads = nodes.filter((node) => node['Relation Name'] === 'due_deliveries')
      const scans = reads.filter((node) => node['Node Type'].includes('Scan'))
      assert.equal(scans.length, 2)
      for (const scan of scans) assert.equal(scan['Node Type'], 'Index Scan')
      assert.match(scans[0]?.['Index Cond'] ?? '', /endpoint_seq = .* AND \(due_at <=/)
    }
  })
})

test('retention reads what it removes, not all that is older', { skip }, async () => {
  const count = await rowsRead({
    wanted: /from events e[\s\S]*order by e\.created_at\s+limit/,
    values: ({ id }) => [id, Number.MAX_SAFE_INTEGER, 50],
  })
  assert.ok(count >= 50 && count < 1_000, `${count} rows were read`)
})

test('a page of deliveries reads a page, not the history', { skip }, async () => {
  const max = Number.MAX_SAFE_INTEGER
  const count = await rowsRead({
    wanted:
      /select d\.\*\s+from deliveries d\s+where d\.project_seq = \$1 and d\.created_at between \$2 and \$3\s+and/,
    values: ({ seq }) => [seq, -max, max, seq, max, max, 100],
  })
  assert.ok(count >= 100 && count < 1_000, `${count} rows were read`)
})

/** Rows of big tables that a statement reads in a project with a history, the wanted ones included. */
async function rowsRead(read: {
  wanted: RegExp
  values: (project: { id: string; seq: string }) => readonly (string | number)[]
}): Promise<number> {
  const { url } = await server.createDatabase()
  const seen = await exerciseEverything(url)
  const statement = seen.find(({ text }) => read.wanted.test(text))
  assert.ok(statement)
  let count = 0
  await withClient(url, async (client) => {
    const project = await addHistory(client, 20_000)
    const { rows } = await client.query({
      text: `explain (analyze, format json) ${statement.text}`,
      values: [...read.values(project)],
    })
    for (const node of nodesOf(rows[0]['QUERY PLAN'][0].Plan)) {
      if (!bigTables.test(node['Relation Name'] ?? '')) continue
      const found = (node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0)
      count += found * (node['Actual Loops'] ?? 0)
    }
  })
  return count
}

/** Finished deliveries with an event each, in one project, as the planner sees them. */
async function addHistory(client: pg.Client, count: number): Promise<{ id: string; seq: string }> {
  const oldest = '(select * from deliveries order by created_at, seq limit 1)'
  await client.query(
    `insert into events (project_seq, created_at, seq, delivery_count, id, type, timestamp,
       metadata, data)
     select d.project_seq, d.created_at + n, -n, 1, 'evt_old_' || n, 'a.b', '', '{}', '{}'
     from ${oldest} as d, generate_series(1, ${count}) as n`,
  )
  await client.query(
    `insert into deliveries (project_seq, created_at, seq, endpoint_seq, event_seq, is_test, id,
       status)
     select d.project_seq, d.created_at + n, -n, d.endpoint_seq, -n, false, 'dlv_old_' || n,
       'delivered'
     from ${oldest} as d, generate_series(1, ${count}) as n`,
  )
  await client.query('analyze')
  const { rows } = await client.query(
    `select p.id, p.seq from deliveries d join projects p on p.seq = d.project_seq
     where d.id = 'dlv_old_1'`,
  )
  return rows[0]
}

function isWholeTable(node: PlanNode): boolean {
  if (!bigTables.test(node['Relation Name'] ?? '')) return false
  if (node['Node Type'] === 'Seq Scan') return true
  return /^(?:Index Scan|Index Only Scan)$/.test(node['Node Type']) && !node['Index Cond']
}

/** For metrics, at most once a scrape. */
function isCountOfBacklog(text: string): boolean {
  return text === 'select count(*) as count from due_deliveries'
}

/** Every step of the statement's plan. */
async function explain(
  client: pg.Client,
  { text, values }: Pick<Statement, 'text' | 'values'>,
): Promise<PlanNode[]> {
  const { rows } = await client.query({ text: `explain (format json) ${text}`, values })
  const [answer] = rows as { 'QUERY PLAN': [{ Plan: PlanNode }] }[]
  assert.ok(answer)
  return nodesOf(answer['QUERY PLAN'][0].Plan)
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)]
}

/** Runs every kind of query once and keeps each statement with the values of its first use. */
async function exerciseEverything(url: string): Promise<Statement[]> {
  const seen = new Map<string, Statement>()
  const clock = createTestClock()
  const statements = watch(createStatements(), seen)
  const failures = createFailures()
  const connections = { url, statements, connectionsMax: 4, onFailure: failures.note }
  const storage = await createPostgresStorage({
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
  await exerciseStorage({ storage, clock })
  await exerciseDeliveries(storage, clock)
  await storage.close()
  return [...seen.values()].filter(({ text }) =>
    /^\s*(?:select|with|update|delete|insert)/.test(text),
  )
}

/** What else is done to deliveries. */
async function exerciseDeliveries(storage: Storage, clock: TestClock): Promise<void> {
  const samples = createSamples({ storage, clock })
  const { project, endpoint } = await samples.addPair()
  const [event] = await samples.publish(project.id, {}, {}, {})
  const [first, second, third] = await samples.claimAll()
  assert.ok(event && first && second && third)
  const { id: deliveryId, endpointId, leaseToken } = third
  await storage.releaseClaims([{ deliveryId, endpointId, leaseToken, notBefore: null }])
  const failed = { status: 'failed' as const, reason: 'exhausted' as const, at: clock.now() }
  await storage.transact(
    async (tx) => {
      await tx.recordAttempts([samples.result(first, { next: failed }), samples.result(second)])
      await tx.updateEndpointHealth(endpoint.id, endpoint)
      await tx.touchSecrets([{ id: 'sec_1', at: 1 }])
    },
    { isInterleaved: true },
  )
  await storage.transact(async (tx) => {
    const span = { since: 0, until: clock.now() + 1, statuses: ['failed', 'skipped'] as const }
    await tx.insertRecovery({ endpointId: endpoint.id, ...span })
    await tx.continueRecoveries(clock.now(), 10)
    await tx.hastenDeliveries({ after: null, now: clock.now(), byMs: 1 })
  })
  await storage.listRetentions()
  await storage.transact((tx) => tx.createTestDelivery(samples.event(project.id), endpoint.id))
  await storage.transact((tx) => tx.expungeEvent(project.id, event.id, clock.now()))
  await storage.transact((tx) => tx.deleteOldEvents(project.id, clock.now() + 1, 10))
  await storage.backlog()
}

function watch(statements: Statements, seen: Map<string, Statement>): Statements {
  const note = (statement: Statement) => {
    if (!seen.has(statement.text)) seen.set(statement.text, statement)
    return statement
  }
  return {
    of: (sql, values) => note(statements.of(sql, values)),
    named: (sql, row) => note(statements.named(sql, row)),
  }
}

async function withClient(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client(clientConfig(url))
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
