import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Scope, scopes } from '../../src/core/authorization.ts'
import { idOfUuid, uuidOf } from '../../src/core/ids.ts'
import { type Reply, rootKey } from '../support/test-api.ts'
import { until } from '../support/until.ts'
import { untilTooMany } from '../support/until-too-many.ts'
import { devtuneContract } from './devtune-contract.ts'
import { createDevtuneWorld, type DevtuneWorld, rightFields, unknownId } from './devtune-world.ts'

const { operations } = devtuneContract

/** What a key of any shape needs for each call. */
const scopeOf: Readonly<Record<string, Scope>> = {
  'create webhook': 'webhooks.write',
  'list webhooks': 'webhooks.read',
  'delete webhook': 'webhooks.write',
  'rotate secret': 'secrets.rotate',
}

const codeOf: Readonly<Record<number, string>> = {
  400: 'bad_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  429: 'rate_limit_exceeded',
}

describe('DevTune: who may call', () => {
  test('nobody without a right key', async () => {
    await using world = await createDevtuneWorld()
    const { id } = await world.createWebhook()
    for (const operation of operations) {
      for (const headers of [
        {},
        { authorization: `Bearer dtk_live_${'a'.repeat(64)}` },
        { authorization: `Basic ${world.key}` },
        { authorization: 'Bearer' },
        { 'x-api-key': world.key },
      ]) {
        const reply = await world.call(operation, id, { key: null, headers })
        assertRefused(reply, 401)
        assert.equal(reply.headers['www-authenticate'], 'Bearer')
        assert.equal(reply.headers['x-ratelimit-limit'], undefined)
      }
    }
  })

  test('each call needs its own scope, and no other', async () => {
    await using world = await createDevtuneWorld()
    for (const operation of operations) {
      const needed = scopeOf[operation.name]
      assert.ok(needed, operation.name)
      const { id } = await world.createWebhook()
      const others = scopes.filter((scope) => scope !== needed)
      const refused = await world.call(operation, id, { key: await plainKey(world, others) })
      assertRefused(refused, 403)
      assert.match(refused.body.message, new RegExp(needed.replace('.', '\\.')))
      const allowed = await world.call(operation, id, { key: await plainKey(world, [needed]) })
      assert.ok(allowed.status < 300, `${operation.name}: ${allowed.text}`)
    }
  })

  test('a key of DevTune’s shape may rotate with webhooks.write, and only list with .read', async () => {
    await using world = await createDevtuneWorld()
    const [writing, reading] = [
      await world.addKey(['webhooks.write']),
      await world.addKey(['webhooks.read']),
    ]
    for (const operation of operations) {
      const isList = operation.name === 'list webhooks'
      for (const [key, isAllowed] of [
        [writing, !isList],
        [reading, isList],
        [world.key, true],
      ] as const) {
        const { id } = await world.createWebhook()
        const reply = await world.call(operation, id, { key })
        if (isAllowed) assert.ok(reply.status < 300, `${operation.name}: ${reply.text}`)
        else assertRefused(reply, 403)
      }
    }
  })

  test('a key that only publishes can do nothing here, rotate least of all', async () => {
    await using world = await createDevtuneWorld()
    const { id } = await world.createWebhook()
    for (const key of [
      await world.addKey(['events.write']),
      await plainKey(world, ['events.write']),
    ]) {
      for (const operation of operations) {
        assertRefused(await world.call(operation, id, { key }), 403)
      }
    }
    assert.deepEqual(await world.secretStatuses(id), ['current'])
    assert.equal((await world.listed()).length, 1)
  })

  test('the root key may, as the path names the project; a portal token may not', async () => {
    await using world = await createDevtuneWorld()
    const session = await world.server.call('POST', `${world.project.path}/portal-sessions`, {
      body: { scopes: [...new Set(Object.values(scopeOf))], actor: 'A customer' },
    })
    assert.equal(session.status, 201, session.text)
    for (const operation of operations) {
      const { id } = await world.createWebhook()
      assertRefused(await world.call(operation, id, { key: session.body.token }), 403)
      const reply = await world.call(operation, id, { key: rootKey })
      assert.ok(reply.status < 300, `${operation.name}: ${reply.text}`)
      for (const projectId of [unknownId, world.project.id, 'demo']) {
        assertRefused(await world.call(operation, id, { key: rootKey, projectId }), 404)
      }
    }
  })

  test('any project but the key’s own is the same 403, whether it exists or not', async () => {
    await using world = await createDevtuneWorld()
    const { id } = await world.createWebhook()
    const other = await world.server.addProject({ uid: 'other' })
    for (const operation of operations) {
      const replies: Reply[] = []
      const malformed = ['other', world.project.id, `${unknownId}0`, "'", 'a'.repeat(90)]
      for (const projectId of [uuidOf(other.id), unknownId, ...malformed]) {
        const encoded = encodeURIComponent(projectId)
        replies.push(await world.call(operation, id, { projectId: encoded }))
      }
      for (const reply of replies) {
        assertRefused(reply, 403)
        assert.equal(reply.text, replies[0]?.text)
      }
    }
    assert.equal((await world.listed()).length, 1)
  })

  test('a webhook of another project, an unknown one and a malformed id are the same 404', async () => {
    await using world = await createDevtuneWorld()
    const { id } = await world.createWebhook()
    const other = await world.server.addProject()
    const foreign = await world.server.call('POST', `${other.path}/endpoints`, {
      body: { url: 'https://other.example/', uid: 'theirs' },
    })
    assert.equal(foreign.status, 201, foreign.text)
    const ownId = idOfUuid('ep', id) ?? ''
    const malformed = [ownId, 'theirs', '1', 'null', id.replaceAll('-', ''), `${id}0`, "'"]
    for (const operation of operations.filter(({ path }) => path.includes('{webhookId}'))) {
      const replies: Reply[] = []
      for (const wrong of [uuidOf(foreign.body.id), unknownId, ...malformed, 'a'.repeat(512)]) {
        replies.push(await world.call(operation, encodeURIComponent(wrong)))
      }
      for (const reply of replies) {
        assertRefused(reply, 404)
        assert.equal(reply.text, replies[0]?.text)
      }
    }
    assert.deepEqual(await world.secretStatuses(id), ['current'])
  })
})

describe('DevTune: what is asked', () => {
  test('a method that a path does not have is 405, which says what it has', async () => {
    await using world = await createDevtuneWorld()
    for (const [path, own] of Map.groupBy(operations, (operation) => operation.path)) {
      const taken = own.map(({ method }) => method as string)
      const url = path
        .replace('{projectId}', uuidOf(world.project.id))
        .replace('{webhookId}', unknownId)
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
        if (taken.includes(method)) continue
        const reply = await world.send(method, url)
        assertRefused(reply, 405)
        assert.deepEqual(String(reply.headers.allow).split(', ').sort(), [...taken].sort())
      }
    }
  })

  test('what is not among the calls is nobody’s path', async () => {
    await using world = await createDevtuneWorld()
    const { id } = await world.createWebhook()
    for (const path of [
      `${world.path}/${id}/test`,
      `${world.path}/${id}/rotate`,
      `${world.path}/${id}/deliveries`,
      world.path.replace('/webhooks', ''),
      world.path.replace('/api/v2', ''),
      world.path.replace('/v2', '/v3'),
    ]) {
      const reply = await world.send('POST', path)
      assert.deepEqual([reply.status, reply.body.code], [404, 'not_found'], path)
    }
  })

  test('a body that is not JSON, too large or of another type is refused for that', async () => {
    await using world = await createDevtuneWorld()
    const { id } = await world.createWebhook()
    for (const path of [world.path, `${world.path}/${id}/rotate-secret`]) {
      for (const rawBody of ['{', '{"url":"a","url":"b"}', 'url=a', '['.repeat(65), '[]', 'null']) {
        assertRefused(await world.send('POST', path, { rawBody }), 400)
      }
      const rawBody = JSON.stringify({ url: 'x'.repeat(300_000) })
      assertRefused(await world.send('POST', path, { rawBody }), 413)
      for (const headers of [{ 'content-type': 'text/plain' }, { 'content-encoding': 'gzip' }]) {
        assertRefused(await world.send('POST', path, { rawBody: '{}', headers }), 415)
      }
    }
    assert.deepEqual(await world.secretStatuses(id), ['current'])
  })

  test('a rotation takes no body, also where one is announced', async () => {
    await using world = await createDevtuneWorld()
    const { id } = await world.createWebhook()
    for (const headers of [{}, { 'content-type': 'application/json' }, { 'content-type': 'x/y' }]) {
      assert.equal((await world.rotate(id, { headers })).status, 200)
    }
  })
})

describe('DevTune: how much is asked', () => {
  test('every answer to a key says how much is left, refusals too', async () => {
    await using world = await createDevtuneWorld()
    const { id } = await world.createWebhook()
    const gone = await world.createWebhook()
    for (const [reply, status] of [
      [await world.send('GET', world.path), 200],
      [await world.send('POST', world.path, { body: rightFields }), 201],
      [await world.rotate(id), 200],
      [await world.send('DELETE', `${world.path}/${gone.id}`), 200],
      [await world.send('POST', world.path, { body: {} }), 400],
      [await world.send('GET', world.path.replace(/[0-9a-f-]{36}/, unknownId)), 403],
      [await world.rotate(unknownId), 404],
      [await world.send('POST', world.path, { rawBody: 'x'.repeat(300_000) }), 413],
    ] as const) {
      assert.equal(reply.status, status, reply.text)
      assert.match(String(reply.headers['x-ratelimit-limit']), /^\d+$/)
      assert.match(String(reply.headers['x-ratelimit-remaining']), /^\d+$/)
      assert.match(String(reply.headers['x-ratelimit-reset']), /^\d{10}$/)
    }
    const asRoot = await world.send('GET', world.path, { key: rootKey })
    assert.equal(asRoot.headers['x-ratelimit-limit'], undefined, 'the operator is not counted')
  })

  test('too many requests are 429, which says when to come back', async () => {
    await using world = await createDevtuneWorld({ rateLimit: { perSecond: 1, burst: 2 } })
    const since = performance.now()
    const first = await world.send('GET', world.path)
    assert.equal(first.headers['x-ratelimit-limit'], '2')
    assert.equal(first.headers['x-ratelimit-remaining'], '1')
    await world.send('POST', world.path, { body: rightFields })
    for (const operation of operations) {
      const reply = await untilTooMany(since, () => world.call(operation, unknownId))
      assertRefused(reply, 429)
      assert.equal(reply.headers['x-ratelimit-remaining'], '0')
      const resetAt = Math.ceil(world.server.clock.now() / 1000) + 2
      assert.equal(reply.headers['x-ratelimit-reset'], String(resetAt))
      assert.equal(reply.headers['retry-after'], '1')
    }
    // Several nodes count by the clock of the database too, which no test moves.
    await until('a request is allowed again', async () => {
      world.server.clock.advance(1_000)
      return (await world.send('GET', world.path)).status === 200
    })
  })
})

/** A native key, for which nothing is implied. */
async function plainKey({ server, project }: DevtuneWorld, granted: Scope[]): Promise<string> {
  const body = { name: 'A key', scopes: granted }
  const reply = await server.call('POST', `${project.path}/api-keys`, { body })
  assert.equal(reply.status, 201, reply.text)
  return reply.body.key
}

function assertRefused(reply: Reply, status: number): void {
  assert.equal(reply.status, status, reply.text)
  assert.equal(reply.headers['content-type'], 'application/json; charset=utf-8')
  const { message, ...rest } = reply.body
  assert.deepEqual(rest, { error: codeOf[status], status })
  assert.equal(typeof message, 'string')
  assert.ok(message.length > 0)
}
