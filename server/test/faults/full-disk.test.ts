import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '@countersign/sdk'
import { checkInvariants } from '../support/check-invariants.ts'
import { createOwnDisk, whyNoOwnDisk } from '../support/own-disk.ts'
import { startReceiver } from '../support/receiver.ts'
import { type ServerProcess, startServerProcess } from '../support/start-server-process.ts'
import { sqliteStore } from '../support/test-store.ts'
import { until } from '../support/until.ts'

const problem = whyNoOwnDisk()

/** Goal: a full disk refuses what it cannot keep, says so, and costs nothing that was accepted. */
test('a full disk: refused with 503, nothing lost, and on by itself', {
  skip: problem ?? false,
}, async (t) => {
  const disk = await createOwnDisk({ bytes: 24 * 1024 * 1024 })
  t.after(() => disk.dispose())
  const receiver = await startReceiver()
  t.after(() => receiver.close())
  const server = await startServerProcess(
    { COUNTERSIGN_RETRY_SCHEDULE: Array(50).fill('200ms').join(',') },
    { dataDir: disk.path, launcher: disk.launcher },
  )
  t.after(() => server.kill())
  const { client } = server
  const project = (await client.projects.create({ name: 'full' })).id
  const endpoint = await client.endpoints.create(project, { url: receiver.url })
  receiver.secrets = [endpoint.secret]
  const accepted = new Set<string>()
  const publish = async (text: string) => {
    const event = await client.events.publish(project, { type: 'a.b', data: { text } })
    accepted.add(event.id)
  }
  await publish('before')
  // Delivered again and again, so that results are to be recorded while nothing can be.
  receiver.answer = ({ body }) => ({ statusCode: body.includes('before') ? 503 : 204 })
  await publish('before, again')

  disk.fill()
  const refused = await refusalOf(() => publish('x'.repeat(100_000)))
  assert.deepEqual([refused.status, refused.code], [503, 'storage_unavailable'])
  assert.equal(await statusOf(server, '/readyz'), 503)
  assert.equal(await statusOf(server, '/healthz'), 200)
  const rotation = await refusalOf(() =>
    client.endpoints.rotateSecret(project, endpoint.id, { reason: 'r'.repeat(500) }),
  )
  assert.equal(rotation.code, 'storage_unavailable')
  await until('the log says why', () => server.output().includes('the disk is full'))

  disk.free()
  receiver.answer = () => ({ statusCode: 204 })
  await until('it is ready again', async () => (await statusOf(server, '/readyz')) === 200)
  await publish('after')
  await until('all is delivered', () => [...accepted].every((id) => receiver.deliveredIds.has(id)))
  assert.equal(receiver.rejectedCount, 0)

  // Killed while it is full, too.
  disk.fill()
  await refusalOf(() => publish('y'.repeat(100_000)))
  await server.kill()
  await checkInvariants(sqliteStore(disk.copy()), { acceptedIds: accepted })
  disk.free()
  await server.start()
  await publish('at last')
  await until('all is delivered', () => [...accepted].every((id) => receiver.deliveredIds.has(id)))
  assert.equal(await server.terminate(), 0)
  await checkInvariants(sqliteStore(disk.copy()), { acceptedIds: accepted })
})

/** Repeats the call until it is refused: the log may have room for a few more. */
async function refusalOf(call: () => Promise<unknown>): Promise<ApiError> {
  for (let count = 0; count < 500; count++) {
    try {
      await call()
    } catch (error) {
      if (error instanceof ApiError) return error
      throw error
    }
  }
  throw new Error('It was never refused.')
}

async function statusOf({ url }: ServerProcess, path: string): Promise<number> {
  return (await fetch(`${url}${path}`)).status
}
