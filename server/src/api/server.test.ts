import assert from 'node:assert/strict'
import { METHODS } from 'node:http'
import { test } from 'node:test'
import { createTestApi, type Method } from '../../test/support/test-api.ts'
import { limits } from '../core/limits.ts'
import { StorageOverloadedError, StorageUnavailableError } from '../storage/storage.ts'
import { routes } from './routes.ts'

test('answers every request with an id of our own, which a problem names as its instance', async () => {
  await using server = await createTestApi()
  const first = await server.call('GET', '/nowhere', { headers: { 'x-request-id': 'made-up' } })
  const second = await server.call('GET', '/healthz')
  assert.equal(first.body.instance, first.headers['x-request-id'])
  assert.notEqual(first.headers['x-request-id'], 'made-up')
  assert.notEqual(first.headers['x-request-id'], second.headers['x-request-id'])
})

test('answers an unknown path with 404 and no question for a key', async () => {
  await using server = await createTestApi()
  for (const path of ['/v2', '/v1/nowhere', '/v1/projects/%zz', `/${'x'.repeat(2000)}`]) {
    const reply = await server.call('GET', path, { key: null })
    assert.equal(reply.status, 404, path)
    assert.equal(reply.body.code, 'not_found')
    assert.equal(reply.body.type, '/docs/errors#not_found')
  }
  const tooLong = await server.call('GET', `/v1/projects/${'p'.repeat(600)}`)
  assert.equal(tooLong.status, 404)
})

test('answers a wrong method with 405 and the methods of the path', async () => {
  await using server = await createTestApi()
  const cases: [Method, string, string][] = [
    ['PUT', '/v1/projects', 'POST, GET, HEAD'],
    ['POST', '/v1/projects/p', 'GET, HEAD, PATCH, DELETE'],
    ['DELETE', '/v1/projects/p/events', 'POST, GET, HEAD'],
    ['GET', '/v1/projects/p/endpoints/e/secret/rotate', 'POST'],
    // And not what `/events/{event}` takes.
    ['PUT', '/v1/projects/p/events/batch', 'POST'],
    ['OPTIONS', '/healthz', 'GET, HEAD'],
  ]
  for (const [method, path, allowed] of cases) {
    const reply = await server.call(method, path, { key: null })
    assert.equal(reply.status, 405, path)
    assert.equal(reply.body.code, 'method_not_allowed')
    assert.equal(reply.headers.allow, allowed)
  }
})

test('answers every method that HTTP has with 405 where the path takes others', async () => {
  await using server = await createTestApi()
  const others = METHODS.filter((method) => !['GET', 'HEAD', 'CONNECT'].includes(method))
  assert.ok(others.includes('QUERY'))
  for (const method of others) {
    for (const rawBody of ['', '{}']) {
      const reply = await server.send(method as Method, '/healthz', { rawBody })
      assert.equal(reply.status, 405, `${method} with "${rawBody}"`)
    }
  }
})

test('counts a body of no bytes as absent, whatever type it claims', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const url = `${project.path}/deliveries/dlv_${'0'.repeat(32)}/retry`
  for (const type of ['application/json', 'text/plain', 'no type at all', '']) {
    const reply = await server.call('POST', url, { rawBody: '', headers: { 'content-type': type } })
    assert.equal(reply.body.code, 'not_found', type)
  }
  const missing = await server.call('POST', '/v1/projects', { rawBody: '' })
  assert.equal(missing.status, 422)
  assert.deepEqual(missing.body.errors, [
    { param: 'name', detail: 'Is required.', code: 'missing' },
  ])
})

test('takes JSON in UTF-8 only, by its content type', async () => {
  await using server = await createTestApi()
  const send = (type: string) =>
    server.call('POST', '/v1/projects', {
      rawBody: '{"name":"n"}',
      headers: { 'content-type': type },
    })
  for (const type of [
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON;charset="UTF-8"',
  ]) {
    assert.equal((await send(type)).status, 201, type)
  }
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=latin1',
    'application/jsonx',
    '',
    'nonsense',
  ]) {
    const reply = await send(type)
    assert.equal(reply.status, 415, type)
    assert.equal(reply.body.code, 'unsupported_media_type')
  }
})

test('answers 400 only to what is not acceptable JSON', async () => {
  await using server = await createTestApi()
  const bodies = [
    '{',
    '{"name":"n"} x',
    "{'name':'n'}",
    '{"name":"n","name":"m"}',
    '{"name":"n","n\\u0061me":"m"}',
    ' ',
    '[1',
    `[${'['.repeat(70)}${']'.repeat(70)}]`,
    '\ufeff{"name":"n"}',
    Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    `{"name":${'['.repeat(70)}${']'.repeat(70)}}`,
  ]
  for (const rawBody of bodies) {
    const reply = await server.call('POST', '/v1/projects', { rawBody })
    assert.equal(reply.status, 400, String(rawBody).slice(0, 40))
    assert.equal(reply.body.code, 'invalid_json')
  }
})

test('answers 422 to JSON that is not an object, on every route with a body', async () => {
  await using server = await createTestApi()
  const withBody = routes.filter(({ body }) => body !== undefined)
  assert.ok(withBody.length >= 10)
  for (const { method, path } of withBody) {
    const project = await server.addProject()
    const url = path.replace(':project', project.id).replaceAll(/:\w+/g, 'x')
    for (const rawBody of ['[]', ' [{"a":1}]', 'null', '1', '""', 'true']) {
      const reply = await server.call(method, url, { rawBody })
      assert.equal(reply.status, 422, `${method} ${path} ${rawBody}`)
      assert.equal(reply.body.detail, 'body: Must be an object.')
      assert.deepEqual(reply.body.errors, [
        { param: 'body', detail: 'Must be an object.', code: 'wrong_type' },
      ])
    }
  }
})

test('answers 422 to strings that are no text', async () => {
  await using server = await createTestApi()
  for (const rawBody of ['{"name":"a\\u0000"}', '{"name":"a","uid":"\\ud800"}']) {
    const reply = await server.call('POST', '/v1/projects', { rawBody })
    assert.deepEqual([reply.status, reply.body.errors?.[0]?.code], [422, 'not_text'])
  }
})

test('takes no body in another encoding', async () => {
  await using server = await createTestApi()
  const send = (encoding: string, rawBody: string) =>
    server.call('POST', '/v1/projects', { rawBody, headers: { 'content-encoding': encoding } })
  for (const encoding of ['gzip', 'br', 'identity, gzip', 'nonsense']) {
    const reply = await send(encoding, '{"name":"n"}')
    assert.equal(reply.status, 415, encoding)
    assert.equal(reply.body.code, 'unsupported_media_type')
  }
  assert.equal((await send('Identity', '{"name":"n"}')).status, 201)
  assert.equal((await send('gzip', '')).body.param, 'name', 'no bytes have no encoding')
})

test('goes on with the other elements of a list after one of the wrong type', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const reply = await server.call('POST', `${project.path}/endpoints`, {
    body: { url: 'https://a.example', event_types: ['a.*', '*', 5, 'x y'] },
  })
  assert.equal(reply.status, 422)
  assert.deepEqual(
    reply.body.errors.map(({ param, code }: { param: string; code: string }) => [param, code]),
    [
      ['event_types.2', 'wrong_type'],
      ['event_types.3', 'invalid_value'],
    ],
  )
})

test('names every field at fault at once, with its path and what would be right', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const reply = await server.call('POST', `${project.path}/endpoints`, {
    body: {
      url: 'http://a.example',
      eventtypes: ['*'],
      event_types: ['order.paid', '*.b', 7, ''],
      description: 'd'.repeat(501),
      format: 'none',
      rate_limit_per_second: 0,
      signing_enabled: 'yes',
      state: 'paused',
      headers: { 'X-Number': 1, Host: 'x', 'X-Masked': '***' },
      metadata: [],
      uid: `ep_${'0'.repeat(32)}`,
    },
  })
  assert.equal(reply.status, 422)
  assert.equal(reply.body.code, 'validation_failed')
  const byParam = Object.fromEntries(
    reply.body.errors.map((error: { param: string; code: string }) => [error.param, error.code]),
  )
  assert.deepEqual(byParam, {
    eventtypes: 'unknown_field',
    description: 'too_long',
    'event_types.1': 'invalid_value',
    'event_types.2': 'wrong_type',
    'event_types.3': 'too_short',
    metadata: 'wrong_type',
    rate_limit_per_second: 'out_of_range',
    signing_enabled: 'wrong_type',
    state: 'invalid_value',
    'headers.X-Number': 'wrong_type',
    'headers.X-Masked': 'masked_value',
    'headers.Host': 'invalid_value',
    url: 'url_refused',
    uid: 'invalid_value',
    format: 'invalid_value',
  })
  const details = new Map(
    reply.body.errors.map((error: { param: string; detail: string }) => [
      error.param,
      error.detail,
    ]),
  )
  assert.equal(details.get('state'), 'Must be one of: active, disabled.')
  assert.equal(details.get('rate_limit_per_second'), 'Must be at least 1.')
  assert.equal(details.get('event_types.2'), 'Must be a string.')
  const list = await server.call('GET', `${project.path}/endpoints`)
  assert.deepEqual(list.body.data, [], 'nothing was stored')
})

test('bounds the number of field errors in one answer', async () => {
  await using server = await createTestApi()
  const body = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`f${index}`, 1]))
  const reply = await server.call('POST', '/v1/projects', { body })
  assert.equal(reply.status, 422)
  assert.equal(reply.body.errors.length, 100)
  assert.equal(reply.body.detail, '100 fields are not right; see errors.')
})

test('refuses bodies over the limit with 413 that names it', async () => {
  await using server = await createTestApi()
  const reply = await server.call('POST', '/v1/projects', {
    body: { name: 'x'.repeat(limits.requestBodyBytesMax) },
  })
  assert.equal(reply.status, 413)
  assert.equal(reply.body.code, 'payload_too_large')
  assert.match(reply.body.detail, new RegExp(String(limits.requestBodyBytesMax)))
})

test('refuses unknown and malformed query parameters', async () => {
  await using server = await createTestApi()
  for (const [query, param, code] of [
    ['limit=0', 'limit', 'out_of_range'],
    ['limit=101', 'limit', 'out_of_range'],
    ['limit=ten', 'limit', 'wrong_type'],
    ['limit=', 'limit', 'wrong_type'],
    ['limit=-1', 'limit', 'out_of_range'],
    ['limit=1e1', 'limit', 'wrong_type'],
    ['limit=%2B5', 'limit', 'wrong_type'],
    ['limit=0x10', 'limit', 'wrong_type'],
    ['limit=05', 'limit', 'wrong_type'],
    ['limit=5.0', 'limit', 'wrong_type'],
    ['limit=%205', 'limit', 'wrong_type'],
    ['limit=1&limit=2', 'limit', 'wrong_type'],
    ['cursor=bm9uc2Vuc2U', 'cursor', 'invalid_value'],
    ['limits=5', 'limits', 'unknown_field'],
  ] as const) {
    const reply = await server.call('GET', `/v1/projects?${query}`)
    assert.equal(reply.status, 422, query)
    assert.deepEqual(
      reply.body.errors.map((error: { param: string; code: string }) => [error.param, error.code]),
      [[param, code]],
      query,
    )
  }
})

test('judges the key before it reads the body', async () => {
  await using server = await createTestApi()
  const project = await server.addProject({ scopes: ['events.read'] })
  const url = `${project.path}/endpoints`
  assert.equal((await server.call('POST', url, { key: null, rawBody: '{' })).status, 401)
  assert.equal((await server.call('POST', url, { key: project.key, rawBody: '{' })).status, 403)
})

test('tells nothing of an unexpected failure, and logs it under the request id', async () => {
  const failure = new Error('connect postgres://user:password@db failed')
  await using server = await createTestApi({
    changeParts: ({ storage }) => ({
      storage: Object.create(storage, {
        listProjects: { value: () => Promise.reject(failure) },
      }),
    }),
  })
  const reply = await server.call('GET', '/v1/projects')
  assert.equal(reply.status, 500)
  assert.equal(reply.body.code, 'internal_error')
  assert.doesNotMatch(reply.text, /postgres|password/)
  assert.deepEqual(server.logged, [
    {
      fields: {
        err: failure,
        requestId: reply.headers['x-request-id'],
        method: 'GET',
        route: '/v1/projects',
      },
      message: 'A request failed.',
    },
  ])
})

test('answers 503 while the store cannot be used or has too much to write', async () => {
  const failures = [new StorageUnavailableError('disk full'), new StorageOverloadedError('queue')]
  await using server = await createTestApi({
    changeParts: ({ storage }) => ({
      storage: Object.create(storage, {
        acceptEvents: { value: () => Promise.reject(failures.shift()) },
        ping: { value: () => Promise.reject(new Error('locked')) },
      }),
    }),
  })
  const project = await server.addProject()
  const publish = () =>
    server.call('POST', `${project.path}/events`, { body: { type: 'a', data: {} } })
  const unavailable = await publish()
  assert.equal(unavailable.status, 503)
  assert.equal(unavailable.body.code, 'storage_unavailable')
  assert.equal(unavailable.headers['retry-after'], '5')
  assert.doesNotMatch(unavailable.text, /disk full/)
  const overloaded = await publish()
  assert.equal(overloaded.status, 503)
  assert.equal(overloaded.body.code, 'overloaded')
  assert.equal(overloaded.headers['retry-after'], '1')
  const ready = await server.call('GET', '/readyz')
  assert.equal(ready.status, 503)
  assert.equal(ready.body.code, 'storage_unavailable')
  assert.equal((await server.call('GET', '/healthz')).status, 200)
})

test('makes links from the public URL, never from the Host header', async () => {
  await using server = await createTestApi({ publicUrl: 'https://hooks.example/base/' })
  const reply = await server.call('GET', '/nowhere', { headers: { host: 'evil.example' } })
  assert.equal(reply.body.type, 'https://hooks.example/base/docs/errors#not_found')
  const document = await server.call('GET', '/openapi.json')
  assert.deepEqual(document.body.servers, [{ url: 'https://hooks.example/base' }])
})

test('lets nothing in between keep an answer', async () => {
  await using server = await createTestApi()
  const reply = await server.call('GET', '/v1/projects')
  assert.equal(reply.headers['cache-control'], 'no-store')
  assert.equal(reply.headers['x-content-type-options'], 'nosniff')
})

test('answers the metrics to the root key alone', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  assert.equal((await server.call('GET', '/metrics', { key: null })).status, 401)
  assert.equal((await server.call('GET', '/metrics', { key: project.key })).status, 403)
  const reply = await server.call('GET', '/metrics')
  assert.equal(reply.text, 'up 1\n')
  assert.equal(reply.headers['content-type'], 'text/plain; version=0.0.4')
})
