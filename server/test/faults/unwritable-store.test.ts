import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { ApiError } from '@countersign/sdk'
import { checkInvariants } from '../support/check-invariants.ts'
import { createOwnDisk, whyNoOwnDisk } from '../support/own-disk.ts'
import { startReceiver } from '../support/receiver.ts'
import { startServerProcess } from '../support/start-server-process.ts'
import { until } from '../support/until.ts'

const noDisk = whyNoOwnDisk()

test('a read-only file system: the start fails with one sentence and what to do', {
  skip: noDisk ?? false,
}, async (t) => {
  const disk = await createOwnDisk({ bytes: 4 * 1024 * 1024, isReadOnly: true })
  t.after(() => disk.dispose())
  const start = startServerProcess({}, { dataDir: disk.path, launcher: disk.launcher })
  await assert.rejects(start, /is not writable for this user|read-only/)
})

const hasLimits = spawnSync('prlimit', ['--version']).status === 0

/**
 * A file system turns read-only, or its disk fails, while the server writes: here no file may grow
 * any more, so that each write fails as it does then. The signal that comes with the limit is
 * ignored, as a failing disk sends none.
 */
test('a disk that takes no writes: refused with 503, nothing lost, and on by itself', {
  skip: hasLimits ? false : 'prlimit is not installed',
}, async (t) => {
  const receiver = await startReceiver()
  t.after(() => receiver.close())
  const server = await startServerProcess(
    { COUNTERSIGN_RETRY_SCHEDULE: Array(50).fill('200ms').join(',') },
    { launcher: ['sh', '-c', `trap '' XFSZ; exec "$@"`, 'sh'] },
  )
  t.after(() => server.dispose())
  const { client } = server
  const project = (await client.projects.create({ name: 'no writes' })).id
  await client.endpoints.create(project, { url: receiver.url })
  const accepted = new Set<string>()
  const publish = async (text: string) => {
    const event = await client.events.publish(project, { type: 'a.b', data: { text } })
    accepted.add(event.id)
  }
  const limitFiles = (bytes: string) =>
    spawnSync('prlimit', ['--pid', String(server.pid()), `--fsize=${bytes}:`]).status
  receiver.answer = () => ({ statusCode: 503 })
  await publish('before')

  assert.equal(limitFiles('0'), 0)
  await assert.rejects(
    async () => {
      // The log is written over from its beginning at times, which needs no growth.
      for (let count = 0; count < 500; count++) await publish('x'.repeat(100_000))
    },
    (error) => error instanceof ApiError && error.code === 'storage_unavailable',
  )
  assert.equal((await fetch(`${server.url}/readyz`)).status, 503)
  await until('the log says why', () =>
    server.output().includes('reading or writing the disk failed'),
  )

  assert.equal(limitFiles('unlimited'), 0)
  receiver.answer = () => ({ statusCode: 204 })
  await until('it is ready', async () => (await fetch(`${server.url}/readyz`)).status === 200)
  await publish('after')
  await until('all is delivered', () => [...accepted].every((id) => receiver.deliveredIds.has(id)))
  assert.equal(await server.terminate(), 0)
  await checkInvariants(server.store, { acceptedIds: accepted })
})
