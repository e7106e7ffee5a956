import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Countersign } from '@countersign/sdk'
import { findPostgres, noPostgres } from '../support/postgres-server.ts'
import { startReceiver } from '../support/receiver.ts'
import { startNodes } from '../support/start-nodes.ts'
import { until } from '../support/until.ts'

const skip = findPostgres() === null && noPostgres
const cacheTtl = '200ms'

test('one Idempotency-Key sent at once to three nodes: one execution, one secret', {
  skip,
}, async (t) => {
  const cluster = await startNodes({
    count: 3,
    environment: { COUNTERSIGN_SECRET_CACHE_TTL: cacheTtl },
  })
  const receiver = await startReceiver()
  t.after(async () => {
    await cluster.dispose()
    await receiver.close()
  })
  const [first] = cluster.nodes
  assert.ok(first)
  const { id: project } = await first.client.projects.create({ name: 'once' })
  const endpoint = await first.client.endpoints.create(project, { url: receiver.url })
  const rotationCount = async () => {
    const [row] = await cluster.query('select count(*)::integer as count from rotations')
    return row?.count
  }
  for (let round = 0; round < 5; round++) {
    const answers = await Promise.all(
      cluster.nodes.map(({ client }) =>
        client.endpoints.rotateSecret(
          project,
          endpoint.id,
          { expireCurrentIn: 0, force: true },
          { idempotencyKey: `round-${round}` },
        ),
      ),
    )
    assert.equal(new Set(answers.map(({ secret }) => secret)).size, 1, 'one secret')
    assert.equal(await rotationCount(), round + 1, 'one execution')
  }
  const concurrent = await Promise.allSettled(
    cluster.nodes.map(({ client }) =>
      client.endpoints.rotateSecret(project, endpoint.id, { expireCurrentIn: 60 }),
    ),
  )
  assert.equal(concurrent.filter(({ status }) => status === 'fulfilled').length, 1)
})

test('a kept answer is given out when its secret is in force on every node, and no sooner', {
  skip,
}, async (t) => {
  const cacheTtlMs = 1_000
  const cluster = await startNodes({
    count: 2,
    environment: { COUNTERSIGN_SECRET_CACHE_TTL: `${cacheTtlMs}ms` },
  })
  t.after(() => cluster.dispose())
  const [first, second] = cluster.nodes
  assert.ok(first && second)
  const { id: project } = await first.client.projects.create({ name: 'cut off' })
  const endpoint = await first.client.endpoints.create(project, { url: 'http://127.0.0.1:9/' })
  const caller = new AbortController()
  const path = `/v1/projects/${project}/endpoints/${endpoint.id}/secret/rotate`
  const headers = {
    authorization: `Bearer ${first.rootKey}`,
    'content-type': 'application/json',
    'idempotency-key': 'cut-off',
  }
  const cutOff = assert.rejects(
    fetch(`${first.app.url}${path}`, {
      method: 'POST',
      headers,
      body: '{}',
      signal: caller.signal,
    }),
  )
  await until('the first has committed', async () => {
    return (await cluster.query('select id from rotations')).length === 1
  })
  const committedAt = performance.now()
  caller.abort()
  await cutOff
  const { secret } = await second.client.endpoints.rotateSecret(
    project,
    endpoint.id,
    {},
    { idempotencyKey: 'cut-off' },
  )
  assert.ok(secret.startsWith('whsec_'))
  assert.ok(performance.now() - committedAt >= cacheTtlMs)
  assert.equal((await cluster.query('select id from rotations')).length, 1)
})

test('a key that one node revoked is refused by all; what it may ask is counted together', {
  skip,
}, async (t) => {
  const cluster = await startNodes({
    count: 2,
    environment: {
      COUNTERSIGN_SECRET_CACHE_TTL: cacheTtl,
      COUNTERSIGN_RATE_LIMIT_BURST: '40',
      COUNTERSIGN_RATE_LIMIT_PER_SECOND: '1',
    },
  })
  t.after(() => cluster.dispose())
  const [first, second] = cluster.nodes
  assert.ok(first && second)
  const { id: project } = await first.client.projects.create({ name: 'keys' })
  const made = await first.client.apiKeys.create(project, { name: 'k', scopes: ['webhooks.read'] })
  const callers = cluster.nodes.map(
    ({ app }) => new Countersign({ baseUrl: app.url, apiKey: made.key, retriesMax: 0 }),
  )
  const outcomes = await Promise.all(
    Array.from({ length: 100 }, (_, n) =>
      callers[n % 2]?.projects.get(project).then(
        () => 200,
        (error: { status: number }) => error.status,
      ),
    ),
  )
  const allowed = outcomes.filter((status) => status === 200).length
  assert.ok(allowed >= 40 && allowed <= 45, `${allowed} were let through`)
  assert.ok(outcomes.every((status) => status === 200 || status === 429))

  await first.client.apiKeys.revoke(project, made.id)
  await assert.rejects(() => callers[1]?.projects.get(project) ?? Promise.resolve(), {
    status: 401,
  })
})

test('what is due is done by one node, and by another when that is gone', { skip }, async (t) => {
  const cluster = await startNodes({
    count: 2,
    environment: { COUNTERSIGN_SECRET_CACHE_TTL: cacheTtl },
  })
  const receiver = await startReceiver()
  t.after(async () => {
    await cluster.dispose()
    await receiver.close()
  })
  const [first, second] = cluster.nodes
  assert.ok(first && second)
  const { id: project } = await second.client.projects.create({ name: 'jobs' })
  await second.client.endpoints.create(project, {
    url: receiver.url,
    eventTypes: ['endpoint.secret.expired'],
  })
  const expire = async () => {
    const { id } = await second.client.endpoints.create(project, {
      url: receiver.url,
      eventTypes: ['never'],
    })
    await second.client.endpoints.rotateSecret(project, id, { expireCurrentIn: 1 })
    return id
  }
  const ofEndpoint = (id: string) => receiver.received.filter(({ body }) => body.includes(id))
  const early = await expire()
  await until('it is announced', () => ofEndpoint(early).length > 0)
  const leads = await cluster.query('select node_id from leads')
  assert.equal(leads.length, 1)
  // The first to start leads; what it gives up when it stops, the other takes.
  await first.app.stop(5_000)
  const late = await expire()
  await until('the other node announces', () => ofEndpoint(late).length > 0, 30_000)
  const [after] = await cluster.query('select node_id from leads')
  assert.notEqual(after?.node_id, leads[0]?.node_id)
  assert.equal(ofEndpoint(early).length, 1)
  assert.equal(ofEndpoint(late).length, 1)
})
