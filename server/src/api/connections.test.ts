import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { createTestApi, rootKey, type TestApi } from '../../test/support/test-api.ts'
import { until } from '../../test/support/until.ts'
import type { Transaction } from '../storage/storage.ts'

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

test('answers bytes that are not HTTP shortly, and with nothing of itself', async () => {
  await using server = await createTestApi()
  assert.equal(
    await exchange(server, 'nonsense\r\n\r\n'),
    'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
  )
  const large = `GET / HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`
  assert.match(await exchange(server, large), /^HTTP\/1\.1 431 /)
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
  const { app, listen } = server.api
  const address = app.server.listening
    ? `http://127.0.0.1:${(app.server.address() as { port: number }).port}`
    : await listen({ host: '127.0.0.1', port: 0 })
  return connect(Number(new URL(address).port), '127.0.0.1')
}

function connectionCount(server: TestApi): Promise<number> {
  return new Promise((resolve, reject) => {
    server.api.app.server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
  })
}
