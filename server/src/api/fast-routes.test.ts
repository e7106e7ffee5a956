import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { createTestApi, rootKey, type TestApi } from '../../test/support/test-api.ts'
import { until } from '../../test/support/until.ts'
import { StorageUnavailableError } from '../storage/storage.ts'

/** A request whose answer is to be the same on both ways. */
interface Asked {
  path: string
  key: string
  body: string
}

for (const corsOrigins of [[], ['https://console.example.com']]) {
  test(`answers everything as on the ordinary way, with ${corsOrigins.length} origins of pages`, () =>
    answersAlike(corsOrigins))
}

async function answersAlike(corsOrigins: readonly string[]) {
  await using server = await createTestApi({ corsOrigins })
  const served = countSlow(server)
  for (const { what, status, ...asked } of await askedOf(server)) {
    const before = served.count
    const fast = await ask(server, asked)
    const isFast = !otherWay.has(what)
    assert.equal(served.count - before, isFast ? 0 : 1, `${what} came on its way`)
    // Each was asked once before it is asked again, so ids that were new are not any more.
    const body = what === 'with an id' ? own('mine-2') : asked.body
    const slow = await ask(server, { ...asked, body }, ['X-Other: 1'])
    assert.equal(fast.status, status, `${what}: ${fast.text}`)
    assert.deepEqual(comparable(fast), comparable(slow), what)
  }
  assert.deepEqual(server.logged, [])
}

const own = (id: string) => `{"type":"order.paid","id":"${id}","data":{}}`

/** In this order: some are about what came before them. */
async function askedOf(server: TestApi): Promise<(Asked & { what: string; status: number })[]> {
  const project = await server.addProject({ uid: 'shop' })
  const other = await server.addProject()
  const reader = await server.addProject({ scopes: ['events.read'] })
  const { key } = project
  const events = `${project.path}/events`
  const event = '{"type":"order.paid","data":{"n":1.50,"é":"ü"}}'
  return [
    { what: 'an event', path: events, key, body: event, status: 202 },
    { what: 'by uid', path: '/v1/projects/shop/events', key, body: event, status: 202 },
    { what: 'with the root key', path: events, key: rootKey, body: event, status: 202 },
    { what: 'with an id', path: events, key, body: own('mine'), status: 202 },
    { what: 'again', path: events, key, body: own('mine'), status: 200 },
    { what: 'a conflict', path: events, key, body: own('mine').replace('{}', '[]'), status: 422 },
    { what: 'another one', path: events, key, body: own('mine').replace('paid', 'p'), status: 409 },
    { what: 'a batch', path: `${events}/batch`, key, body: `{"events":[${event},1]}`, status: 202 },
    { what: 'no batch', path: `${events}/batch`, key, body: '{"events":[]}', status: 422 },
    { what: 'nothing', path: events, key, body: '', status: 422 },
    { what: 'no JSON', path: events, key, body: '{"type":', status: 400 },
    { what: 'no object', path: events, key, body: '[]', status: 422 },
    { what: 'wrong fields', path: events, key, body: '{"type":1,"x":2}', status: 422 },
    {
      what: 'a reserved type',
      path: events,
      key,
      body: event.replace('order', 'endpoint'),
      status: 422,
    },
    { what: 'no such key', path: events, key: 'csk_none', body: event, status: 401 },
    { what: 'no key at all', path: events, key: 'a b', body: event, status: 401 },
    { what: 'a foreign key', path: events, key: other.key, body: event, status: 403 },
    {
      what: 'no right to',
      path: `${reader.path}/events`,
      key: reader.key,
      body: event,
      status: 403,
    },
    {
      what: 'no such project',
      path: '/v1/projects/none/events',
      key: rootKey,
      body: event,
      status: 404,
    },
    { what: 'no project', path: '/v1/projects//events', key: rootKey, body: event, status: 404 },
    {
      what: "no project of one's own",
      path: '/v1/projects//events',
      key,
      body: event,
      status: 403,
    },
    { what: 'too long a project', path: longPath, key, body: event, status: 404 },
    { what: 'no such path', path: '/v1/none', key, body: event, status: 404 },
    { what: 'another method', path: '/v1/projects/shop/deliveries', key, body: event, status: 405 },
    { what: 'too much', path: events, key, body: tooLarge, status: 413 },
  ]
}

test('publishes the same event, byte for byte', async () => {
  await using server = await createTestApi()
  const { path, key } = await server.addProject()
  const data = '{ "a" : 12345678901234567890, "b":1.50e+3 , "é":"\\u00e9\\/" }'
  const reply = await ask(server, {
    path: `${path}/events`,
    key,
    body: `{"type":"a.b","metadata":{"m":1},"timestamp":"2026-01-02T03:04:05Z","data":${data}}`,
  })
  const event = await server.call('GET', `${path}/events/${JSON.parse(reply.text).id}`)
  assert.ok(event.text.includes(`"data":${data}`), event.text)
  assert.deepEqual(event.body.metadata, { m: 1 })
  assert.equal(event.body.timestamp, '2026-01-02T03:04:05Z')
})

test('counts what a key may ask on both ways together', async () => {
  await using server = await createTestApi({ rateLimit: { perSecond: 1, burst: 4 } })
  const { path, key } = await server.addProject()
  const asked = { path: `${path}/events`, key, body: '{"type":"a.b","data":{}}' }
  const statuses = []
  for (const more of [[], ['X-Other: 1'], [], ['X-Other: 1'], [], ['X-Other: 1']]) {
    const { status, headers } = await ask(server, asked, more)
    statuses.push([status, headers['x-ratelimit-remaining'], headers['retry-after']])
  }
  assert.deepEqual(statuses, [
    [202, '3', undefined],
    [202, '2', undefined],
    [202, '1', undefined],
    [202, '0', undefined],
    [429, '0', '1'],
    [429, '0', '1'],
  ])
})

test('a key that is revoked is refused on a connection that has used it', async () => {
  await using server = await createTestApi()
  const { path, key } = await server.addProject()
  const asked = { path: `${path}/events`, key, body: '{"type":"a.b","data":{}}' }
  const client = await open(server)
  assert.equal((await client.ask(asked)).status, 202)
  const [{ id }] = (await server.call('GET', `${path}/api-keys`)).body.data
  assert.equal((await server.call('DELETE', `${path}/api-keys/${id}`)).status, 204)
  assert.equal((await client.ask(asked)).status, 401)
  client.socket.destroy()
})

test('each request of a connection is judged by its own key and path', async () => {
  await using server = await createTestApi({})
  const [one, other] = [await server.addProject(), await server.addProject()]
  const client = await open(server)
  const statuses: number[] = []
  for (const [path, key] of [
    [one.path, one.key],
    [one.path, other.key],
    [other.path, other.key],
    [other.path, one.key],
    [one.path, one.key],
    [one.path, 'csk_none'],
  ] as const) {
    const reply = await client.ask({
      path: `${path}/events`,
      key,
      body: own(`e${statuses.length}`),
    })
    statuses.push(reply.status)
  }
  client.socket.destroy()
  assert.deepEqual(statuses, [202, 403, 202, 403, 202, 401])
})

test('a client that has gone before its turn publishes nothing', async () => {
  let gate = Promise.resolve()
  let asked = 0
  await using server = await createTestApi({
    wrapStorage: (storage) =>
      Object.assign(
        { ...storage },
        {
          async findApiKeyByHash(hash: string) {
            asked += 1
            await gate
            return storage.findApiKeyByHash(hash)
          },
        },
      ),
  })
  const { path, key } = await server.addProject()
  const opening = Promise.withResolvers<void>()
  gate = opening.promise
  const client = await open(server)
  client.socket.write(plain({ path: `${path}/events`, key, body: '{"type":"a.b","data":{}}' }))
  await until('its key is looked up', () => asked === 1)
  client.socket.destroy()
  await until('the server has noticed', async () => (await connectionCount(server)) === 0)
  opening.resolve()
  await gate
  assert.deepEqual((await server.call('GET', `${path}/events`)).body.data, [])
})

test('a store that fails is told to the client as to the log', async () => {
  await using server = await createTestApi({
    wrapStorage: (storage) => ({
      ...storage,
      acceptEvents: async () => {
        throw new StorageUnavailableError('The disk is gone.')
      },
    }),
  })
  const { path, key } = await server.addProject()
  const asked = { path: `${path}/events`, key, body: '{"type":"a.b","data":{}}' }
  const fast = await ask(server, asked)
  const slow = await ask(server, asked, ['X-Other: 1'])
  assert.equal(fast.status, 503)
  assert.deepEqual(comparable(fast), comparable(slow))
  const logged = server.logged.map(({ fields, message }) => ({
    ...fields,
    message,
    requestId: typeof (fields as { requestId?: unknown }).requestId,
  }))
  assert.equal(logged.length, 2)
  assert.deepEqual(logged[0], logged[1])
})

test('a path with its project left out costs nobody else a publish', async () => {
  await using server = await createTestApi()
  const { path, key } = await server.addProject()
  const body = '{"type":"a.b","data":{}}'
  await server.api.listen({ host: '127.0.0.1', port: 0 })
  const good = Array.from({ length: 20 }, () => ask(server, { path: `${path}/events`, key, body }))
  const bad = Array.from({ length: 20 }, () => {
    return ask(server, { path: '/v1/projects//events', key: rootKey, body })
  })
  for (const { status, text } of await Promise.all(good)) assert.equal(status, 202, text)
  for (const { status } of await Promise.all(bad)) assert.equal(status, 404)
  for (const list of ['events', 'deliveries', 'endpoints']) {
    assert.equal((await server.send('GET', `/v1/projects//${list}`, asRoot)).status, 404, list)
  }
})

test('a server that closes answers what it has taken', async () => {
  const gate = Promise.withResolvers<void>()
  let isIn = false
  await using server = await createTestApi({
    wrapStorage: (storage) => ({
      ...storage,
      async acceptEvents(events) {
        isIn = true
        await gate.promise
        return storage.acceptEvents(events)
      },
    }),
  })
  const { path, key } = await server.addProject()
  const client = await open(server)
  const reply = client.ask({ path: `${path}/events`, key, body: '{"type":"a.b","data":{}}' })
  await until('it is under way', () => isIn)
  const closed = server.api.close(5_000)
  gate.resolve()
  const { status, headers } = await reply
  assert.deepEqual([status, headers.connection], [202, 'close'])
  await closed
})

const asRoot = { headers: { authorization: `Bearer ${rootKey}` } }
const longPath = `/v1/projects/${'x'.repeat(513)}/events`
const otherWay = new Set([
  ...['no project', "no project of one's own", 'too long a project'],
  ...['no such path', 'another method', 'too much'],
])

const tooLarge = `{"type":"a.b","data":{"x":"${'x'.repeat(5 * 1024 * 1024)}"}}`

interface HeardReply {
  status: number
  headers: Record<string, string>
  names: string[]
  text: string
}

/** Without what is new each time. */
function comparable({ status, headers, names, text }: HeardReply) {
  const fixed = text
    .replaceAll(/req_[0-9a-f]+/g, 'req_')
    .replaceAll(/evt_[0-9a-f]{32}/g, 'evt_')
    .replaceAll('mine-2', 'mine')
  const {
    'x-request-id': _id,
    'x-ratelimit-remaining': _remaining,
    'x-ratelimit-reset': _reset,
    'content-length': _length,
    date: _date,
    ...others
  } = headers
  return { status, others, names: names.toSorted(), text: fixed }
}

function plain({ path, key, body }: Asked, more: readonly string[] = []): string {
  return [
    `POST ${path} HTTP/1.1`,
    'Host: x',
    `Authorization: Bearer ${key}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...more,
    '',
    body,
  ].join('\r\n')
}

/** On a connection of its own. */
async function ask(server: TestApi, asked: Asked, more?: readonly string[]): Promise<HeardReply> {
  const client = await open(server)
  try {
    return await client.ask(asked, more)
  } finally {
    client.socket.destroy()
  }
}

async function open(server: TestApi) {
  const { app, listen } = server.api
  if (!app.server.listening) await listen({ host: '127.0.0.1', port: 0 })
  const socket = connect((app.server.address() as { port: number }).port, '127.0.0.1')
  socket.on('error', () => {})
  let heard = Buffer.alloc(0)
  socket.on('data', (bytes: Buffer) => {
    heard = Buffer.concat([heard, bytes])
  })
  return {
    socket,
    async ask(asked: Asked, more?: readonly string[]): Promise<HeardReply> {
      heard = Buffer.alloc(0)
      socket.write(plain(asked, more))
      let reply: HeardReply | null = null
      await until(`${asked.path} is answered`, () => {
        reply = readReply(heard)
        return reply !== null
      })
      return reply ?? assert.fail()
    },
  }
}

function readReply(bytes: Buffer): HeardReply | null {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return null
  const [first = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n')
  const names = lines.map((line) => line.slice(0, line.indexOf(':')))
  const values = lines.map((line) => line.slice(line.indexOf(':') + 1).trim())
  const headers = Object.fromEntries(
    names.map((name, at) => [name.toLowerCase(), values[at] ?? '']),
  )
  const body = bytes.subarray(headEnd + 4)
  if (body.length < Number(headers['content-length'])) return null
  return { status: Number(first.split(' ')[1]), headers, names, text: body.toString() }
}

/** Counts what reaches the HTTP server. */
function countSlow({ api }: TestApi): { count: number } {
  const counted = { count: 0 }
  api.app.server.on('request', () => {
    counted.count += 1
  })
  return counted
}

function connectionCount({ api }: TestApi): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  api.app.server.getConnections((_error, count) => resolve(count))
  return promise
}
