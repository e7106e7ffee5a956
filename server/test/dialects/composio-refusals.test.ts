import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Scope, scopes } from '../../src/core/authorization.ts'
import { type Method, type Reply, rootKey } from '../support/test-api.ts'
import { until } from '../support/until.ts'
import { untilTooMany } from '../support/until-too-many.ts'
import { composioContract } from './composio-contract.ts'
import {
  assertRefused,
  type ComposioOptions,
  type ComposioWorld,
  createComposioWorld,
  secretStatuses,
  triggerMessage,
  v3,
  v31,
} from './composio-world.ts'
import type { Operation } from './contract.ts'

const unknownId = `ws_${'0'.repeat(32)}`
const { operations } = composioContract

describe('Composio: who asks', () => {
  test('a call without a right key is refused before anything is looked at', async () => {
    await using world = await createComposioWorld()
    const { id } = await world.createSubscription()
    const { key } = world.project
    const credentials: Record<string, string>[] = [
      {},
      { 'x-api-key': '' },
      { 'x-api-key': 'wrong' },
      { 'x-user-api-key': `${key}x` },
      { 'x-org-api-key': key },
      { authorization: key },
      { authorization: `Basic ${key}` },
      { 'x-api-key': key, 'x-user-api-key': key },
      { 'x-api-key': key, authorization: `Bearer ${key}` },
      { 'x-api-key': key, 'x-org-api-key': key },
    ]
    for (const operation of operations) {
      for (const headers of credentials) {
        const reply = await call(world, operation, { id, key: null, headers })
        assertRefused(reply, 401)
        assert.equal(reply.body.error.slug, 'HTTP_Unauthorized')
        assert.equal(reply.headers['www-authenticate'], 'Bearer')
      }
      // Guesses from one address are limited; time heals that.
      world.server.clock.advance(60_000)
    }
    assert.deepEqual(await secretStatuses(world, id), ['current'])
  })

  test('each call needs its scope, and no other', async () => {
    await using world = await createComposioWorld()
    for (const operation of operations) {
      const needed = scopeOf(operation)
      const others = scopes.filter((scope) => scope !== needed)
      const { id } = await world.createSubscription()
      const refused = await call(world, operation, { id, key: await world.keyWith(others) })
      assertRefused(refused, 403, new RegExp(`lacks the scope ${needed}`))
      if (operation.name.startsWith('create')) await world.send('DELETE', `${v31}/${id}`)
      const reply = await call(world, operation, { id, key: await world.keyWith([needed]) })
      assert.ok(reply.status < 300, `${operation.name}: ${reply.text}`)
      await world.send('DELETE', `${v31}/${reply.body.id ?? id}`)
    }
  })

  test('a key that may only publish can do nothing here, rotate least of all', async () => {
    await using world = await createComposioWorld()
    const { id } = await world.createSubscription()
    const key = await world.keyWith(['events.write'])
    for (const operation of operations) {
      assertRefused(await call(world, operation, { id, key }), 403)
    }
    assert.deepEqual(await secretStatuses(world, id), ['current'])
  })

  test('the root key belongs to no project, and portal tokens to the native API', async () => {
    await using world = await createComposioWorld()
    const { id } = await world.createSubscription()
    const made = await world.server.call('POST', `${world.project.path}/portal-sessions`, {
      body: { scopes: ['webhooks.read', 'webhooks.write', 'secrets.rotate'], actor: 'someone' },
    })
    assert.equal(made.status, 201, made.text)
    for (const operation of operations) {
      assertRefused(await call(world, operation, { id, key: rootKey }), 403, /root key/)
      assertRefused(await call(world, operation, { id, key: made.body.token }), 403, /portal/)
    }
  })

  test('a key of any shape works in either header, and as Bearer', async () => {
    await using world = await createComposioWorld()
    const shaped = await world.keyWith(['webhooks.read'])
    assert.match(shaped, /^[0-9a-f]{64}$/)
    for (const key of [shaped, world.project.key]) {
      for (const headers of [
        { 'x-api-key': key },
        { 'x-user-api-key': key },
        { authorization: `Bearer ${key}` },
      ]) {
        const reply = await world.send('GET', v31, { key: null, headers })
        assert.equal(reply.status, 200, reply.text)
      }
    }
  })

  test('an id of another project, of nobody or of no form is the same 404', async () => {
    await using world = await createComposioWorld()
    const { id } = await world.createSubscription()
    const other = await world.server.addProject()
    const digits = id.slice(3)
    const malformed = ['1', digits, `ep_${digits}`, `whs_${digits}`, id.toUpperCase(), `${id}0`]
    for (const operation of operations.filter(({ path }) => path.includes('{id}'))) {
      const replies = [await call(world, operation, { id, key: other.key })]
      for (const wrong of [unknownId, ...malformed, 'null', "'", 'a'.repeat(512)]) {
        replies.push(await call(world, operation, { id: encodeURIComponent(wrong) }))
      }
      for (const reply of replies) {
        assertRefused(reply, 404)
        assert.deepEqual(withoutRequestId(reply), withoutRequestId(replies[0]))
      }
    }
    assert.deepEqual(await secretStatuses(world, id), ['current'])
  })
})

describe('Composio: what is asked', () => {
  test('a method that a path does not have is 405, which says what it has', async () => {
    await using world = await createComposioWorld()
    for (const [path, own] of Map.groupBy(operations, ({ path }) => path)) {
      const taken = own.map(({ method }) => method as string)
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
        if (taken.includes(method)) continue
        const reply = await world.send(method, path.replace('{id}', unknownId))
        assertRefused(reply, 405)
        assert.deepEqual(String(reply.headers.allow).split(', ').sort(), [...taken].sort())
      }
    }
  })

  test('a word is never taken for an id', async () => {
    await using world = await createComposioWorld()
    for (const path of [v3, v31]) {
      for (const method of ['PATCH', 'DELETE', 'POST', 'PUT'] as const) {
        assertRefused(await world.send(method, `${path}/event_types`), 405)
      }
      for (const below of ['rotate_secret', unknownId]) {
        const reply = await world.send('POST', `${path}/event_types/${below}`)
        assert.deepEqual([reply.status, reply.body.code], [404, 'not_found'], 'nobody’s path')
      }
    }
  })

  test('what matches nothing is answered natively, with a key and without', async () => {
    await using world = await createComposioWorld()
    for (const path of [
      '/api/v3/triggers',
      '/api/v3.2/webhook_subscriptions',
      '/api/v31',
      '/api',
    ]) {
      for (const key of [null, world.project.key]) {
        const reply = await world.send('GET', path, { key })
        assert.equal(reply.status, 404)
        assert.match(String(reply.headers['content-type']), /^application\/problem\+json/)
      }
    }
  })

  test('a body that is not JSON, too large or of another type is refused for that', async () => {
    await using world = await createComposioWorld()
    const { id } = await world.createSubscription()
    for (const [method, path] of [
      ['POST', v31],
      ['PATCH', `${v31}/${id}`],
      ['POST', `${v3}/${id}/rotate_secret`],
    ] as const) {
      const notJson = ['{', '{"webhook_url":"a","webhook_url":"b"}', 'a=b', '['.repeat(65)]
      for (const rawBody of [...notJson, '[]', 'null', '"text"']) {
        assertRefused(await world.send(method, path, { rawBody }), 400)
      }
      const rawBody = JSON.stringify({ webhook_url: 'x'.repeat(300_000) })
      assertRefused(await world.send(method, path, { rawBody }), 413)
      for (const headers of [{ 'content-type': 'text/plain' }, { 'content-encoding': 'gzip' }]) {
        assertRefused(await world.send(method, path, { rawBody: '{}', headers }), 415)
      }
    }
    assert.deepEqual(await secretStatuses(world, id), ['current'])
  })

  test('fields that are not known are ignored', async () => {
    await using world = await createComposioWorld()
    const { id } = await world.createSubscription({ filters: [1], project: 'other' })
    const rotated = await world.send('POST', `${v31}/${id}/rotate_secret`, {
      body: { expire_current_in: 3600, secret: 'mine' },
    })
    assert.equal(rotated.status, 200, rotated.text)
    assert.deepEqual(await secretStatuses(world, id), ['current', 'revoked'])
    assert.equal((await world.send('GET', `${v31}?page=7&sort=up`)).status, 200)
  })

  test('too many requests are a message alone, and when to come back', async () => {
    await using world = await createComposioWorld({ rateLimit: { perSecond: 1, burst: 2 } })
    const since = performance.now()
    const first = await world.send('GET', v31)
    assert.deepEqual(limitsOf(first), ['2', '1', '2s', undefined])
    await world.send('GET', `${v3}/event_types`)
    const reply = await untilTooMany(since, () => world.send('GET', v31))
    assert.deepEqual(Object.keys(reply.body), ['message'])
    assert.deepEqual(limitsOf(reply), ['2', '0', '2s', '1'])
    // Several nodes count by the clock of the database too, which no test moves.
    await until('a request is allowed again', async () => {
      world.server.clock.advance(1_000)
      return (await world.send('GET', v31)).status === 200
    })
  })
})

function call(
  { send }: ComposioWorld,
  { name, method, path }: Operation,
  { id, ...options }: ComposioOptions & { id: string },
): Promise<Reply> {
  const body = name.startsWith('create')
    ? { webhook_url: 'https://rx.example/', enabled_events: [triggerMessage] }
    : { version: 'V2' }
  const hasBody = name.startsWith('create') || name.startsWith('change')
  return send(method as Method, path.replace('{id}', id), {
    ...(hasBody ? { body } : {}),
    ...options,
  })
}

function scopeOf({ name, method }: Operation): Scope {
  if (name.startsWith('rotate')) return 'secrets.rotate'
  return method === 'GET' ? 'webhooks.read' : 'webhooks.write'
}

function withoutRequestId(reply: Reply | undefined) {
  return { ...reply?.body.error, request_id: null }
}

function limitsOf({ headers }: Reply) {
  const names = ['x-ratelimit', 'x-ratelimit-remaining', 'x-ratelimit-window-size', 'retry-after']
  return names.map((name) => headers[name])
}
