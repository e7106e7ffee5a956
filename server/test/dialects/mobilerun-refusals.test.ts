import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Scope, scopes } from '../../src/core/authorization.ts'
import { idOfUuid } from '../../src/core/ids.ts'
import { dialectApis } from '../../src/dialects/registry.ts'
import { type Method, type Reply, rootKey } from '../support/test-api.ts'
import { until } from '../support/until.ts'
import { untilTooMany } from '../support/until-too-many.ts'
import type { Operation } from './contract.ts'
import { mobilerunContract } from './mobilerun-contract.ts'
import { createMobilerunWorld, type MobilerunWorld } from './mobilerun-world.ts'

const { operations } = mobilerunContract
const unknownId = '550e8400-e29b-41d4-a716-446655440000'

/** What a key needs for each call. */
const scopeOf: Readonly<Record<string, Scope>> = {
  'create webhook': 'webhooks.write',
  'list webhooks': 'webhooks.read',
  'read webhook': 'webhooks.read',
  'change webhook': 'webhooks.write',
  'delete webhook': 'webhooks.write',
  'rotate secret': 'secrets.rotate',
  'test webhook': 'webhooks.write',
  'list event types': 'webhooks.read',
  'list deliveries': 'deliveries.read',
  'count deliveries': 'deliveries.read',
  'list deliveries of webhook': 'deliveries.read',
  'read delivery': 'deliveries.read',
}

describe('Mobilerun: who may call', () => {
  test('nobody without a right key', async () => {
    await using world = await createMobilerunWorld()
    const ids = await addDelivery(world)
    for (const operation of operations) {
      for (const headers of [
        {},
        { authorization: `Bearer dr_sk_${'a'.repeat(43)}` },
        { authorization: `Basic ${world.project.key}` },
        { authorization: 'Bearer' },
        { 'x-api-key': world.project.key },
      ]) {
        const reply = await call(world, operation, ids, { key: null, headers })
        assertRefused(reply, 401)
        assert.equal(reply.headers['www-authenticate'], 'Bearer')
      }
    }
  })

  test('each call needs its own scope, and no other', async () => {
    await using world = await createMobilerunWorld()
    for (const operation of operations) {
      const needed = scopeOf[operation.name]
      assert.ok(needed, operation.name)
      const lacking = await keyWith(
        world,
        scopes.filter((scope) => scope !== needed),
      )
      const ids = await addDelivery(world)
      const refused = await call(world, operation, ids, { key: lacking })
      assertRefused(refused, 403)
      assert.match(refused.body.error, new RegExp(needed.replace('.', '\\.')))
      const allowed = await call(world, operation, ids, { key: await keyWith(world, [needed]) })
      assert.ok(allowed.status < 300, `${operation.name}: ${allowed.text}`)
    }
  })

  test('a key that only publishes can do nothing here, rotate least of all', async () => {
    await using world = await createMobilerunWorld()
    const ids = await addDelivery(world)
    const key = await keyWith(world, ['events.write'])
    const before = await secretIds(world, ids.id)
    for (const operation of operations)
      assertRefused(await call(world, operation, ids, { key }), 403)
    assert.deepEqual(await secretIds(world, ids.id), before)
  })

  test('neither the root key, which belongs to no project, nor a portal token', async () => {
    await using world = await createMobilerunWorld()
    const ids = await addDelivery(world)
    const session = await world.server.call('POST', `${world.project.path}/portal-sessions`, {
      body: { scopes: [...new Set(Object.values(scopeOf))], actor: 'A customer' },
    })
    assert.equal(session.status, 201, session.text)
    for (const key of [rootKey, session.body.token]) {
      for (const operation of operations) {
        assertRefused(await call(world, operation, ids, { key }), 403)
      }
    }
  })

  test('an id of another project, an unknown one and a malformed one are the same 404', async () => {
    await using world = await createMobilerunWorld()
    const ids = await addDelivery(world)
    const other = await world.server.addProject()
    const before = await secretIds(world, ids.id)
    for (const operation of operations.filter(({ path }) => path.includes('{id}'))) {
      const replies = [await call(world, operation, ids, { key: other.key })]
      const malformed = ['1', 'null', '550e8400e29b41d4a716446655440000', `${unknownId}0`, "'"]
      for (const id of [unknownId, idOfUuid('ep', ids.id) ?? '', ...malformed, 'a'.repeat(512)]) {
        replies.push(await call(world, operation, { ...ids, id: encodeURIComponent(id) }))
      }
      for (const reply of replies) {
        assertRefused(reply, 404)
        assert.equal(reply.text, replies[0]?.text)
      }
    }
    const lists = ['/webhooks', '/webhooks/deliveries']
    for (const list of lists) {
      const { body } = await world.send('GET', list, { key: other.key })
      assert.deepEqual([body.items, body.pagination.total], [[], 0])
    }
    assert.deepEqual(await secretIds(world, ids.id), before)
  })
})

describe('Mobilerun: what is asked', () => {
  test('a method that a path does not have is 405, which says what it has', async () => {
    await using world = await createMobilerunWorld()
    const methodsOf = Map.groupBy(operations, ({ path }) => path)
    for (const [path, own] of methodsOf) {
      const taken = own.map(({ method }) => method as string)
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
        if (taken.includes(method)) continue
        for (const prefix of ['', '/v1']) {
          const reply = await world.send(method, prefix + fill(path, { id: unknownId }))
          assertRefused(reply, 405)
          assert.deepEqual(String(reply.headers.allow).split(', ').sort(), [...taken].sort())
        }
      }
    }
  })

  test('a word is never taken for an id', async () => {
    await using world = await createMobilerunWorld()
    for (const prefix of ['', '/v1']) {
      const list = await world.send('GET', `${prefix}/webhooks/deliveries`)
      assert.deepEqual(list.body.items, [])
      for (const method of ['DELETE', 'PATCH', 'POST'] as const) {
        assertRefused(await world.send(method, `${prefix}/webhooks/deliveries`), 405)
        assertRefused(await world.send(method, `${prefix}/webhooks/deliveries/stats`), 405)
      }
      for (const path of ['rotate-secret', 'test', 'deliveries', unknownId]) {
        const reply = await world.send('POST', `${prefix}/webhooks/deliveries/${path}`)
        assert.deepEqual([reply.status, reply.body.code], [404, 'not_found'], 'nobody’s path')
      }
    }
  })

  test('the words of the other systems stay theirs', {
    skip: dialectApis(['dinie']).length > 0 ? false : 'Dinie is not served yet',
  }, async () => {
    await using world = await createMobilerunWorld()
    for (const method of ['DELETE', 'PUT'] as const) {
      const reply = await world.send(method, '/webhooks/endpoints')
      assert.equal(reply.status, 405, reply.text)
      assert.match(String(reply.headers['content-type']), /^application\/problem\+json/)
      assert.equal(reply.body.error, undefined, 'not in Mobilerun’s shape')
    }
  })

  test('a body that is not JSON, too large or of another type is refused for that', async () => {
    await using world = await createMobilerunWorld()
    const { id } = await addDelivery(world)
    for (const [method, path] of [
      ['POST', '/webhooks'],
      ['PATCH', `/webhooks/${id}`],
      ['POST', `/webhooks/${id}/rotate-secret`],
      ['POST', `/webhooks/${id}/test`],
    ] as const) {
      for (const rawBody of ['{', '{"url":"a","url":"b"}', 'url=a', `${'['.repeat(65)}`]) {
        assertRefused(await world.send(method, path, { rawBody }), 400)
      }
      for (const rawBody of ['[]', 'null', '"text"']) {
        assertRefused(await world.send(method, path, { rawBody }), 422)
      }
      const rawBody = JSON.stringify({ url: 'x'.repeat(300_000) })
      assertRefused(await world.send(method, path, { rawBody }), 413)
      for (const headers of [{ 'content-type': 'text/plain' }, { 'content-encoding': 'gzip' }]) {
        assertRefused(await world.send(method, path, { rawBody: '{}', headers }), 415)
      }
    }
  })

  test('too many requests are 429, which says when to come back', async () => {
    await using world = await createMobilerunWorld({ rateLimit: { perSecond: 1, burst: 2 } })
    const since = performance.now()
    const first = await world.send('GET', '/webhooks')
    assert.equal(first.headers['x-ratelimit-limit'], '2')
    assert.equal(first.headers['x-ratelimit-remaining'], '1')
    await world.send('GET', '/v1/event-types')
    const reply = await untilTooMany(since, () => world.send('GET', '/webhooks'))
    assertRefused(reply, 429)
    assert.equal(reply.headers['x-ratelimit-remaining'], '0')
    const resetAt = Math.ceil(world.server.clock.now() / 1000) + 2
    assert.equal(reply.headers['x-ratelimit-reset'], String(resetAt))
    assert.equal(reply.headers['retry-after'], '1')
    // Several nodes count by the clock of the database too, which no test moves.
    await until('a request is allowed again', async () => {
      world.server.clock.advance(1_000)
      return (await world.send('GET', '/webhooks')).status === 200
    })
  })
})

interface Ids {
  id: string
  deliveryId: string
}

async function addDelivery(world: MobilerunWorld): Promise<Ids> {
  const { id } = await world.createWebhook()
  await world.publish()
  const { body } = await world.send('GET', `/webhooks/${id}/deliveries`)
  return { id, deliveryId: body.items[0].id }
}

function call(
  world: MobilerunWorld,
  { name, method, path }: Operation,
  ids: Ids,
  options: { key?: string | null; headers?: Record<string, string> } = {},
): Promise<Reply> {
  return world.send(method as Method, fill(path, ids), {
    ...options,
    ...(name === 'create webhook' ? { body: { url: 'https://rx.example/' } } : {}),
    ...(name === 'change webhook' ? { body: { description: 'changed' } } : {}),
  })
}

function fill(path: string, { id, deliveryId = unknownId }: { id: string; deliveryId?: string }) {
  return path.replace('{id}', id).replace('{deliveryId}', deliveryId)
}

async function keyWith({ server, project }: MobilerunWorld, granted: Scope[]): Promise<string> {
  const body = { name: 'A key', scopes: granted }
  const reply = await server.call('POST', `${project.path}/api-keys`, { body })
  assert.equal(reply.status, 201, reply.text)
  return reply.body.key
}

async function secretIds({ server, project }: MobilerunWorld, uuid: string): Promise<string[]> {
  const path = `${project.path}/endpoints/${idOfUuid('ep', uuid)}/secrets`
  const { body } = await server.call('GET', path)
  return body.data.map(({ id, status }: { id: string; status: string }) => `${id} ${status}`)
}

function assertRefused(reply: Reply, status: number): void {
  assert.equal(reply.status, status, reply.text)
  assert.equal(reply.headers['content-type'], 'application/json; charset=utf-8')
  assert.deepEqual(Object.keys(reply.body), ['error'])
  assert.equal(typeof reply.body.error, 'string')
}
