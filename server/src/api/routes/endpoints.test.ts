import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApi } from '../../../test/support/test-api.ts'

test('creates an endpoint and shows its secret once', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const created = await server.call('POST', `${project.path}/endpoints`, {
    body: { url: 'https://a.example/hook' },
    key: project.key,
  })
  assert.equal(created.status, 201)
  const { secret, secret_id, ...shown } = created.body
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
  assert.match(secret_id, /^sec_/)
  const { id, created_by, ...rest } = shown
  assert.match(id, /^ep_/)
  assert.equal(created_by.type, 'key')
  assert.deepEqual(rest, {
    project_id: project.id,
    uid: null,
    url: 'https://a.example/hook',
    description: null,
    event_types: ['*'],
    state: 'active',
    health: 'healthy',
    blocked_at: null,
    blocked_reason: null,
    signing_enabled: true,
    unverifying: false,
    format: 'standard',
    algorithm: 'hmac-sha256',
    headers: {},
    metadata: {},
    rate_limit_per_second: null,
    created_at: '2026-11-01T10:00:00.000Z',
    updated_at: '2026-11-01T10:00:00.000Z',
    last_success_at: null,
    last_failure_at: null,
    consecutive_failures: 0,
    rotation: null,
  })
  const read = await server.call('GET', `${project.path}/endpoints/${id}`)
  assert.deepEqual(read.body, shown)
  assert.ok(!read.text.includes(secret))
})

test('takes every field at create, and every one but the secret and its algorithm at change', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const fields = {
    url: 'https://a.example/hook',
    uid: 'main',
    description: 'The main one',
    event_types: ['order.paid', 'user.*'],
    format: 'standard',
    headers: { 'X-Token': 'very secret' },
    metadata: { team: 'payments', nested: { a: [1, null] } },
    rate_limit_per_second: 50,
    signing_enabled: false,
    state: 'disabled',
  }
  const created = await server.call('POST', `${project.path}/endpoints`, {
    body: { ...fields, algorithm: 'hmac-sha256', secret: `whsec_${btoa('x'.repeat(32))}` },
  })
  assert.equal(created.status, 201)
  const masked = { ...fields, headers: { 'X-Token': '***' } }
  for (const [name, value] of Object.entries(masked)) {
    assert.deepEqual(created.body[name], value, name)
  }
  assert.equal(created.body.secret, `whsec_${btoa('x'.repeat(32))}`)
  assert.ok(!created.text.includes('very secret'))

  const changes = {
    url: 'https://b.example/hook',
    uid: null,
    description: null,
    event_types: ['*'],
    headers: { 'X-Other': 'v' },
    metadata: {},
    rate_limit_per_second: null,
    signing_enabled: true,
    state: 'active',
  }
  const changed = await server.call('PATCH', `${project.path}/endpoints/main`, { body: changes })
  assert.equal(changed.status, 200)
  for (const [name, value] of Object.entries({ ...changes, headers: { 'X-Other': '***' } })) {
    assert.deepEqual(changed.body[name], value, name)
  }
  const refused = await server.call('PATCH', `${project.path}/endpoints/${created.body.id}`, {
    body: { secret: 'whsec_x', algorithm: 'ed25519' },
  })
  assert.deepEqual(
    refused.body.errors.map(({ param, code }: { param: string; code: string }) => [param, code]),
    [
      ['secret', 'unknown_field'],
      ['algorithm', 'unknown_field'],
    ],
  )
})

test('leaves what a change does not name as it is, header values included', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const { body: before } = await server.call('POST', `${project.path}/endpoints`, {
    body: { url: 'https://a.example/', uid: 'e', headers: { 'X-A': '1' }, metadata: { a: 1 } },
  })
  const { body: after } = await server.call('PATCH', `${project.path}/endpoints/e`, {
    body: { description: 'd' },
  })
  const { secret: _, secret_id: __, ...shown } = before
  assert.deepEqual(after, { ...shown, description: 'd', updated_at: after.updated_at })
  assert.deepEqual((await server.call('PATCH', `${project.path}/endpoints/e`)).body, after)
})

test('refuses a mask that was read as a header value', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const { body } = await server.call('POST', `${project.path}/endpoints`, {
    body: { url: 'https://a.example/', headers: { 'X-Token': 'secret' } },
  })
  const reply = await server.call('PATCH', `${project.path}/endpoints/${body.id}`, {
    body: { headers: { ...body.headers, 'X-New': 'v' } },
  })
  assert.equal(reply.status, 422)
  assert.equal(reply.body.param, 'headers.X-Token')
})

test('refuses a uid that another endpoint of the project has', async () => {
  await using server = await createTestApi()
  const first = await server.addProject()
  const second = await server.addProject()
  const body = { url: 'https://a.example/', uid: 'same' }
  assert.equal((await server.call('POST', `${first.path}/endpoints`, { body })).status, 201)
  const taken = await server.call('POST', `${first.path}/endpoints`, { body })
  assert.equal(taken.status, 409)
  assert.equal(taken.body.code, 'uid_taken')
  assert.equal((await server.call('POST', `${second.path}/endpoints`, { body })).status, 201)
})

test('filters a list by state, health and text', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const create = (fields: object) =>
    server.call('POST', `${project.path}/endpoints`, {
      body: { url: 'https://a.example/', ...fields },
    })
  await create({ uid: 'one', description: 'Billing' })
  await create({ uid: 'two', state: 'disabled' })
  await create({ uid: 'three', url: 'https://b.example/BILLING' })
  const list = async (query: string) => {
    const { body } = await server.call('GET', `${project.path}/endpoints?${query}`)
    return body.data.map(({ uid }: { uid: string }) => uid)
  }
  assert.deepEqual(await list(''), ['three', 'two', 'one'])
  assert.deepEqual(await list('state=disabled'), ['two'])
  assert.deepEqual(await list('health=failing'), [])
  assert.deepEqual(await list('search=billing'), ['three', 'one'])
  assert.deepEqual(await list('rotation=open'), [])
  await server.call('POST', `${project.path}/endpoints/one/secret/rotate`)
  assert.deepEqual(await list('rotation=open'), ['one'])
  assert.deepEqual(await list('search=billing&state=active&health=healthy&limit=1'), ['three'])
  const refused = await server.call('GET', `${project.path}/endpoints?state=paused`)
  assert.equal(refused.body.errors[0].detail, 'Must be one of: active, disabled.')
})

test('deletes an endpoint once', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  await server.call('POST', `${project.path}/endpoints`, {
    body: { url: 'https://a.example/', uid: 'e' },
  })
  const url = `${project.path}/endpoints/e`
  assert.equal((await server.call('DELETE', url)).status, 204)
  assert.equal((await server.call('DELETE', url)).status, 404)
  assert.equal((await server.call('GET', url)).status, 404)
})

test('tests an endpoint with the bytes that were sent, and says what came of it', async () => {
  const sent: { type: string; data: string }[] = []
  await using server = await createTestApi({
    changeParts: () => ({
      async attemptNow({ event }) {
        sent.push({ type: event.type, data: event.data })
        return { succeeded: false, statusCode: 500, error: 'http_status', durationMs: 12 }
      },
    }),
  })
  const project = await server.addProject()
  await server.call('POST', `${project.path}/endpoints`, {
    body: { url: 'https://a.example/', uid: 'e', state: 'disabled' },
  })
  const url = `${project.path}/endpoints/e/test`
  const reply = await server.call('POST', url, {
    rawBody: '{"event_type":"order.paid","data":{"n":90071992547409931, "e" : 1e2}}',
  })
  assert.equal(reply.status, 200)
  const { delivery_id, ...rest } = reply.body
  assert.match(delivery_id, /^dlv_/)
  assert.deepEqual(rest, {
    success: false,
    status_code: 500,
    error: 'http_status',
    duration_ms: 12,
  })
  assert.deepEqual(sent, [{ type: 'order.paid', data: '{"n":90071992547409931, "e" : 1e2}' }])
  assert.equal((await server.call('POST', url)).status, 200)
  assert.equal(sent[1]?.type, 'countersign.test')
  const refused = await server.call('POST', url, { body: { data: [1], event_type: 1, more: 1 } })
  assert.deepEqual(
    refused.body.errors.map(({ param }: { param: string }) => param),
    ['more', 'event_type', 'data'],
  )
})
