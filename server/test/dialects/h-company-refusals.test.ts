import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Scope, scopes } from '../../src/core/authorization.ts'
import { type Reply, rootKey } from '../support/test-api.ts'
import { hCompanyContract } from './h-company-contract.ts'
import { createHCompanyWorld } from './h-company-world.ts'

const { operations } = hCompanyContract
const unknownId = '550e8400-e29b-41d4-a716-446655440000'
const hasId = ({ path }: { path: string }) => path.includes('{')

function neededScope({ method, path }: { method: string; path: string }): Scope {
  if (path.endsWith('/rotate')) return 'secrets.rotate'
  return method === 'GET' ? 'webhooks.read' : 'webhooks.write'
}

/** The status, and a `detail` that is a text; for 422 a list. */
function assertRefused(reply: Reply, status: number): void {
  assert.equal(reply.status, status, reply.text)
  if (status === 422) assert.ok(Array.isArray(reply.body.detail))
  else assert.equal(typeof reply.body.detail, 'string')
}

describe('H Company: who may call', () => {
  test('nobody without a right key', async () => {
    await using world = await createHCompanyWorld()
    const { id } = await world.createWebhook()
    for (const operation of operations) {
      for (const key of [null, 'hk-wrong']) {
        assertRefused(await world.call(operation, id, { key }), 401)
      }
    }
  })

  test('each call needs its own scope, and no other', async () => {
    await using world = await createHCompanyWorld()
    for (const operation of operations) {
      const needed = neededScope(operation)
      const { id } = await world.createWebhook()
      const others = await world.addKey(scopes.filter((scope) => scope !== needed))
      assertRefused(await world.call(operation, id, { key: others }), 403)
      const only = await world.addKey([needed])
      assert.ok((await world.call(operation, id, { key: only })).status < 300, operation.name)
      await world.send('DELETE', `/api/v2/webhooks/${id}`)
      const { body } = await world.send('GET', '/api/v2/webhooks?size=100')
      for (const item of body.items) await world.send('DELETE', `/api/v2/webhooks/${item.id}`)
    }
  })

  test('a key that publishes can do nothing here, and the root key neither', async () => {
    await using world = await createHCompanyWorld()
    const { id } = await world.createWebhook()
    const publisher = await world.addKey(['events.write'])
    for (const operation of operations) {
      assertRefused(await world.call(operation, id, { key: publisher }), 403)
      assertRefused(await world.call(operation, id, { key: rootKey }), 403)
    }
  })

  test('an unknown id and one of another project are the same 404, a malformed one is 422', async () => {
    await using world = await createHCompanyWorld()
    const { id } = await world.createWebhook()
    const other = await world.server.addProject()
    for (const operation of operations.filter(hasId)) {
      const unknown = await world.call(operation, unknownId)
      const foreign = await world.call(operation, id, { key: other.key })
      assertRefused(unknown, 404)
      assertRefused(foreign, 404)
      assert.deepEqual(unknown.body, foreign.body)
      const malformed = await world.call(operation, 'nope')
      assertRefused(malformed, 422)
      assert.deepEqual(malformed.body.detail[0].loc, ['path', 'webhook_id'])
    }
    assert.equal((await world.readWebhook(id)).id, id)
  })
})

describe('H Company: what is refused', () => {
  test('wrong methods, wrong text, wrong types, too much', async () => {
    await using world = await createHCompanyWorld()
    const { id } = await world.createWebhook()
    const path = `/api/v2/webhooks/${id}`
    for (const [method, target, allow] of [
      ['PUT', path, 'GET, PATCH, DELETE'],
      ['DELETE', '/api/v2/webhooks', 'POST, GET'],
      ['PATCH', '/api/v2/webhooks/events', 'GET'],
      ['DELETE', '/api/v2/webhooks/events', 'GET'],
      ['GET', `${path}/rotate`, 'POST'],
    ] as const) {
      const reply = await world.send(method, target)
      assertRefused(reply, 405)
      assert.equal(reply.headers.allow, allow)
    }
    assertRefused(await world.send('POST', '/api/v2/webhooks', { rawBody: '{"url"' }), 400)
    const text = { rawBody: 'hello', headers: { 'content-type': 'text/plain' } }
    assertRefused(await world.send('POST', '/api/v2/webhooks', text), 415)
    const large = { rawBody: `{"url":"${'x'.repeat(300_000)}"}` }
    assertRefused(await world.send('POST', '/api/v2/webhooks', large), 413)
    for (const [body, loc] of [
      [{}, ['body', 'url']],
      [{ url: 7 }, ['body', 'url']],
      [{ url: `https://a.example/${'x'.repeat(2048)}` }, ['body', 'url']],
      [{ url: 'https://a.example/', description: 'x'.repeat(256) }, ['body', 'description']],
      [{ url: 'https://a.example/', enabled_events: [] }, ['body', 'enabled_events']],
      [{ url: 'https://a.example/', enabled_events: ['*', 'x.y'] }, ['body', 'enabled_events', 1]],
      [
        { url: 'https://a.example/', enabled_events: ['endpoint.*'] },
        ['body', 'enabled_events', 0],
      ],
    ] as const) {
      const reply = await world.send('POST', '/api/v2/webhooks', { body })
      assertRefused(reply, 422)
      assert.deepEqual(reply.body.detail[0].loc, loc)
    }
    for (const query of ['page=0', 'size=0', 'size=1001', 'page=x', 'sort=url', 'sort=["url"]']) {
      const reply = await world.send('GET', `/api/v2/webhooks?${query}`)
      assertRefused(reply, 422)
      assert.equal(reply.body.detail[0].loc[0], 'query')
    }
  })

  test('too many requests, with what is left and when to come back', async () => {
    await using world = await createHCompanyWorld({ rateLimit: { perSecond: 1, burst: 3 } })
    const list = () => world.send('GET', '/api/v2/webhooks')
    assert.equal((await list()).headers['x-ratelimit-limit'], '3')
    await list()
    await list()
    const reply = await list()
    assertRefused(reply, 429)
    assert.equal(reply.headers['x-ratelimit-remaining'], '0')
    assert.equal(reply.headers['retry-after'], '1')
  })
})

describe('H Company: secrets', () => {
  test('a rotate cuts, an open window of the native API included', async () => {
    await using world = await createHCompanyWorld()
    const id = await world.createNative()
    const native = `${world.project.path}/endpoints/ep_${id.replaceAll('-', '')}`
    await world.server.call('POST', `${native}/secret/rotate`, { body: {} })
    assert.deepEqual(await world.secretStatuses(id), ['current', 'retiring'])
    const { body } = await world.send('POST', `/api/v2/webhooks/${id}/rotate`)
    assert.match(body.secret, /^whsec_/)
    assert.deepEqual(await world.secretStatuses(id), ['current', 'revoked', 'revoked'])
  })

  test('the same Idempotency-Key brings the same secret, and no read shows one', async () => {
    await using world = await createHCompanyWorld()
    const { id, secret } = await world.createWebhook()
    const rotate = (key: string) =>
      world.send('POST', `/api/v2/webhooks/${id}/rotate`, { headers: { 'idempotency-key': key } })
    const first = await rotate('one')
    assert.equal((await rotate('one')).body.secret, first.body.secret)
    const second = await rotate('two')
    assert.notEqual(second.body.secret, first.body.secret)
    const patched = await world.send('PATCH', `/api/v2/webhooks/${id}`, { body: {} })
    const texts = [
      patched.text,
      (await world.send('GET', `/api/v2/webhooks/${id}`)).text,
      (await world.send('GET', '/api/v2/webhooks')).text,
      (await world.server.call('GET', `${world.project.path}/audit-log`)).text,
    ].join()
    for (const value of [secret, first.body.secret, second.body.secret]) {
      assert.ok(!texts.includes(value))
    }
  })
})
