import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answersWith, neverAnswers, ok, redirectsTo } from '../../test/support/hostile-receivers.ts'
import { createLoopbackSender, until } from '../../test/support/loopback-sender.ts'
import type { Exchange } from './http-sender.ts'

test('posts the body with the signed headers and records the response', async () => {
  await using receiver = await ok({
    statusCode: 202,
    headers: { 'X-Answer': 'yes' },
    body: 'taken',
  })
  await using loopback = createLoopbackSender()
  const exchange = await loopback.post({
    url: `${receiver.url}?a=1&b=ü#fragment`,
    body: '{"data":"ü"}',
    sign: () => ({ 'content-type': 'application/json', 'webhook-id': 'evt_1' }),
  })
  assert.ok(exchange.kind === 'response')
  assert.equal(exchange.statusCode, 202)
  assert.equal(exchange.headers['x-answer'], 'yes')
  assert.equal(Buffer.from(exchange.body).toString(), 'taken')
  assert.equal(exchange.bodyTruncated, false)
  assert.deepEqual(exchange.requestHeaders, {
    'content-type': 'application/json',
    'webhook-id': 'evt_1',
  })
  assert.ok(exchange.durationMs > 0)
  const [request] = receiver.requests
  assert.equal(request?.method, 'POST')
  assert.equal(request?.path, '/hook?a=1&b=%C3%BC')
  assert.equal(request?.body, '{"data":"ü"}')
  assert.equal(request?.headers['webhook-id'], 'evt_1')
  assert.equal(request?.headers['content-length'], String(Buffer.byteLength('{"data":"ü"}')))
  assert.equal(request?.headers.host, `127.0.0.1:${receiver.port}`)
})

test('sends bytes as they are, and an empty body with its length', async () => {
  await using receiver = await ok()
  await using loopback = createLoopbackSender()
  const bytes = new TextEncoder().encode('xx{"n":12345678901234567890}').subarray(2)
  await loopback.post({ url: receiver.url, body: bytes })
  await loopback.post({ url: receiver.url, body: '' })
  assert.equal(receiver.requests[0]?.body, '{"n":12345678901234567890}')
  assert.equal(receiver.requests[1]?.headers['content-length'], '0')
})

test('a redirect is a response and is not followed', async () => {
  await using target = await ok()
  await using receiver = await redirectsTo(target.url)
  await using loopback = createLoopbackSender()
  const exchange = await loopback.post({ url: receiver.url })
  assert.ok(exchange.kind === 'response')
  assert.equal(exchange.statusCode, 307)
  assert.equal(exchange.headers.location, target.url)
  assert.equal(target.requests.length, 0)
})

test('keeps the first 16 KiB of a body and says that there was more', async () => {
  const length = 300_000
  await using receiver = await ok({ body: 'ab'.repeat(length / 2) })
  await using exact = await ok({ body: 'c'.repeat(16 * 1024) })
  await using loopback = createLoopbackSender()
  const long = await loopback.post({ url: receiver.url })
  assert.ok(long.kind === 'response')
  assert.equal(Buffer.from(long.body).toString(), 'ab'.repeat(8 * 1024))
  assert.equal(long.body.buffer.byteLength, 16 * 1024, 'holds on to no larger buffer')
  assert.equal(long.bodyTruncated, true)
  const whole = await loopback.post({ url: exact.url })
  assert.ok(whole.kind === 'response')
  assert.equal(whole.body.length, 16 * 1024)
  assert.equal(whole.bodyTruncated, false)
})

test('puts a body together that comes in pieces', async () => {
  const pieces = Array.from({ length: 200 }, (_, index) => `piece ${index};`)
  const chunks = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('')
  await using receiver = await answersWith(
    `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`,
  )
  await using loopback = createLoopbackSender()
  const exchange = await loopback.post({ url: receiver.url })
  assert.ok(exchange.kind === 'response')
  assert.equal(Buffer.from(exchange.body).toString(), pieces.join(''))
})

test('joins repeated headers, keeps a bounded number, leaves a content encoding alone', async () => {
  const many = Array.from({ length: 300 }, (_, index) => `x-${index}: ${index}\r\n`).join('')
  await using receiver = await answersWith(
    'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-encoding: gzip\r\n' +
      `Set-Cookie: a=1\r\nset-cookie: b=2\r\n__proto__: polluted\r\n${many}\r\nno`,
  )
  await using loopback = createLoopbackSender()
  const exchange = await loopback.post({ url: receiver.url })
  assert.ok(exchange.kind === 'response')
  assert.equal(exchange.headers['set-cookie'], 'a=1, b=2')
  assert.ok(Object.keys(exchange.headers).length <= 128)
  assert.equal(Object.getPrototypeOf(exchange.headers), Object.prototype)
  assert.equal(Buffer.from(exchange.body).toString(), 'no')
})

test('passes over interim responses', async () => {
  await using receiver = await answersWith(
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n' +
      'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
  )
  await using loopback = createLoopbackSender()
  for (const _ of [1, 2]) {
    const exchange = await loopback.post({ url: receiver.url })
    assert.ok(exchange.kind === 'response')
    assert.equal(exchange.statusCode, 200)
    assert.deepEqual(exchange.headers, { 'content-length': '2' })
  }
})

test('refuses a URL that may not be reached, after the call and without a connection', async () => {
  await using receiver = await ok()
  await using loopback = createLoopbackSender({ allowedNetworks: [] })
  const { promise, resolve } = Promise.withResolvers<Exchange>()
  let hasReturned = false
  const request = { url: receiver.url, body: '', timeoutMs: 1000, sign: () => ({}) }
  loopback.sender.send(request, (exchange) => {
    assert.ok(hasReturned, 'done was called within the call')
    resolve(exchange)
  })
  hasReturned = true
  const refused = await promise
  assert.ok(refused.kind === 'error')
  assert.equal(refused.error, 'refused_address')
  assert.match(refused.detail, /COUNTERSIGN_ALLOWED_NETWORKS/)
  assert.equal(refused.requestHeaders, null)
  assert.equal(refused.response, null)
  assert.equal(receiver.connectionsAccepted, 0)
  for (const url of ['not a url', 'ftp://127.0.0.1/', 'http://u:p@127.0.0.1/']) {
    const other = await loopback.post({ url })
    assert.ok(other.kind === 'error' && other.error === 'refused_address', url)
  }
})

test('refuses a name with a refused address among its addresses', async () => {
  await using receiver = await ok()
  await using loopback = createLoopbackSender({
    resolve: async () => [
      { address: '127.0.0.1', family: 4 },
      { address: '10.0.0.1', family: 4 },
    ],
  })
  const exchange = await loopback.post({ url: `http://mixed.example:${receiver.port}/` })
  assert.ok(exchange.kind === 'error' && exchange.error === 'refused_address')
  assert.equal(receiver.connectionsAccepted, 0)
})

test('connects to the checked address: the name is asked once for each connection', async () => {
  await using receiver = await ok()
  let asked = 0
  await using loopback = createLoopbackSender({
    // A rebinding name: good when it is checked, somewhere else whenever it is asked again.
    resolve: async () => [{ address: ++asked === 1 ? '127.0.0.1' : '10.0.0.1', family: 4 }],
  })
  const url = `http://rebinding.example:${receiver.port}/hook`
  for (const _ of [1, 2, 3]) {
    const exchange = await loopback.post({ url })
    assert.ok(exchange.kind === 'response')
  }
  assert.equal(asked, 1)
  assert.equal(receiver.connectionsAccepted, 1)
  assert.equal(receiver.requests[0]?.headers.host, `rebinding.example:${receiver.port}`)
})

test('a name without address is dns, a closed port is connect', async () => {
  const receiver = await ok()
  await receiver.close()
  await using loopback = createLoopbackSender({
    resolve: async (name) => {
      if (name === 'gone.example') throw new Error('no such name')
      return [{ address: '127.0.0.1', family: 4 }]
    },
  })
  const unresolved = await loopback.post({ url: 'http://gone.example/' })
  assert.ok(unresolved.kind === 'error' && unresolved.error === 'dns')
  const unreachable = await loopback.post({ url: receiver.url })
  assert.ok(unreachable.kind === 'error' && unreachable.error === 'connect')
  assert.match(unreachable.detail, /ECONNREFUSED/)
  assert.deepEqual(loopback.sender.stats(), {
    inFlight: 0,
    connectionsOpen: 0,
    connectionsIdle: 0,
    deadlines: 0,
  })
})

test('tries the next address when one refuses', async () => {
  await using receiver = await ok()
  await using loopback = createLoopbackSender({
    allowedNetworks: ['127.0.0.0/8', '::1/128'],
    // Nobody listens on the first two for this port.
    resolve: async () => [
      { address: '::1', family: 6 },
      { address: '::ffff:127.0.0.3', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ],
  })
  const exchange = await loopback.post({ url: `http://dual.example:${receiver.port}/` })
  assert.equal(exchange.kind, 'response')
})

test('one deadline covers a resolver that never answers', async () => {
  await using loopback = createLoopbackSender({ resolve: () => new Promise(() => {}) })
  const exchange = await loopback.post({ url: 'http://slow.example/', timeoutMs: 60 })
  assert.ok(exchange.kind === 'error' && exchange.error === 'timeout')
  assert.equal(exchange.requestHeaders, null)
  assert.ok(exchange.durationMs >= 60)
})

test('signs once for each request, with the connection in hand', async () => {
  await using receiver = await ok()
  await using loopback = createLoopbackSender()
  const log: string[] = []
  for (const name of ['first', 'second']) {
    await loopback.post({
      url: receiver.url,
      sign() {
        log.push(`${name}: ${loopback.sender.stats().connectionsOpen} open`)
        return {}
      },
    })
  }
  assert.deepEqual(log, ['first: 1 open', 'second: 1 open'])
})

test('signs again when more than 250 ms pass before the bytes are handed over', async () => {
  await using receiver = await ok()
  let aheadMs = 0
  await using loopback = createLoopbackSender({ monotonicNow: () => performance.now() + aheadMs })
  for (const connection of ['fresh', 'reused']) {
    let signings = 0
    const exchange = await loopback.post({
      url: receiver.url,
      timeoutMs: 60_000,
      sign() {
        // As if the process were suspended right after the first two signings.
        if (++signings <= 2) aheadMs += 251
        return { 'x-signing': String(signings) }
      },
    })
    assert.equal(signings, 3, connection)
    assert.equal(exchange.requestHeaders?.['x-signing'], '3')
  }
  assert.deepEqual(
    receiver.requests.map(({ headers, connection }) => [headers['x-signing'], connection]),
    [
      ['3', 1],
      ['3', 1],
    ],
    'nothing was sent under an old signature and the connection was kept',
  )
})

test('a sign that throws is reported as a bug and ends in an error', async () => {
  await using receiver = await ok()
  await using loopback = createLoopbackSender()
  for (const bug of [new Error('the key ring is empty: whsec_hidden'), 'not even an error']) {
    const exchange = await loopback.post({
      url: receiver.url,
      sign() {
        throw bug
      },
    })
    assert.ok(exchange.kind === 'error' && exchange.error === 'connect')
    assert.doesNotMatch(exchange.detail, /whsec/)
    assert.equal(exchange.requestHeaders, null)
    assert.equal(loopback.bugs.at(-1), bug)
  }
  assert.equal(receiver.requests.length, 0)
  assert.equal((await loopback.post({ url: receiver.url })).kind, 'response')
})

test('a done that throws is reported and disturbs nothing', async () => {
  await using receiver = await ok()
  await using loopback = createLoopbackSender()
  const bug = new Error('a bug')
  loopback.sender.send({ url: receiver.url, body: '', timeoutMs: 1000, sign: () => ({}) }, () => {
    throw bug
  })
  await until('the bug is reported', () => loopback.bugs.includes(bug))
  assert.equal((await loopback.post({ url: receiver.url })).kind, 'response')
})

test('headers that would inject others are refused before a byte is sent', async () => {
  await using receiver = await ok()
  await using loopback = createLoopbackSender()
  const bad: Record<string, string>[] = [
    { 'x-a': 'b\r\nx-injected: 1' },
    { 'x-a': 'b\nc' },
    { 'x-a': 'nul\0' },
    { 'x-a': 'snow ☃' },
    { 'x-a\r\nx-injected': '1' },
    { 'x a': '1' },
    { '': '1' },
    { Host: 'elsewhere.example' },
    { 'Content-Length': '1' },
    { 'transfer-encoding': 'chunked' },
    { expect: '100-continue' },
    { upgrade: 'websocket' },
  ]
  for (const headers of bad) {
    await loopback.post({ url: receiver.url })
    let signings = 0
    const sign = () => {
      signings++
      return headers
    }
    const exchange = await loopback.post({ url: receiver.url, sign })
    assert.equal(signings, 1)
    assert.ok(exchange.kind === 'error', JSON.stringify(headers))
    assert.equal(exchange.error, 'connect', JSON.stringify(headers))
    assert.doesNotMatch(exchange.detail, /\n|injected: 1/)
  }
  assert.equal(receiver.requests.length, bad.length, 'only the good ones in between')
  assert.equal(loopback.sender.stats().inFlight, 0)
})

test('a thousand requests at once end once each', async () => {
  await using receiver = await ok()
  await using loopback = createLoopbackSender()
  const exchanges = await Promise.all(
    Array.from({ length: 1_000 }, (_, index) =>
      loopback.post({ url: receiver.url, body: String(index), timeoutMs: 60_000 }),
    ),
  )
  assert.ok(exchanges.every((exchange) => exchange.kind === 'response'))
  const bodies = new Set(receiver.requests.map(({ body }) => body))
  assert.equal(receiver.requests.length, 1_000)
  assert.equal(bodies.size, 1_000)
  const { inFlight, connectionsIdle, deadlines } = loopback.sender.stats()
  assert.deepEqual([inFlight, deadlines], [0, 0])
  assert.ok(connectionsIdle <= 256)
})

test('closing ends what is in flight, refuses what comes later and leaves no connection', async () => {
  await using receiver = await neverAnswers()
  const loopback = createLoopbackSender()
  const waiting = [loopback.post({ url: receiver.url }), loopback.post({ url: receiver.url })]
  await until('both requests arrived', () => receiver.requests.length === 2)
  const dialling = loopback.post({ url: receiver.url })
  await Promise.all([loopback.sender.close(), loopback.sender.close()])
  for (const exchange of await Promise.all([...waiting, dialling])) {
    assert.ok(exchange.kind === 'error' && exchange.error === 'reset')
  }
  const late = await loopback.post({ url: receiver.url })
  assert.ok(late.kind === 'error' && late.error === 'reset')
  assert.deepEqual(loopback.sender.stats(), {
    inFlight: 0,
    connectionsOpen: 0,
    connectionsIdle: 0,
    deadlines: 0,
  })
  await until('the receiver lost its connections', () => receiver.connectionsOpen === 0)
})
