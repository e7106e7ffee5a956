import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  claimBatch,
  fillDatabase,
  medianClaimMs,
  prepareClaims,
} from '../../../test/support/claim-churn.ts'
import { openNode } from '../../../test/support/postgres-nodes.ts'
import {
  findPostgres,
  noPostgres,
  type PostgresServer,
  startPostgres,
} from '../../../test/support/postgres-server.ts'

const skip = findPostgres() === null ? noPostgres : false
const isLong = process.env.COUNTERSIGN_TEST_LONG !== undefined
/** Deliveries that wait, and that are finished. */
const [pendingCount, finishedCount] = isLong ? [1_000_000, 10_000_000] : [20_000, 40_000]
const rounds = isLong ? 100 : 25
let server: PostgresServer

before(async () => {
  if (!skip) server = await startPostgres({ isDurable: isLong })
})
after(() => server?.dispose())

test('claims take as long over a backlog and a history, under churn, as over none', {
  skip,
  timeout: isLong ? 3_600_000 : 120_000,
}, async (t) => {
  const empty = await server.createDatabase()
  const full = await server.createDatabase()
  const figures: Record<string, number> = {}
  for (const { name, url } of [
    { name: 'empty', url: empty.url },
    { name: 'full', url: full.url },
  ]) {
    await using node = await openNode(url, { leaseMs: 600_000 })
    const projectId = await prepareClaims(node)
    if (name === 'full') await fillDatabase(url, node, { pendingCount, finishedCount })
    figures[name] = await medianClaimMs(node, projectId, rounds)
  }
  const { empty: emptyMs = 0, full: fullMs = 0 } = figures
  t.diagnostic(
    `${claimBatch} claimed in ${emptyMs.toFixed(1)} ms empty, ${fullMs.toFixed(1)} ms over ${pendingCount} pending and ${finishedCount} finished`,
  )
  // Twice is the goal, on a machine that does nothing else; a scan of the backlog is far beyond this.
  assert.ok(fullMs < (isLong ? 2 : 4) * emptyMs, `${fullMs} ms, empty ${emptyMs} ms`)
})
