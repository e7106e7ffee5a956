import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { inspect } from 'node:util'
import { openNode } from '../../../test/support/postgres-nodes.ts'
import {
  findPostgres,
  noPostgres,
  type PostgresServer,
  startPostgres,
} from '../../../test/support/postgres-server.ts'

const skip = findPostgres() === null ? noPostgres : false
let server: PostgresServer

before(async () => {
  if (!skip) server = await startPostgres()
})
after(() => server?.dispose())

test('an error does not repeat the row that it is about: there may be a payload in it', {
  skip,
}, async () => {
  const { url } = await server.createDatabase()
  await using node = await openNode(url)
  const { project } = await node.samples.addPair()
  const data = '{"card":"4111-1111"}'
  const wrong = { ...node.samples.event(project.id, { data }), timestamp: null as never }
  const accepts = [
    () => node.storage.transact((tx) => tx.acceptEvents([wrong])),
    () => node.storage.acceptEvents([wrong]),
  ]
  for (const accept of accepts) {
    await assert.rejects(accept, (error) => {
      const shown = inspect(error, { depth: 10 })
      assert.match(shown, /null value in column "timestamp"/)
      assert.doesNotMatch(shown, /4111/)
      return true
    })
  }
})
