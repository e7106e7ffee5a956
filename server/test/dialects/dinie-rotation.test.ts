import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { addEd25519Twin } from '../support/add-ed25519-twin.ts'
import { type Method, type Reply, rootKey } from '../support/test-api.ts'
import { dinieContract } from './dinie-contract.ts'
import { createDinieWorld, type DinieOptions, type DinieWorld, nativeIdOf } from './dinie-world.ts'

describe('Dinie: rotate', () => {
  test('needs secrets.rotate, and nothing else', async () => {
    await using world = await createDinieWorld()
    const { id } = await world.createEndpoint()
    const key = await keyWith(world, ['secrets.rotate'])
    assert.equal((await rotate(world, id, { key })).status, 200)
    for (const { name, method, path } of dinieContract.operations) {
      if (name.startsWith('rotate') || name.startsWith('get')) continue
      const reply = await world.send(method as Method, path.replace(/\{\w+\}/, id), {
        key,
        ...(method === 'GET' || method === 'DELETE' ? {} : { body: { url: 'https://a.example/' } }),
      })
      assert.deepEqual([reply.status, reply.body.code], [403, 'forbidden'], name)
    }
  })

  test('is not for portal tokens, nor for the root key', async () => {
    await using world = await createDinieWorld()
    const { id } = await world.createEndpoint()
    const session = await world.server.call('POST', `${world.project.path}/portal-sessions`, {
      body: { scopes: ['secrets.rotate'], actor: 'A customer' },
    })
    assert.equal(session.status, 201, session.text)
    for (const key of [session.body.token, rootKey]) {
      assert.equal((await rotate(world, id, { key })).status, 403)
    }
    assert.deepEqual(await secretStatuses(world, id), ['current'])
  })

  test('under one key there is one secret: by either header, with the next token too', async () => {
    await using world = await createDinieWorld()
    const { id } = await world.createEndpoint()
    const first = await rotate(world, id, { headers: { 'idempotency-key': 'q4' } })
    world.server.clock.advance(3_600_000)
    const key = (await world.getToken()).body.access_token
    const again = await rotate(world, id, { key, headers: { 'x-idempotency-key': 'q4' } })
    assert.equal(again.text, first.text)
    assert.equal((await secretStatuses(world, id)).length, 2)
    const headers = { 'idempotency-key': 'q4' }
    const other = await rotate(world, id, { key, headers, body: { expire_current_in: 60 } })
    assert.deepEqual([other.status, other.body.code], [422, 'idempotency_key_reused'])
    const { credentials } = world
    assert.ok(!again.text.includes(credentials.clientSecret))
  })

  test('what is refused may come again under the same key, put right', async () => {
    await using world = await createDinieWorld()
    const { id } = await world.createEndpoint()
    const headers = { 'idempotency-key': 'q4' }
    const wrong = await rotate(world, id, { headers, body: { expire_current_in: 86_401 } })
    assert.equal(wrong.status, 422)
    const right = await rotate(world, id, { headers, body: { expire_current_in: 86_400 } })
    assert.equal(right.status, 200, right.text)
  })

  test('of many at once each is whole: a secret that was answered signs', async () => {
    await using world = await createDinieWorld()
    const { id } = await world.createEndpoint()
    const replies = await Promise.all(Array.from({ length: 8 }, () => rotate(world, id)))
    const won = replies.filter(({ status }) => status === 200)
    assert.equal(won.length, 1)
    for (const { status, body } of replies.filter((reply) => !won.includes(reply))) {
      assert.deepEqual([status, body.code, body.type], [409, 'secret_changed', typeOf('conflict')])
    }
    const statuses = await secretStatuses(world, id)
    assert.equal(statuses.length, won.length + 1)
    assert.equal(statuses[0], 'current')
  })

  test('a failure of the store leaves the old secret alone in force, and tells nothing', async () => {
    await using world = await createDinieWorld()
    const { id } = await world.createEndpoint()
    world.failNextSecret()
    const headers = { 'idempotency-key': 'q4' }
    const failed = await rotate(world, id, { headers })
    assert.deepEqual([failed.status, failed.body.type], [500, typeOf('internal')])
    assert.doesNotMatch(failed.text, /no room|sec_/)
    assert.deepEqual(await secretStatuses(world, id), ['current'])
    assert.equal((await rotate(world, id, { headers })).status, 200)
  })

  test('refuses an overlap beyond the operator’s bounds, the default one too', async () => {
    await using world = await createDinieWorld({
      changeParts: ({ settings }) => ({
        settings: { ...settings, expireCurrentInMinSeconds: 60, expireCurrentInMaxSeconds: 600 },
      }),
    })
    const { id } = await world.createEndpoint()
    for (const seconds of [0, 59, 601, undefined]) {
      const refused = await rotate(world, id, { body: { expire_current_in: seconds } })
      assert.equal(refused.status, 422, refused.text)
      assert.equal(refused.body.errors[0].param, 'expire_current_in')
    }
    const taken = await rotate(world, id, { body: { expire_current_in: 600 } })
    assert.equal(taken.status, 200, taken.text)
  })

  test('refuses an endpoint that signs with Ed25519, which is listed all the same', async () => {
    await using world = await createDinieWorld()
    const { storage } = world.server
    const { id } = await world.createEndpoint()
    const otherId = await addEd25519Twin(storage, world.project.id, nativeIdOf(id))
    const { data } = (await world.send('GET', '/webhooks/endpoints')).body
    assert.equal(data.length, 2)
    const refused = await rotate(world, otherId.replace('ep_', 'we_'))
    assert.deepEqual([refused.status, refused.body.errors[0].param], [422, 'algorithm'])
  })
})

test('Dinie: a 401 asks for what is needed: a token, or what tokens come from', async () => {
  await using world = await createDinieWorld()
  const call = await world.send('GET', '/webhooks/endpoints', { key: 'dinie_at_wrong' })
  assert.equal(call.headers['www-authenticate'], 'Bearer')
  for (const prefix of ['', '/v3', '/api/v3']) {
    const token = await world.getToken({ prefix, basic: `Basic ${btoa('a:b')}` })
    assert.equal(token.status, 401)
    assert.match(String(token.headers['www-authenticate']), /^Basic realm="/)
  }
})

test('Dinie: a token that cannot be issued for a reason of ours is no guess', async () => {
  let isStoreGone = true
  await using world = await createDinieWorld()
  const { storage } = world.server
  const find = storage.findApiKeyByClientId
  storage.findApiKeyByClientId = async (clientId) => {
    if (isStoreGone) throw new Error('gone')
    return find(clientId)
  }
  // More than an address may guess at once.
  for (let count = 0; count < 501; count += 1) assert.equal((await world.getToken()).status, 500)
  isStoreGone = false
  assert.equal((await world.getToken()).status, 200)
})

function rotate({ send }: DinieWorld, id: string, options?: DinieOptions): Promise<Reply> {
  return send('POST', `/v3/webhooks/endpoints/${id}/secret/rotate`, options)
}

function typeOf(slug: string): string {
  return `https://api.dinie.com.br/errors/${slug}`
}

async function keyWith({ server, project }: DinieWorld, scopes: string[]): Promise<string> {
  const body = { name: 'A key', scopes }
  const reply = await server.call('POST', `${project.path}/api-keys`, { body })
  assert.equal(reply.status, 201, reply.text)
  return reply.body.key
}

/** Newest first. */
async function secretStatuses({ server, project }: DinieWorld, id: string): Promise<string[]> {
  const path = `${project.path}/endpoints/${nativeIdOf(id)}/secrets`
  const { body } = await server.call('GET', path)
  return body.data.map(({ status }: { status: string }) => status)
}
