import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../test/support/until.ts'
import { addFastPath, type FastPath, type FastPathOptions, type Give } from './fast-path.ts'

/** A server whose plain requests wait to be answered by the test. */
interface Stage extends AsyncDisposable {
  fastPath: FastPath
  /** What was admitted and not answered yet. */
  waiting: { path: string; give: Give }[]
  /** Paths that the HTTP server was asked for. */
  slow: string[]
  open(): Promise<Socket>
}

test('answers as an HTTP server would, and leaves the connection open', async () => {
  await using stage = await startStage()
  const socket = await stage.open()
  const heard = listen(socket)
  for (const round of [1, 2]) {
    socket.write(plainPost('/a'))
    await until('it is there', () => stage.waiting.length === 1)
    answerNext(stage, `é ${round}`)
    await until('it is answered', () => heard.text.includes(`é ${round}`))
  }
  assert.equal(stage.slow.length, 0)
  const [head = '', body] = heard.text
    .slice(0, heard.text.lastIndexOf('HTTP/1.1'))
    .split('\r\n\r\n')
  assert.match(head, /^HTTP\/1\.1 202 Accepted\r\n/)
  assert.match(head, /^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r$/m)
  assert.match(
    head,
    /^x-given: yes\r\nx-own: too\r\ncontent-type: application\/json; charset=utf-8\r$/m,
  )
  assert.match(head, /^content-length: 4\r\n/m)
  assert.match(head, /^Connection: keep-alive\r\nKeep-Alive: timeout=1$/m)
  assert.equal(body, 'é 1')
})

test('answers requests of one connection one after the other', async () => {
  await using stage = await startStage()
  const socket = await stage.open()
  const heard = listen(socket)
  socket.write(plainPost('/a'))
  await until('the first is there', () => stage.waiting.length === 1)
  socket.write(plainPost('/b'))
  await sleep(50)
  socket.write('GET /c HTTP/1.1\r\nHost: x\r\n\r\n')
  await sleep(50)
  assert.deepEqual(
    stage.waiting.map(({ path }) => path),
    ['/a'],
  )
  answerNext(stage, 'one')
  // By now the other two lie in one piece.
  await until('all are answered', () => {
    if (stage.waiting.length > 0) answerNext(stage, 'two')
    return heard.text.includes('slow /c')
  })
  assert.match(heard.text, /one[\s\S]*(?:two|slow \/b)[\s\S]*slow \/c/)
})

test('gives everything else to the HTTP server, with all that has come', async () => {
  await using stage = await startStage()
  const cases = [
    'GET /get HTTP/1.1\r\nHost: x\r\n\r\n',
    plainPost('/not-admitted'),
    plainPost('/two') + plainPost('/requests'),
    plainPost('/cut').slice(0, -1),
    plainPost('/cut-head').slice(0, 20),
  ]
  for (const request of cases) {
    const socket = await stage.open()
    const heard = listen(socket)
    socket.write(request)
    await sleep(20)
    const whole = request.startsWith('POST /cut-head') ? plainPost('/cut-head') : plainPost('/cut')
    if (request.includes('/cut')) socket.write(whole.slice(request.length))
    await until(`${request} is answered`, () => heard.text.includes('slow'))
    socket.write(plainPost('/again'))
    await until('it stays there', () => heard.text.includes('slow /again'))
    socket.destroy()
  }
  const expected = ['/get', '/not-admitted', '/two', '/requests', '/cut', '/cut-head']
  assert.deepEqual(
    stage.slow.filter((path) => path !== '/again'),
    expected,
  )
  assert.equal(stage.waiting.length, 0)
})

test('an idle client that sends no more is let go', async () => {
  await using stage = await startStage()
  const socket = await stage.open()
  socket.end()
  assert.equal(await text(socket), '')
})

test('a client that has gone gets nothing, and takes no room', async () => {
  await using stage = await startStage()
  for (const end of ['destroy', 'resetAndDestroy'] as const) {
    const socket = await stage.open()
    socket.write(plainPost('/a'))
    await until('it is there', () => stage.waiting.length === 1)
    socket[end]()
    await until('the server has noticed', async () => (await connectionCount(stage)) === 0)
    answerNext(stage, 'nobody')
  }
})

test('cuts off who says nothing, at first as later', async () => {
  await using stage = await startStage({ headersTimeoutMs: 100, keepAliveTimeoutMs: 200 })
  assert.match(await text(await stage.open()), /^408 by node$/m)

  const socket = await stage.open()
  socket.write(plainPost('/a'))
  await until('it is there', () => stage.waiting.length === 1)
  // The server is slow, for which the client is not to pay.
  await sleep(400)
  answerNext(stage, 'late')
  assert.match(await text(socket), /late$/)
})

test('reads no further for a client that does not take its answers', async () => {
  await using stage = await startStage()
  const socket = await stage.open()
  const large = 'x'.repeat(8 * 1024 * 1024)
  socket.write(plainPost('/a'))
  await until('it is there', () => stage.waiting.length === 1)
  socket.pause()
  answerNext(stage, large)
  await sleep(50)
  socket.write(plainPost('/b'))
  await sleep(100)
  assert.equal(stage.waiting.length, 0)
  const heard = listen(socket)
  socket.resume()
  await until('the second is there', () => stage.waiting.length === 1)
  answerNext(stage, 'end')
  await until('both are heard', () => heard.text.endsWith('end'))
})

test('cuts off a client that takes no answer for as long as it may be idle', async () => {
  await using stage = await startStage({ keepAliveTimeoutMs: 200 })
  const socket = await stage.open()
  socket.on('error', () => {})
  socket.pause()
  socket.write(plainPost('/a'))
  await until('it is there', () => stage.waiting.length === 1)
  answerNext(stage, 'x'.repeat(32 * 1024 * 1024))
  await until('it is cut off', async () => (await connectionCount(stage)) === 0)
})

test('while it stops, connections close: idle ones and new ones now, the others with their answer', async () => {
  await using stage = await startStage()
  const [idle, busy, fresh] = [await stage.open(), await stage.open(), await stage.open()]
  idle.write(plainPost('/a'))
  await until('it is there', () => stage.waiting.length === 1)
  answerNext(stage, 'one')
  busy.write(plainPost('/b'))
  await until('it is there', () => stage.waiting.length === 1)
  // It is not read any more, and must not hold the connection.
  busy.write(plainPost('/c'))
  await sleep(20)
  stage.fastPath.stop()
  stage.fastPath.closeIdle()
  assert.match(await text(idle), /one$/)
  assert.equal(await text(fresh), '')
  const heard = listen(busy)
  answerNext(stage, 'two')
  await until('all are closed', async () => (await connectionCount(stage)) === 0)
  await until('it is heard', () => /Connection: close\r\n\r\ntwo$/.test(heard.text))
})

test('cuts all off at the end', async () => {
  await using stage = await startStage()
  const socket = await stage.open()
  socket.write(plainPost('/a'))
  await until('it is there', () => stage.waiting.length === 1)
  stage.fastPath.closeAll()
  assert.equal(await text(socket), '')
})

function plainPost(path: string): string {
  const lines = [`POST ${path} HTTP/1.1`, 'Host: x', 'Authorization: Bearer k']
  return [...lines, 'Content-Type: application/json', 'Content-Length: 2', '', '{}'].join('\r\n')
}

function answerNext(stage: Stage, body: string): void {
  const next = stage.waiting.shift()
  assert.ok(next !== undefined, 'a request waits')
  next.give({ status: 202, text: body, headers: { 'x-own': 'too' } }, { 'x-given': 'yes' })
}

function listen(socket: Socket): { text: string } {
  const heard = { text: '' }
  socket.setEncoding('utf8').on('data', (piece) => {
    heard.text += piece
  })
  return heard
}

const servers = new WeakMap<FastPath, Server>()

function connectionCount({ fastPath }: Stage): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  servers.get(fastPath)?.getConnections((_error, count) => resolve(count))
  return promise
}

async function startStage(limits: Partial<FastPathOptions> = {}): Promise<Stage> {
  const waiting: Stage['waiting'] = []
  const slow: string[] = []
  const server = createServer(async (request, response) => {
    await text(request)
    slow.push(request.url ?? '')
    response.end(`slow ${request.url}`)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    socket.end(error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 by node' : 'unreadable')
  })
  const fastPath = addFastPath(server, {
    clock: { now: Date.now, monotonic: () => performance.now() },
    headersTimeoutMs: 1_000,
    keepAliveTimeoutMs: 1_000,
    ...limits,
    admit: ({ head: { path } }) => {
      if (path === '/not-admitted') return null
      return (give) => waiting.push({ path, give })
    },
  })
  servers.set(fastPath, server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return {
    fastPath,
    waiting,
    slow,
    async open() {
      const socket = connect(port, '127.0.0.1')
      await once(socket, 'connect')
      return socket
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server.close(), 'close')
      server.closeAllConnections()
      fastPath.closeAll()
      await closed
    },
  }
}
