import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { checkInvariants } from '../support/check-invariants.ts'
import { startReceiver } from '../support/receiver.ts'
import { runCommand } from '../support/run-command.ts'
import { type ServerProcess, startServerProcess } from '../support/start-server-process.ts'
import { sqliteStore } from '../support/test-store.ts'
import { until } from '../support/until.ts'

const databaseName = 'countersign.db'

/** What SIGKILL under load left: nearly everything is still in the write-ahead log. */
async function killedStore(t: TestContext) {
  const receiver = await startReceiver()
  t.after(() => receiver.close())
  const server = await startServerProcess()
  t.after(() => server.dispose())
  const { client } = server
  const project = (await client.projects.create({ name: 'damaged' })).id
  const endpoint = await client.endpoints.create(project, { url: receiver.url })
  receiver.secrets = [endpoint.secret]
  const accepted: string[] = []
  for (let count = 0; count < 60; count++) {
    accepted.push((await client.events.publish(project, { type: 'a.b', data: { count } })).id)
    if (count % 20 === 0) await client.endpoints.rotateSecret(project, endpoint.id, { force: true })
  }
  await server.kill()
  return { server, receiver, project, accepted }
}

function copyOf({ dataDir }: ServerProcess, t: TestContext): string {
  const copy = mkdtempSync(join(tmpdir(), 'countersign-damaged-'))
  t.after(() => rmSync(copy, { recursive: true, force: true }))
  cpSync(dataDir, copy, { recursive: true })
  return copy
}

/**
 * Goal: wherever the log is cut off (a disk that lied about its sync), what is left is a state that
 * the store once had: no transaction is halved. What was cut off is gone, as nothing else holds it.
 */
test('a write-ahead log cut off anywhere leaves a state that there was', async (t) => {
  const { server, accepted } = await killedStore(t)
  const log = readFileSync(join(server.dataDir, `${databaseName}-wal`))
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
  t.diagnostic(`seed ${seed}, ${log.length} bytes`)
  let state = seed
  const random = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return state / 2 ** 31
  }
  const counts: number[] = []
  const lengths = Array.from({ length: 24 }, () => Math.floor(random() * log.length))
  for (const length of lengths.sort((a, b) => a - b)) {
    const copy = copyOf(server, t)
    truncateSync(join(copy, `${databaseName}-wal`), length)
    rmSync(join(copy, `${databaseName}-shm`), { force: true })
    // Cut off before its first page, the log leaves a database without tables.
    if (length <= log.length / 4) continue
    counts.push((await checkInvariants(sqliteStore(copy))).eventCount)
  }
  const isGrowing = counts.every((count, index) => index === 0 || count >= (counts[index - 1] ?? 0))
  assert.ok(isGrowing, `the longer the log, the more there is: ${counts.join(' ')}`)
  const { eventCount } = await checkInvariants(server.store, { acceptedIds: accepted })
  assert.ok(eventCount >= 60)
})

test('a server starts on a log that was cut off, and goes on', async (t) => {
  const { server, receiver, project } = await killedStore(t)
  const file = join(server.dataDir, `${databaseName}-wal`)
  truncateSync(file, Math.floor(readFileSync(file).length * 0.8) + 7)
  await server.start()
  const event = await server.client.events.publish(project, { type: 'a.b', data: {} })
  receiver.secrets = []
  await until('it is delivered', () =>
    receiver.received.some(({ headers }) => headers['webhook-id'] === event.id),
  )
  assert.equal(await server.terminate(), 0)
  await checkInvariants(server.store, { acceptedIds: [event.id] })
})

test('a damaged database says so, at the start or at the first read, and what to do', async (t) => {
  const { server, project } = await killedStore(t)
  await server.start()
  assert.equal(await server.terminate(), 0)
  const file = join(server.dataDir, databaseName)
  const bytes = readFileSync(file)
  // All but the first pages, so that it still looks like a database of ours.
  bytes.fill(0x5a, 8 * 4096)
  writeFileSync(file, bytes)
  const { code, stdout } = await runCommand(['doctor', '--data-dir', server.dataDir], {
    COUNTERSIGN_ROOT_KEY: server.rootKey,
  })
  assert.equal(code, 1)
  assert.match(stdout, /✖ store: .*\n.*restore/)
  const started = await server.start().then(
    () => true,
    (error: Error) => {
      assert.match(error.message, /is damaged; .* countersign restore/)
      return false
    },
  )
  if (!started) return
  const reply = await fetch(`${server.url}/v1/projects/${project}/events`, {
    headers: { authorization: `Bearer ${server.rootKey}` },
  })
  assert.equal(reply.status, 503)
  assert.match(server.output(), /the file is damaged/)
})
