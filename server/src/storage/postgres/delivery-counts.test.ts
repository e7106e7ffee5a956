import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openNode } from '../../../test/support/postgres-nodes.ts'
import {
  findPostgres,
  noPostgres,
  type PostgresServer,
  startPostgres,
} from '../../../test/support/postgres-server.ts'
import { openCountedLine } from '../../../test/support/statement-count.ts'

const skip = findPostgres() === null ? noPostgres : false
let server: PostgresServer

before(async () => {
  if (!skip) server = await startPostgres()
})
after(() => server?.dispose())

test('all counts are of one instant: one statement makes them', { skip }, async () => {
  const { url } = await server.createDatabase()
  const line = await openCountedLine(url)
  try {
    await using node = await openNode(line.url)
    const { project, endpoint } = await node.samples.addPair()
    await node.samples.publish(project.id, {}, {})
    for (const filter of [{}, { endpointId: endpoint.id }]) {
      line.take()
      const counts = await node.storage.countDeliveries(project.id, filter)
      assert.deepEqual(counts, { pending: 2, delivered: 0, failed: 0, skipped: 0 })
      const asked = line.take().filter((text) => text.includes('count(*)'))
      assert.equal(asked.length, 1, asked.join('\n'))
    }
  } finally {
    await line.close()
  }
})
