import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AppError, type ErrorCode, errorTable } from '../../src/core/errors.ts'
import { dinieSurface } from '../../src/dialects/dinie/surface.ts'
import { rootKey } from '../support/test-api.ts'
import { basicOf, createDinieWorld, type DinieWorld } from './dinie-world.ts'

const unknown = 'we_550e8400e29b41d4a716446655440000'

/** Every call below the endpoints, with a body that is right. */
function calls(id: string) {
  const path = `/webhooks/endpoints/${id}`
  return [
    ['POST', '/webhooks/endpoints', { url: 'https://rx.example/in' }],
    ['GET', '/webhooks/endpoints', undefined],
    ['GET', path, undefined],
    ['PATCH', path, { description: 'x' }],
    ['POST', `${path}/secret/rotate`, {}],
    ['POST', `${path}/rotate-secret`, {}],
    ['DELETE', path, undefined],
  ] as const
}

async function keyWith({ server, project }: DinieWorld, scopes: string[]): Promise<string> {
  const body = { name: 'Other', scopes }
  return (await server.call('POST', `${project.path}/api-keys`, { body })).body.key
}

describe('access to Dinie’s API', () => {
  test('a token is needed, and says why it is refused', async () => {
    await using world = await createDinieWorld()
    const { id } = await world.createEndpoint()
    for (const [method, path, body] of calls(id)) {
      const missing = await world.send(method, path, { key: null, body })
      assert.equal(missing.status, 401)
      assert.equal(missing.body.code, 'missing_token')
      assert.equal(missing.body.type, 'https://api.dinie.com.br/errors/authentication-failed')
      const wrong = await world.send(method, path, { key: 'dinie_at_wrong', body })
      assert.equal(wrong.body.code, 'invalid_token')
    }
    world.server.clock.advance(3_600_000)
    const expired = await world.send('GET', '/webhooks/endpoints')
    assert.equal(expired.status, 401)
    assert.equal(expired.body.code, 'token_expired')
    const again = (await world.getToken()).body.access_token
    assert.equal((await world.send('GET', '/webhooks/endpoints', { key: again })).status, 200)
  })

  test('a token stops with its key, and a client secret is no token', async () => {
    await using world = await createDinieWorld()
    const { server, project, credentials } = world
    const asKey = await world.send('GET', '/webhooks/endpoints', { key: credentials.clientSecret })
    assert.equal(asKey.status, 401)
    const { body } = await server.call('GET', `${project.path}/api-keys`)
    const key = body.data.find(({ dialect }: { dialect: string }) => dialect === 'dinie')
    await server.call('DELETE', `${project.path}/api-keys/${key.id}`)
    assert.equal((await world.send('GET', '/webhooks/endpoints')).status, 401)
    assert.equal((await world.getToken()).status, 401)
  })

  test('wrong credentials are refused alike, whatever is wrong with them', async () => {
    await using world = await createDinieWorld()
    const { clientId, clientSecret } = world.credentials
    const details = new Set<string>()
    for (const basic of [
      basicOf({ clientId, clientSecret: 'dinie_cs_live_wrong' }),
      basicOf({ clientId: 'dinie_ci_wrong', clientSecret }),
      basicOf({ clientId, clientSecret: '' }),
      basicOf({ clientId: '', clientSecret }),
    ]) {
      const reply = await world.getToken({ basic })
      assert.equal(reply.status, 401)
      assert.equal(reply.body.code, 'invalid_token')
      details.add(reply.body.detail)
    }
    assert.equal(details.size, 1)
    for (const basic of ['Bearer x', 'Basic', 'Basic !!', `Basic ${btoa('no-colon')}`]) {
      assert.equal((await world.getToken({ basic })).status, 401)
    }
    const encoded = basicOf({
      clientId: encodeURIComponent(clientId),
      clientSecret: encodeURIComponent(clientSecret),
    })
    assert.equal((await world.getToken({ basic: encoded })).status, 200)
  })

  test('tokens come from every prefix, and are not kept under an Idempotency-Key', async () => {
    await using world = await createDinieWorld()
    for (const prefix of ['', '/v3', '/api/v3']) {
      assert.match((await world.getToken({ prefix })).body.access_token, /^dinie_at_/)
    }
    const other = await world.server.addProject()
    const made = await world.server.call('POST', `${other.path}/api-keys`, {
      body: { name: 'Other', dialect: 'dinie' },
    })
    const tokenOf = (basic: string) =>
      world.server.send('POST', '/auth/token', {
        headers: {
          authorization: basic,
          'content-type': 'application/x-www-form-urlencoded',
          'idempotency-key': 'the-same',
        },
        rawBody: 'grant_type=client_credentials',
      })
    const { clientId, clientSecret } = world.credentials
    await tokenOf(basicOf({ clientId, clientSecret }))
    const second = await tokenOf(
      basicOf({ clientId: made.body.client_id, clientSecret: made.body.client_secret }),
    )
    await world.createEndpoint()
    const list = await world.send('GET', '/webhooks/endpoints', { key: second.body.access_token })
    assert.deepEqual(list.body.data, [], 'the second client sees its own project')
  })

  test('guessing credentials is bounded for each address', async () => {
    await using world = await createDinieWorld()
    let status = 401
    for (let count = 0; count < 600 && status === 401; count += 1) {
      status = (
        await world.getToken({
          basic: basicOf({ clientId: 'dinie_ci_x', clientSecret: String(count) }),
        })
      ).status
    }
    assert.equal(status, 429)
  })

  test('scopes decide, and a key that publishes can rotate nothing', async () => {
    await using world = await createDinieWorld()
    const { id } = await world.createEndpoint()
    const publisher = await keyWith(world, ['events.write'])
    const reader = await keyWith(world, ['webhooks.read'])
    const writer = await keyWith(world, ['webhooks.write'])
    const expected = [
      [publisher, [403, 403, 403, 403, 403, 403, 403]],
      [reader, [403, 200, 200, 403, 403, 403, 403]],
      [writer, [201, 403, 403, 200, 403, 403, 204]],
    ] as const
    for (const [key, statuses] of expected) {
      const seen: number[] = []
      for (const [method, path, body] of calls(id)) {
        const reply = await world.send(method, path, { key, body })
        if (reply.status >= 400) {
          assert.equal(reply.body.type, 'https://api.dinie.com.br/errors/forbidden')
        }
        seen.push(reply.status)
      }
      assert.deepEqual(seen, statuses)
    }
  })

  test('the root key and other projects get nothing', async () => {
    await using world = await createDinieWorld()
    const { id } = await world.createEndpoint()
    const other = await world.server.addProject()
    for (const [method, path, body] of calls(id)) {
      assert.equal((await world.send(method, path, { key: rootKey, body })).status, 403)
      if (path === '/webhooks/endpoints') continue
      const foreign = await world.send(method, path, { key: other.key, body })
      const missing = await world.send(method, path.replace(id, unknown), { body })
      const malformed = await world.send(method, path.replace(id, 'we_1'), { body })
      for (const reply of [foreign, missing, malformed]) {
        assert.equal(reply.status, 404)
        assert.deepEqual(
          { ...reply.body, instance: '' },
          { ...missing.body, instance: '' },
          'the same, whatever is wrong with the id',
        )
      }
    }
    assert.equal((await world.send('GET', `/webhooks/endpoints/${id}`)).status, 200)
  })
})

describe('refusals in Dinie’s shape', () => {
  test('every error of ours has a problem document', () => {
    for (const code of Object.keys(errorTable) as ErrorCode[]) {
      const error = new AppError(code, { detail: 'A detail.' })
      const answer = dinieSurface.presentError(error, { requestId: 'req_1' })
      const body = JSON.parse(answer.text ?? '')
      assert.equal(answer.status, errorTable[code].status)
      assert.equal(body.status, answer.status)
      assert.match(body.type, /^https:\/\/api\.dinie\.com\.br\/errors\/[a-z-]+$/)
      assert.ok(body.title && body.detail && body.code && body.instance)
    }
  })

  test('wrong methods, types, sizes and too many requests', async () => {
    await using world = await createDinieWorld({ rateLimit: { perSecond: 1, burst: 20 } })
    const { id } = await world.createEndpoint()
    const path = `/webhooks/endpoints/${id}`
    const type = (name: string) => `https://api.dinie.com.br/errors/${name}`
    for (const [method, target, allow] of [
      ['PUT', path, 'GET, PATCH, DELETE'],
      ['DELETE', '/webhooks/endpoints', 'POST, GET'],
      ['GET', `${path}/secret/rotate`, 'POST'],
      ['GET', '/auth/token', 'POST'],
    ] as const) {
      const reply = await world.send(method, target)
      assert.equal(reply.status, 405, target)
      assert.equal(reply.body.type, type('method-not-allowed'))
      assert.equal(reply.headers.allow, allow)
    }
    const text = { headers: { 'content-type': 'text/plain' }, rawBody: 'hello' }
    assert.equal((await world.send('POST', `${path}/secret/rotate`, text)).status, 415)
    const large = { rawBody: `{"url":"${'x'.repeat(300_000)}"}` }
    assert.equal((await world.send('POST', '/webhooks/endpoints', large)).status, 413)
    const several = await world.send('POST', '/webhooks/endpoints', {
      body: { url: 7, events: ['nope', 'endpoint.*'], description: 'x'.repeat(501) },
    })
    assert.equal(several.status, 422)
    assert.deepEqual(several.body.errors.map(({ param }: { param: string }) => param).sort(), [
      'description',
      'url',
    ])
    let reply = several
    while (reply.status !== 429) reply = await world.send('GET', path)
    assert.equal(reply.body.type, type('rate-limit-exceeded'))
    assert.equal(reply.headers['retry-after'], '1')
    assert.equal(reply.headers['x-ratelimit-remaining'], '0')
  })

  test('the words of the path are never an id, nor anyone else’s', async () => {
    await using world = await createDinieWorld()
    for (const [method, path] of [
      ['GET', '/webhooks/endpoints/deliveries'],
      ['PATCH', '/webhooks/endpoints/rotate-secret'],
      ['DELETE', '/webhooks/endpoints/test'],
    ] as const) {
      const reply = await world.send(method, path, { body: method === 'PATCH' ? {} : undefined })
      assert.equal(reply.status, 404)
      assert.equal(reply.body.type, 'https://api.dinie.com.br/errors/not-found')
    }
    const nobody = await world.send('GET', '/webhooks/endpoints/deliveries/stats')
    assert.equal(nobody.status, 404)
    assert.equal(nobody.body.code, 'not_found')
  })
})

describe('rotation in Dinie’s API', () => {
  const rotate = (world: DinieWorld, id: string, body?: object) =>
    world.send('POST', `/webhooks/endpoints/${id}/secret/rotate`, { body })

  test('takes whole seconds from 0 to 86400, and an hour by default', async () => {
    await using world = await createDinieWorld()
    const { id } = await world.createEndpoint()
    for (const value of [-1, 86_401, 1.5, 'x', null, '600']) {
      const reply = await rotate(world, id, { expire_current_in: value })
      assert.equal(reply.status, 422, String(value))
      assert.equal(reply.body.errors[0].param, 'expire_current_in')
    }
    for (const value of [0, 86_400, undefined]) {
      assert.equal((await rotate(world, id, { expire_current_in: value })).status, 200)
    }
    assert.equal((await rotate(world, id, { later_field: true })).status, 200)
  })

  test('shows the second at which the old secret really stops', async () => {
    await using world = await createDinieWorld()
    world.server.clock.advance(1)
    const { id } = await world.createEndpoint()
    const texts = await rotate(world, id, { expire_current_in: 60 })
    assert.equal(texts.body.previous_secret_expires_at, '2026-11-01T10:01:01Z')
    const native = await world.server.call(
      'GET',
      `${world.project.path}/endpoints/${id.replace('we_', 'ep_')}/secrets`,
    )
    assert.equal(native.body.data[1].expires_at, '2026-11-01T10:01:01.000Z')
    const cut = await world.send('POST', `/api/v3/webhooks/endpoints/${id}/rotate-secret`, {
      body: { expire_current_in: 0 },
    })
    assert.equal(cut.body.previous_secret_expires_at, Date.UTC(2026, 10, 1, 10) / 1000)
  })

  test('inside a window keeps at most three secrets, the oldest goes', async () => {
    await using world = await createDinieWorld()
    const { id } = await world.createEndpoint()
    for (let count = 0; count < 3; count += 1) {
      assert.equal((await rotate(world, id)).status, 200)
      world.server.clock.advance(1000)
    }
    const { body } = await world.server.call(
      'GET',
      `${world.project.path}/endpoints/${id.replace('we_', 'ep_')}/secrets`,
    )
    const statuses = body.data.map(({ status }: { status: string }) => status)
    assert.deepEqual(statuses, ['current', 'retiring', 'retiring', 'revoked'])
  })

  test('of a format with one signature, only a cut', async () => {
    await using world = await createDinieWorld()
    for (const format of ['h-company', 'devtune', 'github']) {
      const made = await world.server.call('POST', `${world.project.path}/endpoints`, {
        body: { url: 'https://rx.example/', format },
      })
      const id = made.body.id.replace('ep_', 'we_')
      for (const body of [undefined, { expire_current_in: 60 }]) {
        const refused = await rotate(world, id, body)
        assert.equal(refused.status, 422)
        assert.equal(refused.body.errors[0].param, 'expire_current_in')
      }
      assert.equal((await rotate(world, id, { expire_current_in: 0 })).status, 200)
    }
  })

  test('secrets are in no read, and the audit log tells who rotated', async () => {
    await using world = await createDinieWorld()
    const { id, secret } = await world.createEndpoint()
    const next = (await rotate(world, id)).body.secret
    for (const prefix of ['', '/v3', '/api/v3']) {
      for (const path of ['/webhooks/endpoints', `/webhooks/endpoints/${id}`]) {
        const { text } = await world.send('GET', prefix + path)
        assert.ok(!text.includes(secret) && !text.includes(next))
        assert.doesNotMatch(text, /secret/)
      }
    }
    const log = await world.server.call('GET', `${world.project.path}/audit-log`)
    assert.ok(!log.text.includes(secret) && !log.text.includes(next))
    const row = log.body.data.find(({ action }: { action: string }) => /rotated/.test(action))
    assert.equal(row.actor.name, 'Dinie')
  })
})

describe('one project, several doors', () => {
  test('an endpoint made natively is seen and changed here, and the other way round', async () => {
    await using world = await createDinieWorld()
    const { server, project } = world
    const native = await server.call('POST', `${project.path}/endpoints`, {
      body: { url: 'https://rx.example/', event_types: ['order.*'] },
    })
    const id = native.body.id.replace('ep_', 'we_')
    const shown = await world.send('GET', `/webhooks/endpoints/${id}`)
    assert.deepEqual(shown.body.events, ['order.*'])
    await world.send('PATCH', `/webhooks/endpoints/${id}`, { body: { description: 'both' } })
    const after = await server.call('GET', `${project.path}/endpoints/${native.body.id}`)
    assert.equal(after.body.description, 'both')
    assert.equal(after.body.format, 'standard')

    const made = await world.createEndpoint()
    const seen = await server.call(
      'GET',
      `${project.path}/endpoints/${made.id.replace('we_', 'ep_')}`,
    )
    assert.equal(seen.body.format, 'dinie')
  })

  test('a type of the project’s catalogue can be subscribed to', async () => {
    await using world = await createDinieWorld()
    const create = () =>
      world.send('POST', '/webhooks/endpoints', {
        body: { url: 'https://rx.example/', events: ['order.paid'] },
      })
    assert.equal((await create()).status, 422)
    await world.server.call('PUT', `${world.project.path}/event-types/order.paid`, { body: {} })
    assert.equal((await create()).status, 201)
  })
})
