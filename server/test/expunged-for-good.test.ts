import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startReceiver } from './support/receiver.ts'
import { runCommand } from './support/run-command.ts'
import { type ServerProcess, startServerProcess } from './support/start-server-process.ts'
import { isOnPostgres } from './support/test-database.ts'
import { until } from './support/until.ts'

/** The log is emptied five seconds after the last time at the latest; the rest is for busy machines. */
const goneMsMax = 30_000
const marker = 'the-name-of-somebody-who-asked-to-be-forgotten'
const other = 'what-nobody-asked-to-forget'

/** Has delivered an event that holds the marker to a receiver which repeats it, and another one. */
async function startWithMarker(t: TestContext) {
  const receiver = await startReceiver()
  t.after(() => receiver.close())
  receiver.answer = ({ body }) => ({ statusCode: 200, headers: { 'x-name': marker }, body })
  const server = await startServerProcess(
    {},
    { launcher: ['sh', '-c', 'umask 0; exec "$@"', 'sh'] },
  )
  t.after(() => server.dispose())
  const { client } = server
  const project = (await client.projects.create({ name: 'Forgetful' })).id
  await client.endpoints.create(project, { url: receiver.url })
  const publish = async (said: string) => {
    const event = { type: 'a.b', data: { said, filling: 'x'.repeat(20_000) }, metadata: { said } }
    const { id } = await client.events.publish(project, event)
    await until('it is delivered and recorded', async () => {
      const { data } = await client.deliveries.list(project, { event: id }).page()
      return data[0]?.status === 'delivered'
    })
    return id
  }
  const event = await publish(marker)
  receiver.answer = () => ({ statusCode: 204 })
  await publish(other)
  assert.ok((await placesWith(server, marker)).length > 0, 'it is there to begin with')
  const expunge = () => client.events.expunge(project, event)
  return { server, expunge }
}

/** The files, or beside a database the tables, in which the text stands. */
async function placesWith({ store }: ServerProcess, text: string): Promise<string[]> {
  const contents = await store.contents()
  return [...contents].filter(([, content]) => content.includes(text)).map(([place]) => place)
}

async function isGone(server: ServerProcess): Promise<boolean> {
  return (await placesWith(server, marker)).length === 0
}

test('what was expunged is in no file and in no row any more', async (t) => {
  const { server, expunge } = await startWithMarker(t)
  await expunge()
  await until('it is gone', () => isGone(server), goneMsMax)
  assert.ok((await placesWith(server, other)).length > 0, 'nothing else is')
})

const skip = isOnPostgres && 'a database is backed up with its own tools'

test('what was expunged is in no backup that is made later', { skip }, async (t) => {
  const { server, expunge } = await startWithMarker(t)
  await expunge()
  const file = join(server.dataDir, 'backup.db')
  const { code, stderr } = await runCommand(['backup', file, '--data-dir', server.dataDir])
  assert.equal(code, 0, stderr)
  await until('it is gone', () => isGone(server), goneMsMax)
  assert.ok((await placesWith(server, other)).includes('backup.db'))
  for (const name of readdirSync(server.dataDir)) {
    assert.equal(statSync(join(server.dataDir, name)).mode & 0o777, 0o600, name)
  }
})

test('what was expunged just before a SIGKILL is gone after the next start', async (t) => {
  const { server, expunge } = await startWithMarker(t)
  await expunge()
  await server.kill()
  await server.start()
  await until('it is gone', () => isGone(server), goneMsMax)
  assert.ok((await placesWith(server, other)).length > 0, 'nothing else is')
})
