import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { problem, type ReceivedRequest, startScriptedServer } from '../test/scripted-server.ts'
import { ApiError, Countersign, CountersignError, rawJson } from './index.ts'

const apiKey = 'csk_test_key_that_is_never_shown'

/** Method, path and JSON body of a request. */
function summary({ method, url, text }: ReceivedRequest): unknown[] {
  return text === '' ? [`${method} ${url}`] : [`${method} ${url}`, JSON.parse(text)]
}

/** Every call, its route and its body. */
const calls: [(client: Countersign) => Promise<unknown>, ...unknown[]][] = [
  [(c) => c.projects.create({ name: 'a' }), 'POST /v1/projects', { name: 'a' }],
  [(c) => c.projects.list({ limit: 2 }).page(), 'GET /v1/projects?limit=2'],
  [(c) => c.projects.get('p'), 'GET /v1/projects/p'],
  [
    (c) => c.projects.update('p', { settings: { retentionDays: 3 } }),
    'PATCH /v1/projects/p',
    { settings: { retention_days: 3 } },
  ],
  [(c) => c.projects.delete('p'), 'DELETE /v1/projects/p'],
  [
    (c) => c.apiKeys.create('p', { name: 'k', expiresAt: new Date(0) }),
    'POST /v1/projects/p/api-keys',
    { name: 'k', expires_at: '1970-01-01T00:00:00.000Z' },
  ],
  [
    (c) => c.apiKeys.create('p', { name: 'k', dialect: 'dinie' }),
    'POST /v1/projects/p/api-keys',
    { name: 'k', dialect: 'dinie' },
  ],
  [(c) => c.apiKeys.list('p').page(), 'GET /v1/projects/p/api-keys'],
  [
    (c) => c.apiKeys.rotate('p', 'k', { expireCurrentIn: 0 }),
    'POST /v1/projects/p/api-keys/k/rotate',
    { expire_current_in: 0 },
  ],
  [(c) => c.apiKeys.revoke('p', 'k'), 'DELETE /v1/projects/p/api-keys/k'],
  [
    (c) => c.portalSessions.create('p', { scopes: ['webhooks.read'], actor: 'j', expiresIn: 60 }),
    'POST /v1/projects/p/portal-sessions',
    { scopes: ['webhooks.read'], actor: 'j', expires_in: 60 },
  ],
  [(c) => c.portalSessions.revoke('p', 's'), 'DELETE /v1/projects/p/portal-sessions/s'],
  [
    (c) => c.catalog.define('a.b', { schema: { required: ['keep_me', 'keepMe'] } }),
    'PUT /v1/catalog/event-types/a.b',
    { schema: { required: ['keep_me', 'keepMe'] } },
  ],
  [(c) => c.catalog.list({ limit: 2 }).page(), 'GET /v1/catalog/event-types?limit=2'],
  [(c) => c.catalog.get('a.b'), 'GET /v1/catalog/event-types/a.b'],
  [(c) => c.catalog.delete('a.b'), 'DELETE /v1/catalog/event-types/a.b'],
  [(c) => c.eventTypes.define('p', 'a.b'), 'PUT /v1/projects/p/event-types/a.b', {}],
  [(c) => c.eventTypes.list('p').page(), 'GET /v1/projects/p/event-types'],
  [(c) => c.eventTypes.get('p', 'a.b'), 'GET /v1/projects/p/event-types/a.b'],
  [(c) => c.eventTypes.delete('p', 'a.b'), 'DELETE /v1/projects/p/event-types/a.b'],
  [
    (c) => c.endpoints.create('p', { url: 'https://a.example', eventTypes: ['a.*'] }),
    'POST /v1/projects/p/endpoints',
    { url: 'https://a.example', event_types: ['a.*'] },
  ],
  [
    (c) => c.endpoints.list('p', { health: 'failing', search: 'x' }).page(),
    'GET /v1/projects/p/endpoints?health=failing&search=x',
  ],
  [(c) => c.endpoints.get('p', 'e'), 'GET /v1/projects/p/endpoints/e'],
  [
    (c) => c.endpoints.update('p', 'e', { rateLimitPerSecond: null }),
    'PATCH /v1/projects/p/endpoints/e',
    { rate_limit_per_second: null },
  ],
  [(c) => c.endpoints.delete('p', 'e'), 'DELETE /v1/projects/p/endpoints/e'],
  [
    (c) =>
      c.endpoints.rotateSecret('p', 'e', { expireCurrentIn: 60, expectedCurrentSecretId: 's' }),
    'POST /v1/projects/p/endpoints/e/secret/rotate',
    { expire_current_in: 60, expected_current_secret_id: 's' },
  ],
  [(c) => c.endpoints.rotateSecret('p', 'e'), 'POST /v1/projects/p/endpoints/e/secret/rotate', {}],
  [
    (c) => c.endpoints.revokePreviousSecret('p', 'e', { reason: 'r' }),
    'POST /v1/projects/p/endpoints/e/secret/revoke-previous',
    { reason: 'r' },
  ],
  [(c) => c.endpoints.listSecrets('p', 'e').page(), 'GET /v1/projects/p/endpoints/e/secrets'],
  [
    (c) => c.endpoints.test('p', 'e', { eventType: 't', data: { keepMe: 1 } }),
    'POST /v1/projects/p/endpoints/e/test',
    { event_type: 't', data: { keepMe: 1 } },
  ],
  [
    (c) => c.endpoints.recover('p', 'e', { since: new Date(0), statuses: ['failed'] }),
    'POST /v1/projects/p/endpoints/e/recover',
    { since: '1970-01-01T00:00:00.000Z', statuses: ['failed'] },
  ],
  [
    (c) => c.endpoints.stats('p', 'e', { since: new Date(0), bucket: '1h' }),
    'GET /v1/projects/p/endpoints/e/stats?since=1970-01-01T00%3A00%3A00.000Z&bucket=1h',
  ],
  [(c) => c.rotations.list('p', 'e').page(), 'GET /v1/projects/p/endpoints/e/rotations'],
  [(c) => c.rotations.get('p', 'e', 'r'), 'GET /v1/projects/p/endpoints/e/rotations/r'],
  [
    (c) => c.rotations.update('p', 'e', 'r', { previousSecretExpiresAt: new Date(0) }),
    'PATCH /v1/projects/p/endpoints/e/rotations/r',
    { previous_secret_expires_at: '1970-01-01T00:00:00.000Z' },
  ],
  [
    (c) => c.rotations.complete('p', 'e', 'r', { force: true }),
    'POST /v1/projects/p/endpoints/e/rotations/r/complete',
    { force: true },
  ],
  [
    (c) => c.rotations.cancel('p', 'e', 'r', { reason: 'x' }),
    'POST /v1/projects/p/endpoints/e/rotations/r/cancel',
    { reason: 'x' },
  ],
  [
    (c) => c.rotations.reissueClaimLink('p', 'e', 'r'),
    'POST /v1/projects/p/endpoints/e/rotations/r/claim-link',
  ],
  [(c) => c.claims.claim('t'), 'POST /v1/claims', { token: 't' }],
  [(c) => c.claims.dispute('t'), 'POST /v1/claims/dispute', { token: 't' }],
  [(c) => c.endpoints.keySet('e'), 'GET /.well-known/webhooks/e/keys.json'],
  [
    (c) => c.events.publish('p', { type: 't', data: { userId: 1 }, timestamp: new Date(0) }),
    'POST /v1/projects/p/events',
    { type: 't', data: { userId: 1 }, timestamp: '1970-01-01T00:00:00.000Z' },
  ],
  [
    (c) => c.events.publishBatch('p', [{ type: 't', data: {}, metadata: { aB: 1 } }]),
    'POST /v1/projects/p/events/batch',
    { events: [{ type: 't', data: {}, metadata: { aB: 1 } }] },
  ],
  [(c) => c.events.list('p').page(), 'GET /v1/projects/p/events'],
  [(c) => c.events.get('p', 'v'), 'GET /v1/projects/p/events/v'],
  [(c) => c.events.expunge('p', 'v'), 'DELETE /v1/projects/p/events/v/payload'],
  [
    (c) =>
      c.deliveries
        .list('p', { endpoint: 'e', event: 'v', eventType: 't', status: 'failed' })
        .page(),
    'GET /v1/projects/p/deliveries?endpoint=e&event=v&event_type=t&status=failed',
  ],
  [(c) => c.deliveries.get('p', 'd'), 'GET /v1/projects/p/deliveries/d'],
  [(c) => c.deliveries.retry('p', 'd'), 'POST /v1/projects/p/deliveries/d/retry'],
  [
    (c) => c.auditLog.list('p', { actor: 'a', action: 'b', since: '2026-01-01T00:00:00Z' }).page(),
    'GET /v1/projects/p/audit-log?actor=a&action=b&since=2026-01-01T00%3A00%3A00Z',
  ],
  [(c) => c.server.checkHealth(), 'GET /healthz'],
  [(c) => c.server.checkReadiness(), 'GET /readyz'],
  [(c) => c.server.readMetrics(), 'GET /metrics'],
  [(c) => c.server.readOpenApi(), 'GET /openapi.json'],
]

test('sends every call to its route, in snake_case', async () => {
  const body = { data: [], has_more: false, next_cursor: null }
  await using server = await startScriptedServer(calls.map(() => ({ status: 200, body })))
  const client = new Countersign({ baseUrl: `${server.url}/`, apiKey })
  for (const [call] of calls) await call(client)
  assert.deepEqual(
    server.requests.map(summary),
    calls.map(([, ...expected]) => expected),
  )
  for (const { headers } of server.requests) {
    assert.equal(headers.authorization, `Bearer ${apiKey}`)
  }
})

test('answers in camelCase and leaves free-form fields alone', async () => {
  await using server = await startScriptedServer([
    {
      status: 200,
      body: { secret_id: 'sec_2', secret: 'whsec_x', rotation: { new_secret_id: 'a' } },
    },
    { status: 200, body: { delivery_count: 2, data: { user_id: 1 }, metadata: { a_b: 1 } } },
    { status: 202, body: { data: [{ index: 0, status: 202, delivery_count: 3 }] } },
    { status: 204 },
  ])
  const client = new Countersign({ baseUrl: server.url, apiKey })
  const rotated = await client.endpoints.rotateSecret('p', 'e')
  assert.equal(rotated.secretId, 'sec_2')
  assert.equal(rotated.rotation.newSecretId, 'a')
  assert.deepEqual(await client.events.get('p', 'v'), {
    deliveryCount: 2,
    data: { user_id: 1 },
    metadata: { a_b: 1 },
  })
  const batch = await client.events.publishBatch('p', [{ type: 't', data: {} }])
  assert.deepEqual(batch, [{ index: 0, status: 202, deliveryCount: 3 }])
  assert.equal(await client.endpoints.delete('p', 'e'), undefined)
})

test('answers metrics as text, and their refusal as an error', async () => {
  await using server = await startScriptedServer([
    { status: 200, headers: { 'content-type': 'text/plain' }, text: 'up 1\n' },
    problem(403, 'forbidden'),
  ])
  const client = new Countersign({ baseUrl: server.url, apiKey })
  assert.equal(await client.server.readMetrics(), 'up 1\n')
  await assert.rejects(client.server.readMetrics(), { name: 'ApiError', code: 'forbidden' })
})

test('asks once whether the server is ready, unless told to ask again', async () => {
  const unready = problem(503, 'storage_unavailable')
  await using server = await startScriptedServer([unready, unready, unready])
  const client = new Countersign({ baseUrl: server.url, apiKey })
  await assert.rejects(client.server.checkReadiness(), { code: 'storage_unavailable' })
  assert.equal(server.requests.length, 1)
  await assert.rejects(client.server.checkReadiness({ retriesMax: 1 }))
  assert.equal(server.requests.length, 3)
})

test('publishes raw JSON byte for byte', async () => {
  await using server = await startScriptedServer([{ status: 202, body: {} }])
  const client = new Countersign({ baseUrl: server.url, apiKey })
  await client.events.publish('p', { type: 't', data: rawJson('{"n": 90071992547409931}') })
  assert.equal(server.requests[0]?.text, '{"type":"t","data":{"n": 90071992547409931}}')
})

test('reads a list page by page, keeping the filters', async () => {
  await using server = await startScriptedServer([
    { status: 200, body: { data: [{ id: 'a' }, { id: 'b' }], has_more: true, next_cursor: 'c1' } },
    { status: 200, body: { data: [], has_more: true, next_cursor: 'c2' } },
    { status: 200, body: { data: [{ id: 'c' }], has_more: false, next_cursor: null } },
  ])
  const client = new Countersign({ baseUrl: server.url, apiKey })
  const list = client.deliveries.list('p', { status: 'failed', limit: 2 })
  assert.equal(server.requests.length, 0)
  const ids: string[] = []
  for await (const { id } of list) ids.push(id)
  assert.deepEqual(ids, ['a', 'b', 'c'])
  assert.deepEqual(
    server.requests.map(({ url }) => url.split('?')[1]),
    ['', '&cursor=c1', '&cursor=c2'].map((cursor) => `status=failed&limit=2${cursor}`),
  )
})

test('asks for no page that nobody reads', async () => {
  const body = { data: [{ id: 'a' }, { id: 'b' }], has_more: true, next_cursor: 'c1' }
  await using server = await startScriptedServer([{ status: 200, body }])
  const client = new Countersign({ baseUrl: server.url, apiKey })
  for await (const { id } of client.events.list('p')) if (id === 'b') break
  assert.equal(server.requests.length, 1)
})

test('reads single pages, from a cursor on', async () => {
  const last = { data: [{ event_type: 't' }], has_more: false, next_cursor: null }
  await using server = await startScriptedServer([
    { status: 200, body: { data: [], has_more: true, next_cursor: 'c2' } },
    { status: 200, body: { data: [], has_more: true, next_cursor: 'c2' } },
    { status: 200, body: last },
  ])
  const client = new Countersign({ baseUrl: server.url, apiKey })
  const list = client.deliveries.list('p', { cursor: 'c1' })
  assert.deepEqual(await list.page(), { data: [], hasMore: true, nextCursor: 'c2' })
  const pages = []
  for await (const page of list.pages()) pages.push(page.data)
  assert.deepEqual(pages, [[], [{ eventType: 't' }]])
  assert.deepEqual(
    server.requests.map(({ url }) => url.split('?')[1]),
    ['cursor=c1', 'cursor=c1', 'cursor=c2'],
  )
})

test('does not go round in circles when the cursor does not move', async () => {
  const body = { data: [{ id: 'a' }], has_more: true, next_cursor: 'same' }
  await using server = await startScriptedServer([
    { status: 200, body },
    { status: 200, body },
  ])
  const client = new Countersign({ baseUrl: server.url, apiKey })
  await assert.rejects(async () => {
    for await (const _ of client.events.list('p')) assert.ok(server.requests.length <= 2)
  }, CountersignError)
  assert.equal(server.requests.length, 2)
})

test('maps a problem document to a typed error', async () => {
  const errors = [{ param: 'expire_current_in', detail: 'too long', code: 'out_of_range' }]
  await using server = await startScriptedServer([
    problem(409, 'rotation_in_progress', {
      detail: 'A rotation is open.',
      rotation_id: 'rot_1',
      previous_secret_expires_at: '2026-11-22T00:00:00.000Z',
    }),
    problem(422, 'validation_failed', { param: 'expire_current_in', errors }),
    problem(429, 'rate_limited', {}, { 'retry-after': '120' }),
  ])
  const client = new Countersign({ baseUrl: server.url, apiKey })
  await assert.rejects(client.endpoints.rotateSecret('p', 'e'), (error) => {
    assert.ok(error instanceof ApiError && error instanceof CountersignError)
    assert.equal(error.message, '409 rotation_in_progress: A rotation is open. (request req_1)')
    assert.deepEqual(error.extensions, {
      rotationId: 'rot_1',
      previousSecretExpiresAt: '2026-11-22T00:00:00.000Z',
    })
    assert.equal(error.requestId, 'req_1')
    return true
  })
  await assert.rejects(client.endpoints.rotateSecret('p', 'e'), {
    status: 422,
    title: 'Title of validation_failed',
    detail: null,
    param: 'expire_current_in',
    errors,
  })
  // Longer than the client waits, so the caller gets it at once.
  await assert.rejects(client.endpoints.rotateSecret('p', 'e'), { retryAfterMs: 120_000 })
})

test('retries by itself, with the defaults', async () => {
  await using server = await startScriptedServer([
    { status: 503, headers: { 'retry-after': '0' } },
    'reset',
    { status: 200, body: { id: 'prj_1' } },
  ])
  const client = new Countersign({ baseUrl: server.url, apiKey })
  assert.equal((await client.projects.get('p')).id, 'prj_1')
})

test('takes another fetch', async () => {
  const urls: string[] = []
  const client = new Countersign({
    baseUrl: 'https://webhooks.example.com/base/',
    apiKey: ` ${apiKey}\n`,
    fetch: async (url, init) => {
      urls.push(url)
      assert.equal(init.headers.authorization, `Bearer ${apiKey}`)
      return Response.json({ id: 'prj_1' })
    },
  })
  await client.projects.get('p')
  assert.deepEqual(urls, ['https://webhooks.example.com/base/v1/projects/p'])
})

test('takes the server and the key from the environment', async (t) => {
  await using server = await startScriptedServer([{ status: 200, body: {} }])
  const before = { ...process.env }
  t.after(() => {
    process.env = before
  })
  delete process.env.COUNTERSIGN_URL
  delete process.env.COUNTERSIGN_API_KEY
  assert.throws(() => new Countersign({ apiKey }), /baseUrl is missing/)
  assert.throws(() => new Countersign({ baseUrl: server.url }), /apiKey is missing/)
  process.env.COUNTERSIGN_URL = server.url
  process.env.COUNTERSIGN_API_KEY = apiKey
  await new Countersign().projects.get('p')
  assert.equal(server.requests[0]?.headers.authorization, `Bearer ${apiKey}`)
})

test('refuses options that cannot be right, without repeating them', () => {
  const baseUrl = 'http://127.0.0.1:1'
  const wrong = [
    { apiKey, baseUrl: 'webhooks.example.com' },
    { apiKey, baseUrl: 'ftp://webhooks.example.com' },
    { apiKey, baseUrl: 'https://user:hidden@webhooks.example.com' },
    { apiKey, baseUrl: 'https://webhooks.example.com/?hidden' },
    { baseUrl, apiKey: 'hidden\nkey' },
    { baseUrl, apiKey: ' ' },
    { baseUrl, apiKey, timeoutMs: 0 },
    { baseUrl, apiKey, timeoutMs: Number.NaN },
    { baseUrl, apiKey, timeoutMs: 2 ** 31 },
    { baseUrl, apiKey, retriesMax: -1 },
    { baseUrl, apiKey, retriesMax: 0.5 },
  ]
  for (const options of wrong) {
    assert.throws(
      () => new Countersign(options),
      (error) => error instanceof TypeError && !error.message.includes('hidden'),
    )
  }
})

test('never shows the key when the client or an error is printed', async () => {
  await using server = await startScriptedServer([problem(401, 'unauthorized'), 'reset'])
  const client = new Countersign({ baseUrl: server.url, apiKey, retriesMax: 0 })
  const printed = [inspect(client, { depth: 9, showHidden: true }), JSON.stringify(client)]
  for (const _ of ['an answer', 'a broken connection']) {
    const error = await client.projects.get('p').catch((caught: unknown) => caught)
    assert.ok(error instanceof CountersignError)
    printed.push(inspect(error, { depth: 9, showHidden: true }))
  }
  for (const text of printed) assert.ok(!text.includes(apiKey))
})
