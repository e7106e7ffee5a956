import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { createTestApi, rootKey, type TestApi } from '../../test/support/test-api.ts'
import { until } from '../../test/support/until.ts'
import { limits } from '../core/limits.ts'
import type { Transaction } from '../storage/storage.ts'
import { apiLimits } from './api-limits.ts'

test('counts a chunked body of no bytes as absent, whatever type it claims', async () => {
  await using server = await createTestApi()
  const answer = await exchange(
    server,
    post('/v1/projects', [
      'Content-Type: no type at all',
      'Transfer-Encoding: chunked',
      'Connection: close',
    ]),
    '0\r\n\r\n',
  )
  assert.match(answer, /^HTTP\/1\.1 422 /)
  assert.match(answer, /"param":"name"/)
})

test('cuts a chunked body off at the limit', async () => {
  await using server = await createTestApi()
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
  const answer = await exchange(
    server,
    post('/v1/projects', ['Content-Type: application/json', 'Transfer-Encoding: chunked']),
    chunk.repeat(6),
  )
  assert.match(answer, /^HTTP\/1\.1 413 /)
  assert.match(answer, /"code":"payload_too_large"/)
})

test('shows its refusal to a client that sends far more than it may', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const url = `${await addressOf(server)}${project.path}/events`
  // In a thread of its own: in ours, the client would never be amid sending when the answer comes.
  const worker = new Worker(`(${sendTooMuch})()`, {
    eval: true,
    workerData: { url, key: rootKey, bodyBytes: 5 * 1024 * 1024, count: 20 },
  })
  const [replies] = (await once(worker, 'message')) as [Awaited<ReturnType<typeof sendTooMuch>>]
  const contentType = 'application/problem+json; charset=utf-8'
  assert.equal(replies.length, 20)
  for (const { requestId, text, ...reply } of replies) {
    assert.deepEqual(reply, { status: 413, contentType, connection: 'close' }, text)
    const problem = JSON.parse(text) as { code: string; instance: string }
    assert.deepEqual([problem.code, problem.instance], ['payload_too_large', requestId])
  }
})

test('answers what is no request, or an unfit one, with a problem, and closes', async () => {
  await using server = await createTestApi()
  const cases: [request: string, status: number, code: string][] = [
    ['nonsense\r\n\r\n', 400, 'invalid_request'],
    ['NONSENSE / HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'invalid_request'],
    ['GET / HTTP/7.1\r\nHost: x\r\n\r\n', 400, 'invalid_request'],
    ['GET /a b HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'invalid_request'],
    ['GET /healthz HTTP/1.1\r\n\r\n', 400, 'invalid_request'],
    ['GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: foo\r\n\r\n', 417, 'expectation_failed'],
    [`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
    [`GET / HTTP/1.1\r\nX: ${'x'.repeat(2_000_000)}\r\n\r\n`, 431, 'headers_too_large'],
    [`GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431, 'headers_too_large'],
  ]
  for (const [request, status, code] of cases) {
    const answer = await exchange(server, request)
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    const label = request.slice(0, 40)
    assert.ok(head.startsWith(`HTTP/1.1 ${status} `), `${label}: ${head}`)
    assert.match(head, /^connection: close$/im)
    assert.match(head, /^content-type: application\/problem\+json; charset=utf-8$/im)
    const problem = JSON.parse(body) as { code: string; instance: string; status: number }
    assert.deepEqual({ code: problem.code, status: problem.status }, { code, status }, label)
    assert.equal(/^x-request-id: (.*)$/im.exec(head)?.[1], problem.instance)
    assert.match(problem.instance, /^req_[0-9a-f]{24,}$/)
  }
})

test('answers a path that is too long for any route as one that does not exist', async () => {
  await using server = await createTestApi()
  for (const path of [`/${'x'.repeat(8_000)}`, `/v1/projects/${'x'.repeat(8_000)}`]) {
    const answer = await exchange(
      server,
      `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    )
    assert.match(answer, /^HTTP\/1\.1 404 /)
    assert.match(answer, /"code":"not_found"/)
    assert.match(answer, /^x-request-id: req_/im)
  }
})

test('asks HTTP/1.0 for no Host header, and takes 100-continue', async () => {
  await using server = await createTestApi()
  assert.match(await exchange(server, 'GET /healthz HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 /)
  const request =
    'GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n'
  assert.match(await exchange(server, request), /^HTTP\/1\.1 200 /m)
})

test('stores nothing of a request that breaks off, and does not call it its own failure', async () => {
  await using server = await createTestApi()
  const socket = await open(server)
  socket.write(
    `${post('/v1/projects', ['Content-Type: application/json', 'Content-Length: 100'])}{"name":"n"`,
  )
  await until('the connection is there', () => connectionCount(server).then((count) => count === 1))
  socket.destroy()
  await until('the connection is gone', () => connectionCount(server).then((count) => count === 0))
  assert.deepEqual((await server.call('GET', '/v1/projects')).body.data, [])
  assert.deepEqual(server.logged, [])
})

test('takes no room and no place for a client that has gone before its turn', async () => {
  let gate = Promise.resolve()
  await using server = await createTestApi({
    wrapStorage: (storage) =>
      Object.assign(
        { ...storage },
        {
          async findApiKeyByHash(hash: string) {
            await gate
            return storage.findApiKeyByHash(hash)
          },
        },
      ),
  })
  const { path, key } = await server.addProject()
  const head = `Host: x\r\nAuthorization: Bearer ${key}\r\n`
  const stream = `GET ${path}/stream HTTP/1.1\r\n${head}\r\n`
  const bodyBytes = limits.requestBodyBytesMax
  const publish = `POST ${path}/events HTTP/1.1\r\n${head}Content-Length: ${bodyBytes}\r\n\r\n`
  const publishCount = apiLimits.bodiesBytesPerProjectMax / bodyBytes
  const requests = [
    ...Array<string>(apiLimits.streamsPerKeyMax).fill(stream),
    ...Array<string>(publishCount).fill(publish),
  ]

  const opening = Promise.withResolvers<void>()
  gate = opening.promise
  const gone: unknown[] = []
  const begun: unknown[] = []
  server.api.app.server.on('request', (_request, response) => {
    begun.push(response)
    response.on('close', () => gone.push(response))
  })
  const url = await addressOf(server)
  const sockets = await Promise.all(requests.map(() => open(server)))
  for (const [index, socket] of sockets.entries()) socket.write(requests[index] ?? '')
  await until('all have been read', () => begun.length === requests.length)
  for (const socket of sockets) socket.destroy()
  await until('all have gone', () => gone.length === requests.length)
  opening.resolve()

  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const published = await fetch(`${url}${path}/events`, {
    method: 'POST',
    headers,
    body: '{"type":"a.b","data":{}}',
  })
  assert.equal(published.status, 202, await published.text())
  const followed = await fetch(`${url}${path}/stream`, { headers })
  assert.equal(followed.status, 200)
  await followed.body?.cancel()
})

test('finishes what is under way when it closes', async () => {
  const gate = Promise.withResolvers<void>()
  let isIn = false
  await using server = await createTestApi({
    changeParts: ({ storage }) => ({
      storage: Object.create(storage, {
        transact: {
          async value<T>(work: (tx: Transaction) => Promise<T>) {
            isIn = true
            await gate.promise
            return storage.transact(work)
          },
        },
      }),
    }),
  })
  const body = '{"name":"n"}'
  const answer = exchange(
    server,
    post('/v1/projects', [
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      'Connection: close',
    ]),
    body,
  )
  await until('the request is under way', () => isIn)
  const closed = server.api.close(5_000)
  gate.resolve()
  assert.match(await answer, /^HTTP\/1\.1 201 /)
  await closed
})

/** Runs as text in a thread of its own, so it stands alone. A broken connection is status 0. */
async function sendTooMuch() {
  const { parentPort, workerData } = await import('node:worker_threads')
  const { url, key, bodyBytes, count } = workerData
  const body = 'x'.repeat(bodyBytes)
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const replies = []
  for (let round = 0; round < count; round += 1) {
    try {
      const reply = await fetch(url, { method: 'POST', headers, body })
      replies.push({
        status: reply.status,
        contentType: reply.headers.get('content-type'),
        connection: reply.headers.get('connection'),
        requestId: reply.headers.get('x-request-id'),
        text: await reply.text(),
      })
    } catch (error) {
      const text = String((error as Error).cause ?? error)
      replies.push({ status: 0, contentType: null, connection: null, requestId: null, text })
    }
  }
  parentPort?.postMessage(replies)
  return replies
}

function post(path: string, headers: readonly string[]): string {
  const lines = [`POST ${path} HTTP/1.1`, 'Host: x', `Authorization: Bearer ${rootKey}`, ...headers]
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** Sends bytes as they are and answers everything that comes back until the end. */
async function exchange(server: TestApi, ...parts: string[]): Promise<string> {
  const socket = await open(server)
  // A refusal may come before everything is sent; what the socket says of it is no matter.
  socket.on('error', () => {})
  for (const part of parts) socket.write(part)
  return text(socket)
}

async function open(server: TestApi) {
  return connect(Number(new URL(await addressOf(server)).port), '127.0.0.1')
}

async function addressOf(server: TestApi): Promise<string> {
  const { app, listen } = server.api
  return app.server.listening
    ? `http://127.0.0.1:${(app.server.address() as { port: number }).port}`
    : await listen({ host: '127.0.0.1', port: 0 })
}

function connectionCount(server: TestApi): Promise<number> {
  return new Promise((resolve, reject) => {
    server.api.app.server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
  })
}
