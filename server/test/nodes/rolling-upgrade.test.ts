import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { Countersign } from '@countersign/sdk'
import { makeNewerBuild } from '../support/newer-build.ts'
import { nodeEnvironment } from '../support/node-environment.ts'
import { findPostgres, noPostgres } from '../support/postgres-server.ts'
import { startPublisher } from '../support/publisher.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { startNodes, type TestNodes } from '../support/start-nodes.ts'
import { startServerProcess } from '../support/start-server-process.ts'
import { until } from '../support/until.ts'

const skip = findPostgres() === null && noPostgres

/**
 * Goal: old nodes go on working beside a new one that has migrated. Method: while two nodes deliver,
 * one starts whose build has a migration more, which adds to everything there is. All that customers
 * do was done on both nodes before, so that every statement is prepared; it is done again on all.
 */
test('nodes go on beside one of a newer build, whose migration adds to every table', {
  skip,
}, async (t) => {
  const receiver = await startReceiver()
  const masterKey = { COUNTERSIGN_MASTER_KEYS: randomBytes(32).toString('base64') }
  const cluster = await startNodes({ count: 2, environment: masterKey })
  t.after(async () => {
    await cluster.dispose()
    await receiver.close()
  })
  const [first] = cluster.nodes
  assert.ok(first)
  for (const { client } of cluster.nodes) await liveThrough(client, receiver)

  const { id: project } = await first.client.projects.create({ name: 'upgraded' })
  const endpoint = await first.client.endpoints.create(project, { url: receiver.url })
  const begun = await first.client.endpoints.rotateSecret(project, endpoint.id)
  const publishers = cluster.nodes.map(({ client }, n) =>
    startPublisher({ client, project, type: 'load.test', perSecond: 15, idPrefix: `n${n}` }),
  )
  const accepted = () => publishers.flatMap(({ acceptedIds }) => [...acceptedIds])
  const stopPublishers = () => Promise.all(publishers.map((publisher) => publisher.stop()))
  t.after(stopPublishers)
  await until('there is load', () => accepted().length > 20)
  using build = makeNewerBuild(await migrationOfTomorrow(cluster))
  const newer = await startServerProcess(
    { ...nodeEnvironment(cluster.databaseUrl), ...masterKey },
    // The migration waits until no node holds a table that it wants, on a slow machine for long.
    { entry: build.entry, readyMsMax: 150_000 },
  )
  t.after(() => newer.dispose())
  const before = accepted().length
  await until('there is load afterwards', () => accepted().length > before + 20)
  await stopPublishers()
  await until('all that was accepted is delivered', () =>
    accepted().every((id) => receiver.deliveredIds.has(id)),
  )

  const clients = [...cluster.nodes, newer].map(({ client }) => client)
  for (const client of clients) await liveThrough(client, receiver)
  // What one of them ends or begins, the others sign by.
  await newer.client.rotations.complete(project, endpoint.id, begun.rotation.id)
  let signing = begun.secretId
  for (const rotating of clients) {
    for (const client of clients) {
      const { id } = await client.events.publish(project, { type: 'a.b', data: {} })
      await until('it arrives', () => receiver.deliveredIds.has(id))
      const request = receiver.received.find((each) => each.id === id)
      assert.equal(request?.headers['webhook-secret-ids'], signing)
    }
    const cut = { expireCurrentIn: 0, force: true }
    signing = (await rotating.endpoints.rotateSecret(project, endpoint.id, cut)).secretId
  }

  const complaints = cluster.nodes
    .flatMap(({ logLines }) => logLines)
    .filter((line) => /"level":"(?:warn|error|fatal)"/.test(line))
  assert.deepEqual(complaints, [])
  await assert.rejects(cluster.add(), { name: 'StartError', message: /has schema version 9999/ })
})

/** What a migration may do in an upgrade without a stop: add, and change nothing that is there. */
async function migrationOfTomorrow({ query }: TestNodes): Promise<string> {
  const tables = await query(
    `select oid::regclass::text as name from pg_class
     where relkind in ('r', 'p') and not relispartition and relnamespace = 'public'::regnamespace`,
  )
  assert.ok(tables.length > 20, `${tables.length} tables`)
  return [
    ...tables.map(
      ({ name }) => `alter table ${name}
         add column of_tomorrow text, add column kept_tomorrow bigint not null default 7`,
    ),
    'create index of_tomorrow on deliveries (project_seq, created_at) where of_tomorrow is null',
    'create table table_of_tomorrow (id text primary key)',
  ].join(';\n')
}

/** Some of everything that a project does. */
async function liveThrough(client: Countersign, receiver: Receiver): Promise<void> {
  const { id: project } = await client.projects.create({ name: 'life' })
  const { endpoints, rotations, events, deliveries, apiKeys, auditLog } = client
  let isDown = false
  receiver.answer = ({ body }) => ({
    statusCode: isDown && body.includes('"falls.down"') ? 500 : 204,
  })
  const endpoint = await endpoints.create(project, { url: receiver.url, headers: { 'x-a': 'b' } })
  const publish = async (type: string) => (await events.publish(project, { type, data: {} })).id
  const becomes = (event: string, status: string) =>
    until(`${event} becomes ${status}`, async () => {
      const { data } = await deliveries.list(project, { event }).page()
      return data.length === 1 && data[0]?.status === status && data[0].attemptCount > 0
    })
  await becomes(await publish('goes.well'), 'delivered')
  isDown = true
  const failing = await publish('falls.down')
  await becomes(failing, 'pending')
  isDown = false
  const [pending] = (await deliveries.list(project, { event: failing }).page()).data
  assert.ok(pending)
  await deliveries.retry(project, pending.id)
  await becomes(failing, 'delivered')
  assert.equal((await deliveries.get(project, pending.id)).attempts.length, 2)
  await events.expunge(project, failing)
  assert.equal((await events.get(project, failing)).data, null)

  const cancelled = await endpoints.rotateSecret(project, endpoint.id)
  await rotations.cancel(project, endpoint.id, cancelled.rotation.id)
  const completed = await endpoints.rotateSecret(project, endpoint.id)
  await rotations.update(project, endpoint.id, completed.rotation.id, { expireCurrentIn: 7200 })
  await rotations.complete(project, endpoint.id, completed.rotation.id)
  await endpoints.update(project, endpoint.id, { description: 'changed', state: 'disabled' })
  await endpoints.update(project, endpoint.id, { state: 'active' })
  assert.ok((await endpoints.test(project, endpoint.id)).success)
  const { id: key } = await apiKeys.create(project, { name: 'key' })
  await apiKeys.revoke(project, key)
  for (const list of [
    ...[endpoints.list(project), endpoints.listSecrets(project, endpoint.id)],
    ...[rotations.list(project, endpoint.id), events.list(project), deliveries.list(project)],
    ...[apiKeys.list(project), auditLog.list(project), client.projects.list()],
  ]) {
    assert.ok((await list.page()).data.length > 0)
  }
  await endpoints.delete(project, endpoint.id)
  await client.projects.delete(project)
}
