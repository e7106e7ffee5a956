import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createTestApi, type TestApi, type TestProject } from '../../test/support/test-api.ts'
import { until } from '../../test/support/until.ts'
import { apiLimits } from './api-limits.ts'
import { createBodyRoom } from './body-room.ts'

const mebibyte = 1024 * 1024

test('room is bounded in all and for each owner, and comes back', () => {
  const room = createBodyRoom({ bytesMax: 100, bytesPerOwnerMax: 60 })
  const refused = { code: 'overloaded', status: 503 }
  const giveBack = room.take('a', 60)
  assert.throws(() => room.take('a', 1), { ...refused, message: /^This project / })
  room.take('b', 40)
  assert.throws(() => room.take('c', 1), { ...refused, message: /^The server / })
  giveBack()
  room.take('a', 60)
  assert.throws(() => room.take('c', 1), refused)
})

test('slow uploads of one project take bounded memory, and another is served', async () => {
  await using server = await createTestApi()
  const slow = await server.addProject()
  const other = await server.addProject()
  await server.api.listen({ host: '127.0.0.1', port: 0 })
  const connections: Socket[] = []
  server.api.app.server.on('connection', (socket: Socket) => connections.push(socket))
  const readBytes = () => connections.reduce((sum, { bytesRead }) => sum + bytesRead, 0)
  // All but the end of it, so that the server goes on waiting.
  const part = Buffer.alloc(15 * mebibyte, ' ')
  const before = keptBufferBytes()
  const uploads = Array.from({ length: 20 }, () => beginUpload(server, slow, 16 * mebibyte))
  for (const { socket } of uploads) socket.write(part)
  await until('the server has read it all', () => readBytes() >= 20 * part.length)
  const grownBytes = keptBufferBytes() - before
  assert.ok(grownBytes < 64 * mebibyte, `grew by ${grownBytes / mebibyte} MiB`)

  const refused = () => uploads.filter(({ heard }) => heard.text !== '')
  await until('most are refused', () => refused().length === 18)
  for (const { heard } of refused()) {
    assert.match(heard.text, /^HTTP\/1\.1 503 /)
    assert.match(heard.text, /^retry-after: 1\r$/im)
    assert.match(heard.text, /"code":"overloaded"/)
  }
  assert.equal((await publish(server, other)).status, 202)
  assert.equal((await publish(server, slow, ' '.repeat(200_000))).status, 503)

  for (const { socket } of uploads) socket.destroy()
  await until('the room is back', async () => (await publish(server, slow)).status === 202)
})

test('a body of unknown length takes as much room as it may come to', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  await server.api.listen({ host: '127.0.0.1', port: 0 })
  const uploads = Array.from({ length: 3 }, () => beginUpload(server, project, null))
  await until('one is refused', () => uploads.some(({ heard }) => heard.text !== ''))
  assert.equal(uploads.filter(({ heard }) => heard.text !== '').length, 1)
  for (const { socket } of uploads) socket.destroy()
})

test('no body is read where there is nothing to be found', async () => {
  await using server = await createTestApi()
  const { hostname, port } = new URL(await server.api.listen({ host: '127.0.0.1', port: 0 }))
  const socket = connect(Number(port), hostname)
  const head = ['POST /nothing HTTP/1.1', 'Host: x', 'Content-Type: application/json']
  socket.write(`${[...head, 'Content-Length: 1000'].join('\r\n')}\r\n\r\n{`)
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  assert.match(String(bytes), /^HTTP\/1\.1 404 /)
  socket.destroy()
})

test('connections are bounded, and idle ones make room', async () => {
  await using server = await createTestApi()
  const { hostname, port } = new URL(await server.api.listen({ host: '127.0.0.1', port: 0 }))
  const http = server.api.app.server
  assert.equal(http.maxConnections, apiLimits.connectionsMax)
  http.maxConnections = 3
  const ask = async () => {
    const socket = connect(Number(port), hostname)
    const closed = once(socket, 'close')
    socket.on('error', () => {})
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
    return Promise.race([
      once(socket, 'data').then(([bytes]) => String(bytes).slice(0, 12)),
      closed.then(() => 'closed'),
    ])
  }
  for (let count = 0; count < 3; count += 1) assert.equal(await ask(), 'HTTP/1.1 200')
  assert.equal(await ask(), 'closed')
  await until('there is room again', async () => (await ask()) === 'HTTP/1.1 200')
})

test('a request whose headers trickle in is cut off', async () => {
  await using server = await createTestApi()
  const { hostname, port } = new URL(await server.api.listen({ host: '127.0.0.1', port: 0 }))
  const http = server.api.app.server
  assert.equal(http.headersTimeout, apiLimits.headersTimeoutMs)
  assert.equal(http.requestTimeout, apiLimits.requestTimeoutMs)
  http.headersTimeout = 1
  const socket = connect(Number(port), hostname)
  socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ')
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  assert.match(String(bytes), /^HTTP\/1\.1 408 /)
})

/** Without what is thrown away already and only waits to be collected. */
function keptBufferBytes(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().arrayBuffers
}

/** Sends the head of a batch whose body is so long, or null: in chunks, of any length. */
function beginUpload(server: TestApi, { path, key }: TestProject, bytes: number | null) {
  const { port } = server.api.app.server.address() as { port: number }
  const socket = connect(port, '127.0.0.1')
  const heard = { text: '' }
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    heard.text += String(chunk)
  })
  const head = [
    `POST ${path}/events/batch HTTP/1.1`,
    'Host: x',
    `Authorization: Bearer ${key}`,
    'Content-Type: application/json',
    bytes === null ? 'Transfer-Encoding: chunked' : `Content-Length: ${bytes}`,
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  return { socket, heard }
}

function publish(server: TestApi, { path, key }: TestProject, padding = '') {
  const rawBody = `${JSON.stringify({ type: 'order.paid', data: {} })}${padding}`
  return server.call('POST', `${path}/events`, { key, rawBody })
}
