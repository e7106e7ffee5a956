import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Scope, scopes } from '../../src/core/authorization.ts'
import { idOfUuid } from '../../src/core/ids.ts'
import { createSwitchableStore } from '../support/switchable-store.ts'
import { createTestApi, type Reply, rootKey } from '../support/test-api.ts'
import { until } from '../support/until.ts'
import { untilTooMany } from '../support/until-too-many.ts'
import { hCompanyContract } from './h-company-contract.ts'
import { createHCompanyWorld, unknownId, webhooksPath } from './h-company-world.ts'

const { operations } = hCompanyContract
const ofOneWebhook = operations.filter(({ path }) => path.includes('{webhook_id}'))

/** What a key needs for each call. */
const scopeOf: Readonly<Record<string, Scope>> = {
  'create webhook': 'webhooks.write',
  'list webhooks': 'webhooks.read',
  'list event types': 'webhooks.read',
  'read webhook': 'webhooks.read',
  'change webhook': 'webhooks.write',
  'delete webhook': 'webhooks.write',
  'rotate secret': 'secrets.rotate',
  'ping webhook': 'webhooks.write',
}

describe('H Company: who may call', () => {
  test('nobody without a right key', async () => {
    await using world = await createHCompanyWorld()
    const { id } = await world.createWebhook()
    for (const operation of operations) {
      for (const headers of [
        {},
        { authorization: `Bearer hk-${'a'.repeat(43)}` },
        { authorization: `Basic ${world.project.key}` },
        { authorization: 'Bearer' },
        { 'x-api-key': world.project.key },
      ]) {
        const reply = await world.call(operation, id, { key: null, headers })
        assertRefused(reply, 401)
        assert.equal(reply.headers['www-authenticate'], 'Bearer')
      }
    }
  })

  test('each call needs its own scope, and no other', async () => {
    await using world = await createHCompanyWorld()
    for (const operation of operations) {
      const needed = scopeOf[operation.name]
      assert.ok(needed, operation.name)
      const { id } = await world.createWebhook()
      const others = await world.addKey(scopes.filter((scope) => scope !== needed))
      const refused = await world.call(operation, id, { key: others })
      assertRefused(refused, 403)
      assert.ok(refused.body.detail.includes(needed), refused.text)
      const allowed = await world.call(operation, id, { key: await world.addKey([needed]) })
      assert.ok(allowed.status < 300, `${operation.name}: ${allowed.text}`)
    }
  })

  test('a key that only publishes can do nothing here, rotate least of all', async () => {
    await using world = await createHCompanyWorld()
    const { id, ...created } = await world.createWebhook()
    const key = await world.addKey(['events.write'])
    for (const operation of operations) {
      assertRefused(await world.call(operation, id, { key }), 403)
    }
    assert.deepEqual(await world.secretStatuses(id), ['current'])
    assert.equal((await world.readWebhook(id)).updated_at, created.updated_at)
  })

  test('neither the root key, which belongs to no project, nor a portal token', async () => {
    await using world = await createHCompanyWorld()
    const { id } = await world.createWebhook()
    const session = await world.server.call('POST', `${world.project.path}/portal-sessions`, {
      body: { scopes: [...new Set(Object.values(scopeOf))], actor: 'A customer' },
    })
    assert.equal(session.status, 201, session.text)
    for (const key of [rootKey, session.body.token]) {
      for (const operation of operations) {
        assertRefused(await world.call(operation, id, { key }), 403)
      }
    }
  })

  test('any other key of the project works as well', async () => {
    await using world = await createHCompanyWorld()
    assert.match(world.project.key, /^csk_/)
    const reply = await world.send('GET', webhooksPath, { key: world.project.key })
    assert.equal(reply.status, 200)
  })

  test('an id of another project and an unknown one are the same 404, a malformed one is 422', async () => {
    await using world = await createHCompanyWorld()
    const { id } = await world.createWebhook()
    const other = await world.server.addProject()
    const malformed = ['1', 'null', 'events ', unknownId.replaceAll('-', ''), `${unknownId}0`]
    for (const operation of ofOneWebhook) {
      const unknown = await world.call(operation, unknownId)
      const foreign = await world.call(operation, id, { key: other.key })
      assertRefused(unknown, 404)
      assert.equal(foreign.status, 404)
      assert.equal(foreign.text, unknown.text)
      for (const text of [...malformed, idOfUuid('ep', id) ?? '', 'a'.repeat(512)]) {
        const reply = await world.call(operation, encodeURIComponent(text))
        assertRefused(reply, 422)
        const [{ loc, type }] = reply.body.detail
        assert.deepEqual([loc, type], [['path', 'webhook_id'], 'uuid_parsing'])
      }
    }
    const list = await world.send('GET', webhooksPath, { key: other.key })
    assert.deepEqual(list.body, { items: [], total: 0, page: 1 })
    assert.deepEqual(await world.secretStatuses(id), ['current'])
  })
})

describe('H Company: what is asked', () => {
  test('a method that a path does not have is 405, which says what it has', async () => {
    await using world = await createHCompanyWorld()
    for (const [path, own] of Map.groupBy(operations, (operation) => operation.path)) {
      const taken = own.map(({ method }) => method as string)
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
        if (taken.includes(method)) continue
        const reply = await world.send(method, path.replace('{webhook_id}', unknownId))
        assertRefused(reply, 405)
        assert.deepEqual(String(reply.headers.allow).split(', ').sort(), [...taken].sort())
      }
    }
  })

  test('the word "events" is never taken for an id', async () => {
    await using world = await createHCompanyWorld()
    assert.ok(Array.isArray((await world.send('GET', `${webhooksPath}/events`)).body))
    for (const verb of ['rotate', 'ping']) {
      const reply = await world.send('POST', `${webhooksPath}/events/${verb}`)
      assertRefused(reply, 422)
      assert.deepEqual(reply.body.detail[0].loc, ['path', 'webhook_id'])
    }
  })

  test('DevTune, on paths beside these, keeps its own', async () => {
    await using world = await createHCompanyWorld()
    const reply = await world.send('GET', `/api/v2/projects/${unknownId}/webhooks`)
    assert.deepEqual(Object.keys(reply.body), ['error', 'message', 'status'])
  })

  test('a body that is not JSON, too large or of another type is refused for that', async () => {
    await using world = await createHCompanyWorld()
    const { id } = await world.createWebhook()
    for (const [method, path] of [
      ['POST', webhooksPath],
      ['PATCH', `${webhooksPath}/${id}`],
      ['POST', `${webhooksPath}/${id}/rotate`],
      ['POST', `${webhooksPath}/${id}/ping`],
    ] as const) {
      for (const rawBody of ['{', '{"url":"a","url":"b"}', 'url=a', '['.repeat(65)]) {
        assertRefused(await world.send(method, path, { rawBody }), 400)
      }
      for (const rawBody of ['[]', 'null', '"text"']) {
        const reply = await world.send(method, path, { rawBody })
        assertRefused(reply, 422)
        assert.deepEqual(reply.body.detail[0].loc, ['body'])
      }
      const rawBody = JSON.stringify({ url: 'x'.repeat(300_000) })
      assertRefused(await world.send(method, path, { rawBody }), 413)
      for (const headers of [{ 'content-type': 'text/plain' }, { 'content-encoding': 'gzip' }]) {
        assertRefused(await world.send(method, path, { rawBody: '{}', headers }), 415)
      }
    }
    assert.deepEqual(await world.secretStatuses(id), ['current'])
  })

  test('too many requests are 429, which says when to come back', async () => {
    await using world = await createHCompanyWorld({ rateLimit: { perSecond: 1, burst: 2 } })
    const since = performance.now()
    const first = await world.send('GET', webhooksPath)
    assert.deepEqual(quotaOf(first), ['2', '1'])
    await world.send('GET', `${webhooksPath}/events`)
    const reply = await untilTooMany(since, () => world.send('GET', webhooksPath))
    assertRefused(reply, 429)
    assert.deepEqual(quotaOf(reply), ['2', '0'])
    const resetAt = Math.ceil(world.server.clock.now() / 1000) + 2
    assert.equal(reply.headers['x-ratelimit-reset'], String(resetAt))
    assert.equal(reply.headers['retry-after'], '1')
    // Several nodes count by the clock of the database too, which no test moves.
    await until('a request is allowed again', async () => {
      world.server.clock.advance(1_000)
      return (await world.send('GET', webhooksPath)).status === 200
    })
  })

  test('a store that does not answer is 503, of which nothing is told', async () => {
    const store = createSwitchableStore()
    await using server = await createTestApi({ wrapStorage: store.wrap })
    const { key } = await server.addProject()
    const headers = { authorization: `Bearer ${key}` }
    const body = { url: 'https://rx.example/in' }
    const { body: webhook } = await server.send('POST', webhooksPath, { headers, body })
    store.failAlways()
    for (const { name, method, path } of operations) {
      const reply = await server.send(method, path.replace('{webhook_id}', webhook.id), {
        headers,
        ...(name === 'create webhook' ? { body } : {}),
      })
      assertRefused(reply, 503)
      assert.doesNotMatch(reply.text, /purpose/)
    }
    store.failNever()
    const { body: list } = await server.send('GET', webhooksPath, { headers })
    assert.deepEqual([list.total, list.items[0].id], [1, webhook.id])
  })
})

function quotaOf({ headers }: Reply): unknown[] {
  return [headers['x-ratelimit-limit'], headers['x-ratelimit-remaining']]
}

/** In H Company's shape: a text, or for 422 a list of places. */
function assertRefused(reply: Reply, status: number): void {
  assert.equal(reply.status, status, reply.text)
  assert.equal(reply.headers['content-type'], 'application/json; charset=utf-8')
  assert.deepEqual(Object.keys(reply.body), ['detail'])
  if (status !== 422) {
    assert.equal(typeof reply.body.detail, 'string')
    return
  }
  for (const each of reply.body.detail) assert.deepEqual(Object.keys(each), ['loc', 'msg', 'type'])
}
