import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { ApiError } from '@countersign/sdk'
import { checkInvariants } from '../support/check-invariants.ts'
import { startReceiver } from '../support/receiver.ts'
import { startServerProcess } from '../support/start-server-process.ts'
import { until } from '../support/until.ts'

/**
 * Goal: another program that holds the database's write lock (a shell left open, a backup tool) is
 * waited for without standing still; held for long, writes are refused, and then all goes on.
 */
test('a locked database: waited for, then refused with 503, and on by itself', async (t) => {
  const receiver = await startReceiver()
  t.after(() => receiver.close())
  const server = await startServerProcess({
    COUNTERSIGN_RETRY_SCHEDULE: Array(50).fill('200ms').join(','),
  })
  t.after(() => server.dispose())
  const { client } = server
  const project = (await client.projects.create({ name: 'locked' })).id
  await client.endpoints.create(project, { url: receiver.url })
  const accepted = new Set<string>()
  const publish = async () => {
    const event = await client.events.publish(project, { type: 'a.b', data: {} })
    accepted.add(event.id)
  }
  // The server may hold the lock itself for a moment, while it records an attempt.
  const other = new DatabaseSync(join(server.dataDir, 'countersign.db'), { timeout: 10_000 })
  t.after(() => other.close())
  receiver.answer = () => ({ statusCode: 503 })
  await publish()

  other.exec('begin immediate')
  const waiting = publish()
  const stillWaits = Symbol()
  // Answers while the write waits: the event loop is free, and reads see the last commit.
  for (let count = 0; count < 10; count++) {
    assert.equal((await fetch(`${server.url}/healthz`)).status, 200)
    assert.equal((await client.events.list(project).page()).data.length, 1)
  }
  assert.equal(await Promise.race([waiting, stillWaits]), stillWaits)
  other.exec('rollback')
  await waiting

  other.exec('begin immediate')
  await assert.rejects(
    publish(),
    (error) => error instanceof ApiError && error.code === 'storage_unavailable',
  )
  await until('the log says why', () => server.output().includes('it is locked'))
  assert.equal((await fetch(`${server.url}/readyz`)).status, 503)
  other.exec('rollback')

  receiver.answer = () => ({ statusCode: 204 })
  await until('it is ready', async () => (await fetch(`${server.url}/readyz`)).status === 200)
  await publish()
  await until('all is delivered', () => [...accepted].every((id) => receiver.deliveredIds.has(id)))
  assert.equal(await server.terminate(), 0)
  await checkInvariants(server.store, { acceptedIds: accepted })
})
