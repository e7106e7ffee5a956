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
import type { Storage } from '../storage.ts'
import { exerciseStorage } from '../suite/exercise-suite.ts'
import { createSamples } from '../suite/samples-suite.ts'
import { createTestClock, type TestClock } from '../suite/test-clock-suite.ts'
import type { Statement } from './connection.ts'
import { clientConfig } from './pool.ts'

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
  const storage = await openWatchedStorage(url, clock, (statement) => {
    if (!seen.has(statement.text)) seen.set(statement.text, statement)
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

async function withClient(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client(clientConfig(url))
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
