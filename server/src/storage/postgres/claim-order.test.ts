import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openNode, realClock } from '../../../test/support/postgres-nodes.ts'
import {
  findPostgres,
  noPostgres,
  type PostgresServer,
  startPostgres,
} from '../../../test/support/postgres-server.ts'
import { type Claims, createClaims } from './claims.ts'
import { type Connection, createStatements, type Value } from './connection.ts'
import { createLeases } from './leases.ts'
import { createPool } from './pool.ts'

const skip = findPostgres() === null ? noPostgres : false
const everything = { limit: 500, perEndpointMax: 500, fullEndpointIds: new Set<string>() }
let server: PostgresServer

before(async () => {
  if (!skip) server = await startPostgres()
})
after(() => server?.dispose())

/** One delivery is due; `afterClaim` happens before each answer that comes once it has been leased. */
async function claimOne(afterClaim: (claims: Claims, endpointId: string) => Promise<void>) {
  const { url } = await server.createDatabase()
  await using node = await openNode(url)
  const { project, endpoint } = await node.samples.addPair()
  await node.samples.publish(project.id)
  const statements = createStatements()
  const pool = createPool({ url, statements, connectionsMax: 4, onFailure: () => {} })
  let isLeased = false
  let isWatched = true
  const connection: Connection = {
    ...pool.connection,
    async all<Row>(sql: string, ...values: readonly Value[]) {
      const rows = await pool.connection.all<Row>(sql, ...values)
      if (isLeased && isWatched) {
        // What `afterClaim` asks by itself is not watched.
        isWatched = false
        await afterClaim(claims, endpoint.id)
        isWatched = true
      }
      isLeased ||= sql.includes('set lease_until') && rows.length > 0
      return rows
    },
  }
  const claims = createClaims({
    connection,
    leases: createLeases(),
    clock: realClock,
    storeTime: () => null,
    leaseMs: 30_000,
  })
  try {
    const claimed = await claims.claimDue(everything)
    assert.deepEqual(
      claimed.map(({ endpointId }) => endpointId),
      [endpoint.id],
    )
    isWatched = false
    await claims.nextDueAt()
    return claims.mayHoldDue(endpoint.id)
  } finally {
    await pool.end()
  }
}

test('an endpoint may hold something due while a claim of it is on its way', { skip }, async () => {
  const seen: boolean[] = []
  const mayHoldDue = await claimOne(async (claims, endpointId) => {
    // Whoever asks meanwhile learns that nothing is due that is not leased.
    await claims.nextDueAt()
    seen.push(claims.mayHoldDue(endpointId))
  })
  assert.equal(mayHoldDue, false, 'nothing waits any more')
  assert.ok(seen.length > 0 && seen.every(Boolean))
})

test('a claim does not wait for what others make stale', { skip }, async () => {
  let looks = 0
  await claimOne(async (claims) => {
    looks += 1
    if (looks < 20) claims.noteDue([`ep_${looks}`])
  })
  assert.ok(looks < 20)
})
