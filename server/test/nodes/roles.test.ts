import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePort } from '../support/free-port.ts'
import { nodeEnvironment } from '../support/node-environment.ts'
import { findPostgres, noPostgres } from '../support/postgres-server.ts'
import { startReceiver } from '../support/receiver.ts'
import { startNodes } from '../support/start-nodes.ts'
import { startServerProcess } from '../support/start-server-process.ts'
import { startTestApp } from '../support/start-test-app.ts'
import { until } from '../support/until.ts'

const skip = findPostgres() === null && noPostgres

test('one node answers, another one sends; each tells of itself', { skip }, async (t) => {
  const cluster = await startNodes({ count: 0 })
  const receiver = await startReceiver()
  t.after(async () => {
    await cluster.dispose()
    await receiver.close()
  })
  const api = await cluster.add({ COUNTERSIGN_ROLES: 'api' })
  const { id: project } = await api.client.projects.create({ name: 'roles' })
  const endpoint = await api.client.endpoints.create(project, { url: receiver.url })
  receiver.secrets = [endpoint.secret]
  await api.client.events.publish(project, { id: 'first', type: 'a.b', data: {} })
  await api.client.endpoints.test(project, endpoint.id)
  assert.equal(receiver.received.length, 1, 'a test needs no other node')
  assert.ok(!receiver.deliveredIds.has('first'), 'events wait for a node that sends')

  const dispatch = await cluster.add({ COUNTERSIGN_ROLES: 'dispatch' })
  await until('the other node delivers', () => receiver.deliveredIds.has('first'))
  await api.client.events.publish(project, { id: 'second', type: 'a.b', data: {} })
  await until('and goes on', () => receiver.deliveredIds.has('second'))
  assert.equal(receiver.rejectedCount, 0)

  const statusOf = async (path: string) => (await fetch(`${dispatch.app.url}${path}`)).status
  assert.equal(await statusOf('/healthz'), 200)
  assert.equal(await statusOf('/readyz'), 200)
  assert.equal(await statusOf('/metrics'), 401)
  assert.equal(await statusOf('/v1/projects'), 404)
  assert.equal(await statusOf('/'), 404)
})

test('the console comes from nodes that have its role', { skip }, async (t) => {
  const cluster = await startNodes({ count: 0 })
  t.after(() => cluster.dispose())
  const environment = nodeEnvironment(cluster.databaseUrl)
  const node = await startServerProcess({ ...environment, COUNTERSIGN_ROLES: 'console' })
  t.after(() => node.dispose())
  assert.equal((await fetch(`${node.url}/console/`)).status, 200)
  assert.equal((await fetch(`${node.url}/v1/projects`)).status, 404)
  const other = await startServerProcess({ ...environment, COUNTERSIGN_ROLES: 'api' })
  t.after(() => other.dispose())
  assert.equal((await fetch(`${other.url}/console/`)).status, 404)
  assert.equal((await fetch(`${other.url}/v1/projects`)).status, 401)
})

test('a node that cannot reach the database says so, waits, and comes up', { skip }, async (t) => {
  const cluster = await startNodes({ count: 0 })
  t.after(() => cluster.dispose())
  await cluster.server.stop()
  const port = await freePort()
  const statusOf = async (path: string) => {
    try {
      return (await fetch(`http://127.0.0.1:${port}${path}`)).status
    } catch {
      return null
    }
  }
  const starting = startTestApp({
    environment: { ...nodeEnvironment(cluster.databaseUrl), COUNTERSIGN_PORT: String(port) },
  })
  await until('it is alive', async () => (await statusOf('/healthz')) === 200)
  assert.equal(await statusOf('/readyz'), 503)
  await cluster.server.start()
  const node = await starting
  cluster.nodes.push(node)
  assert.equal(await statusOf('/readyz'), 200)
  const told = node.logLines.filter((line) => line.includes('It is tried again every second'))
  assert.equal(told.length, 1, 'and said so once')
})

test('a node that meets a newer schema refuses', { skip }, async (t) => {
  const cluster = await startNodes({ count: 1 })
  t.after(() => cluster.dispose())
  await cluster.query(
    "insert into schema_migrations (version, name, applied_at) values (999, 'of-tomorrow', 0)",
  )
  await assert.rejects(cluster.add(), {
    name: 'StartError',
    message: /has schema version 999, but this build knows only \d+/,
  })
})
