import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { nodeEnvironment } from '../support/node-environment.ts'
import { findPostgres, noPostgres } from '../support/postgres-server.ts'
import { startReceiver } from '../support/receiver.ts'
import { runCommand } from '../support/run-command.ts'
import { startNodes } from '../support/start-nodes.ts'
import { until } from '../support/until.ts'

const skip = findPostgres() === null && noPostgres

test('commands that need no running server work on PostgreSQL, or say what does', {
  skip,
}, async (t) => {
  const cluster = await startNodes({ count: 0 })
  t.after(() => cluster.dispose())
  const environment = nodeEnvironment(cluster.databaseUrl)

  const migrated = await runCommand(['migrate'], environment)
  assert.equal(migrated.code, 0, migrated.stderr)
  assert.match(
    migrated.stdout,
    /^Nothing to do: the store in postgres:\/\/127\.0\.0\.1:\d+\/\S+ has schema/,
  )
  const examined = await runCommand(['doctor'], environment)
  assert.equal(examined.code, 0, examined.stdout)
  assert.match(examined.stdout, /✔ store: Sound/)
  for (const [args, tool] of [
    [['backup', '/tmp/never'], 'pg_dump'],
    [['restore', '/tmp/never'], 'pg_restore'],
  ] as const) {
    const refused = await runCommand([...args], environment)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, new RegExp(`use ${tool}, as docs/guides/scaling\\.md says`))
  }
  const serving = await runCommand(['serve'], { COUNTERSIGN_DATABASE_URL: cluster.databaseUrl })
  assert.equal(serving.code, 2)
  assert.match(serving.stderr, /COUNTERSIGN_MASTER_KEYS must be set with PostgreSQL/)
})

test('all secrets come under a new master key while a node serves', { skip }, async (t) => {
  const cluster = await startNodes({ count: 0 })
  const receiver = await startReceiver()
  t.after(async () => {
    await cluster.dispose()
    await receiver.close()
  })
  const old = nodeEnvironment(cluster.databaseUrl)
  const fresh = randomBytes(32).toString('base64')
  const both = { ...old, COUNTERSIGN_MASTER_KEYS: `${fresh},${old.COUNTERSIGN_MASTER_KEYS}` }
  const node = await cluster.add(old)
  const { id: project } = await node.client.projects.create({ name: 'keys' })
  const endpoint = await node.client.endpoints.create(project, { url: receiver.url })
  receiver.secrets = [endpoint.secret]
  const resealed = await runCommand(['keys', 'rotate-master'], both)
  assert.equal(resealed.code, 0, resealed.stderr)
  const alone = await cluster.add({ ...both, COUNTERSIGN_MASTER_KEYS: fresh })
  await alone.client.events.publish(project, { id: 'one', type: 'a.b', data: {} })
  await until('it is delivered', () => receiver.received.length > 0)
  const { code, stdout } = await runCommand(['doctor'], {
    ...old,
    COUNTERSIGN_MASTER_KEYS: randomBytes(32).toString('base64'),
  })
  assert.equal(code, 1)
  assert.match(stdout, /✖ master keys: They do not open what the store holds/)
})
