import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeEnvironment } from '../support/node-environment.ts'
import { findPostgres, noPostgres, startPostgres } from '../support/postgres-server.ts'
import { startReceiver } from '../support/receiver.ts'
import { startTestApp } from '../support/start-test-app.ts'
import { until } from '../support/until.ts'

const skip = findPostgres() === null && noPostgres

test('nodes that start at once on an empty database make one store of it', { skip }, async (t) => {
  const server = await startPostgres()
  t.after(() => server.dispose())
  const receiver = await startReceiver()
  t.after(() => receiver.close())
  const { url } = await server.createEmptyDatabase()
  const environment = nodeEnvironment(url)
  const nodes = await Promise.all(Array.from({ length: 3 }, () => startTestApp({ environment })))
  t.after(() => Promise.all(nodes.map((node) => node.dispose())))
  const [first, second, third] = nodes.map(({ client }) => client)
  assert.ok(first && second && third)
  // What one has sealed another opens.
  const { id: project } = await first.projects.create({ name: 'first' })
  const endpoint = await second.endpoints.create(project, { url: receiver.url })
  receiver.secrets = [endpoint.secret]
  await third.events.publish(project, { id: 'one', type: 'a.b', data: {} })
  await until('it is delivered', () => receiver.deliveredIds.has('one'))
  const errors = nodes.flatMap(({ logLines }) =>
    logLines.filter((line) => line.includes('"level":"error"')),
  )
  assert.deepEqual(errors, [])
})

test('of nodes that start at once with keys of their own, one makes the store', {
  skip,
}, async (t) => {
  const server = await startPostgres()
  t.after(() => server.dispose())
  const { url } = await server.createEmptyDatabase()
  const starts = await Promise.allSettled(
    Array.from({ length: 3 }, () => startTestApp({ environment: nodeEnvironment(url) })),
  )
  t.after(() =>
    Promise.all(starts.map((start) => start.status === 'fulfilled' && start.value.dispose())),
  )
  const refusals = starts.flatMap((start) => (start.status === 'rejected' ? [start.reason] : []))
  assert.equal(refusals.length, 2)
  for (const { name, message } of refusals) {
    assert.equal(name, 'StartError')
    assert.match(message, /The master key does not fit the store in postgres:/)
  }
})
