import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { problem, startScriptedServer } from '../test/scripted-server.ts'
import { ApiError, ConnectionError, TimeoutError } from './errors.ts'
import { createTransport, type TransportOptions } from './transport.ts'

/** A transport that notes its waits instead of waiting. */
function createTestTransport(baseUrl: string, overrides: Partial<TransportOptions> = {}) {
  const waits: number[] = []
  const transport = createTransport({
    baseUrl,
    apiKey: 'csk_test',
    fetch: globalThis.fetch,
    timeoutMs: 30_000,
    retriesMax: 2,
    wait: async (delayMs) => {
      waits.push(delayMs)
    },
    random: () => 0,
    ...overrides,
  })
  return { ...transport, waits }
}

const post = { method: 'POST', path: ['projects'], body: { name: 'a' } } as const

test('backs off after 5xx and gives up with the last error', async () => {
  await using server = await startScriptedServer([
    problem(500, 'internal_error'),
    problem(502, 'internal_error'),
    problem(503, 'overloaded'),
    { status: 200, body: {} },
  ])
  const transport = createTestTransport(server.url)
  await assert.rejects(transport.send(post), { name: 'ApiError', code: 'overloaded', status: 503 })
  assert.equal(server.requests.length, 3)
  assert.deepEqual(transport.waits, [125, 250])
})

test('takes what is gone for removed where the answer to an earlier try was lost, and only there', async () => {
  const gone = problem(404, 'not_found')
  await using server = await startScriptedServer([
    ...(['reset', gone, 'reset in the body', gone, gone] as const),
    ...[problem(429, 'rate_limit_exceeded'), gone],
  ])
  const transport = createTestTransport(server.url)
  const remove = { method: 'DELETE', path: ['projects', 'p'] } as const
  assert.equal(await transport.send(remove), undefined)
  const read = { method: 'GET', path: ['projects', 'p'] } as const
  await assert.rejects(transport.send(read), { status: 404 })
  await assert.rejects(transport.send(remove), { status: 404 }, 'it was not there')
  await assert.rejects(transport.send(remove), { status: 404 }, 'nothing was done before')
  assert.equal(server.requests.length, 7)
})

test('waits as long as Retry-After says', async () => {
  await using server = await startScriptedServer([
    problem(429, 'rate_limited', {}, { 'retry-after': '3' }),
    { status: 503, headers: { 'retry-after': '0' } },
    { status: 201, body: { id: 'prj_1' } },
  ])
  const transport = createTestTransport(server.url)
  assert.deepEqual(await transport.send(post), { id: 'prj_1' })
  assert.deepEqual(transport.waits, [3_000, 0])
})

test('sends the same Idempotency-Key and body in every retry of one call', async () => {
  await using server = await startScriptedServer([
    'reset',
    'reset in the body',
    problem(409, 'idempotency_in_flight'),
    problem(408, 'any'),
    { status: 201, body: { id: 'prj_1' } },
    { status: 201, body: { id: 'prj_2' } },
  ])
  const transport = createTestTransport(server.url, { retriesMax: 4 })
  assert.deepEqual(await transport.send(post), { id: 'prj_1' })
  await transport.send(post)
  const keys = server.requests.map(({ headers }) => headers['idempotency-key'])
  assert.match(String(keys[0]), /^[0-9a-f]{32}$/)
  assert.equal(new Set(keys.slice(0, 5)).size, 1)
  assert.notEqual(keys[5], keys[0])
  assert.equal(new Set(server.requests.map(({ text }) => text)).size, 1)
})

test('sends the Idempotency-Key that the caller gives, and none but on POST', async () => {
  await using server = await startScriptedServer([
    { status: 200, body: {} },
    { status: 200, body: {} },
    { status: 204 },
  ])
  const transport = createTestTransport(server.url)
  await transport.send({ ...post, options: { idempotencyKey: 'mine' } })
  await transport.send({ method: 'PATCH', path: ['projects', 'a'], body: {} })
  await transport.send({ method: 'DELETE', path: ['projects', 'a'] })
  const keys = server.requests.map(({ headers }) => headers['idempotency-key'])
  assert.deepEqual(keys, ['mine', undefined, undefined])
})

test('refuses an Idempotency-Key that cannot be a header, without sending', async () => {
  await using server = await startScriptedServer([])
  const transport = createTestTransport(server.url)
  for (const idempotencyKey of ['', 'a b', 'a\nb', 'é', 'a'.repeat(256)]) {
    await assert.rejects(transport.send({ ...post, options: { idempotencyKey } }), TypeError)
  }
  assert.equal(server.requests.length, 0)
})

test('does not retry what the server refuses', async () => {
  await using server = await startScriptedServer([problem(422, 'validation_failed')])
  const transport = createTestTransport(server.url)
  await assert.rejects(transport.send(post), { status: 422 })
  assert.equal(server.requests.length, 1)
})

test('retries a connection error and then throws it with its cause', async () => {
  const server = await startScriptedServer([])
  await server[Symbol.asyncDispose]()
  const transport = createTestTransport(server.url)
  await assert.rejects(transport.send(post), (error) => {
    assert.ok(error instanceof ConnectionError && !(error instanceof TimeoutError))
    assert.match(error.message, /^No answer from http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)$/)
    assert.ok(error.cause instanceof Error)
    return true
  })
  assert.equal(transport.waits.length, 2)
})

test('gives each try its own time and retries after a timeout', async () => {
  await using server = await startScriptedServer(['hang', { status: 200, body: { id: 'a' } }])
  const transport = createTestTransport(server.url, { timeoutMs: 1_000 })
  assert.deepEqual(await transport.send(post), { id: 'a' })
  assert.equal(server.requests.length, 2)
})

test('throws TimeoutError once the retries are used up', async () => {
  await using server = await startScriptedServer(['hang', 'hang'])
  const transport = createTestTransport(server.url)
  await assert.rejects(transport.send({ ...post, options: { timeoutMs: 50, retriesMax: 0 } }), {
    name: 'TimeoutError',
    timeoutMs: 50,
    message: 'No answer within 50 ms',
  })
})

test('the signal ends a call that waits for its answer, with its own reason', async () => {
  await using server = await startScriptedServer(['hang'])
  const transport = createTestTransport(server.url)
  const controller = new AbortController()
  const call = transport.send({ ...post, options: { signal: controller.signal } })
  await server.received(1)
  const reason = new Error('the user left')
  controller.abort(reason)
  await assert.rejects(call, (error) => error === reason)
  assert.equal(server.requests.length, 1)
})

test('the signal ends a call between two tries', async () => {
  await using server = await startScriptedServer([{ status: 503 }, { status: 200, body: {} }])
  const controller = new AbortController()
  const transport = createTestTransport(server.url, {
    wait: async (_delayMs, signal) => {
      controller.abort(new Error('enough'))
      signal?.throwIfAborted()
    },
  })
  const call = transport.send({ ...post, options: { signal: controller.signal } })
  await assert.rejects(call, /enough/)
  assert.equal(server.requests.length, 1)
})

test('sends nothing once the signal has fired, and leaves no listener on it', async () => {
  await using server = await startScriptedServer([{ status: 200, body: {} }])
  const transport = createTestTransport(server.url)
  const { signal } = new AbortController()
  await transport.send({ ...post, options: { signal } })
  assert.equal(getEventListeners(signal, 'abort').length, 0)
  await assert.rejects(transport.send({ ...post, options: { signal: AbortSignal.abort() } }), {
    name: 'AbortError',
  })
  assert.equal(server.requests.length, 1)
})

test('escapes ids, and refuses those that would lead to another path', async () => {
  await using server = await startScriptedServer([{ status: 200, body: {} }])
  const transport = createTestTransport(`${server.url}/prefix`)
  await transport.send({ method: 'GET', path: ['projects', 'a/../b?c#d'] })
  assert.equal(server.requests[0]?.url, '/prefix/v1/projects/a%2F..%2Fb%3Fc%23d')
  for (const id of ['', '.', '..', undefined as unknown as string]) {
    await assert.rejects(transport.send({ method: 'DELETE', path: ['projects', id] }), TypeError)
  }
  assert.equal(server.requests.length, 1)
})

test('does not follow redirects', async () => {
  await using server = await startScriptedServer([{ status: 302, headers: { location: '/else' } }])
  const transport = createTestTransport(server.url)
  await assert.rejects(transport.send(post), { code: 'http_302', message: /is a redirect/ })
  assert.equal(server.requests.length, 1)
})

test('tells an answer that is not from a Countersign server', async () => {
  const html = { 'content-type': 'text/html' }
  await using server = await startScriptedServer([
    { status: 200, headers: html, text: '<p>hello</p>' },
    { status: 404, headers: html, text: '<p>csk_test</p>' },
    { status: 400, body: { code: 'echo', detail: 'authorization: Bearer csk_test' } },
  ])
  const transport = createTestTransport(server.url)
  await assert.rejects(transport.send(post), { code: 'unreadable_answer', status: 200 })
  await assert.rejects(transport.send(post), { code: 'http_404', title: 'Not Found' })
  await assert.rejects(transport.send(post), (error) => {
    assert.ok(error instanceof ApiError)
    assert.equal(error.code, 'http_400')
    assert.doesNotMatch(JSON.stringify({ ...error, message: error.message }), /csk_test/)
    return true
  })
})
