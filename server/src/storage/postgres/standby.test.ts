import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import pg from 'pg'
import { openNode } from '../../../test/support/postgres-nodes.ts'
import { findPostgres, noPostgres, startPostgres } from '../../../test/support/postgres-server.ts'
import { until } from '../../../test/support/until.ts'
import { StorageOpenError, StorageUnavailableError } from '../storage.ts'

const skip = findPostgres() === null ? noPostgres : false

test('a standby is neither read nor written, and waited for until it is the primary', {
  skip,
}, async (t) => {
  const server = await startPostgres({ isDurable: true })
  t.after(() => server.dispose())
  const [database, empty] = [await server.createDatabase(), await server.createEmptyDatabase()]
  const { url } = database
  await using node = await openNode(url)
  const { project } = await node.samples.addPair()
  const directory = await ask(url, 'show data_directory')
  await server.stop()
  writeFileSync(join(directory, 'standby.signal'), '')
  await server.start()

  await until('the node has found the standby', async () =>
    node.storage.ping().then(
      () => false,
      (error: Error) => error.message === 'The store is a standby.',
    ),
  )
  await assert.rejects(node.storage.getProject(project.id), StorageUnavailableError)
  // Whether or not migrations are missing.
  const reasons = [
    [url, /cannot be opened: it is a standby, and not the primary\.$/],
    [empty.url, /cannot be opened: cannot execute CREATE TABLE in a read-only transaction\.$/],
  ] as const
  for (const [address, reason] of reasons) {
    await assert.rejects(openNode(address), (error: Error) => {
      assert.ok(error instanceof StorageOpenError, String(error))
      assert.match(error.message, reason)
      assert.ok(error.isUnreachable, 'a node that starts waits')
      return true
    })
  }

  await ask(url, 'select pg_promote()')
  await until('the node goes on', () =>
    node.storage.ping().then(
      () => true,
      () => false,
    ),
  )
  assert.equal((await node.storage.getProject(project.id))?.id, project.id)
  await using _late = await openNode(empty.url)
})

async function ask(url: string, sql: string): Promise<string> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<Record<string, unknown>>(sql)
  await client.end()
  return String(Object.values(rows[0] ?? {})[0])
}
