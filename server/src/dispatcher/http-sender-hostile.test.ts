import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  answersBeforeBody,
  answersWith,
  drips,
  endlessBody,
  endlessHeaders,
  liesAboutContentLength,
  neverAnswers,
  ok,
  type Receiver,
  resets,
} from '../../test/support/hostile-receivers.ts'
import {
  createLoopbackSender,
  type LoopbackSender,
  until,
} from '../../test/support/loopback-sender.ts'
import type { Exchange, SendError } from './http-sender.ts'

/** Sends to a receiver and checks that the one slot it took is free again, with nothing left over. */
async function outcomeOf(
  started: Promise<Receiver>,
  { timeoutMs = 10_000, body = '{}' } = {},
): Promise<Exchange> {
  await using receiver = await started
  await using loopback = createLoopbackSender()
  const exchange = await loopback.post({ url: receiver.url, timeoutMs, body })
  await assertAtRest(loopback)
  await until('the receiver lost its connections', () => receiver.connectionsOpen === 0)
  assert.equal(receiver.connectionsAccepted, 1, 'not sent again')
  return exchange
}

async function assertAtRest({ sender }: LoopbackSender): Promise<void> {
  const { inFlight, deadlines, connectionsIdle } = sender.stats()
  assert.deepEqual({ inFlight, deadlines, connectionsIdle }, noneLeft)
  await until('the connection is closed', () => sender.stats().connectionsOpen === 0)
}

const noneLeft = { inFlight: 0, deadlines: 0, connectionsIdle: 0 }

function assertError(exchange: Exchange, error: SendError): void {
  assert.ok(exchange.kind === 'error', `${JSON.stringify(exchange)} is not ${error}`)
  assert.equal(exchange.error, error)
  assert.notEqual(exchange.requestHeaders, null)
  assert.ok(exchange.detail.length > 0 && exchange.detail.length <= 300)
}

test('a receiver that never answers costs its deadline', async () => {
  const exchange = await outcomeOf(neverAnswers(), { timeoutMs: 150 })
  assertError(exchange, 'timeout')
  assert.ok(exchange.durationMs >= 150 && exchange.durationMs < 2_000)
  assert.ok(exchange.kind === 'error' && exchange.response === null)
  assert.match(exchange.detail, /150 ms: the request was sent, no response came/)
})

test('a dripping head and a dripping body cost their deadline, however lively they look', async () => {
  const head = await outcomeOf(drips({ part: 'head', everyMs: 5 }), { timeoutMs: 200 })
  assertError(head, 'timeout')
  assert.ok(head.kind === 'error' && head.response === null)
  // Long enough for a machine that stands still for a while to receive a head and a drop.
  const body = await outcomeOf(drips({ part: 'body', everyMs: 5 }), { timeoutMs: 1_000 })
  assertError(body, 'timeout')
  assert.ok(body.kind === 'error' && body.response !== null)
  assert.equal(body.response.statusCode, 200)
  assert.match(Buffer.from(body.response.body).toString(), /^\.+$/)
})

test('a reset is a reset, and keeps what had arrived', async () => {
  for (const when of ['on_connect', 'after_request'] as const) {
    const exchange = await outcomeOf(resets({ when }))
    // A reset right behind the handshake may be seen before the connection is.
    if (exchange.kind === 'error' && exchange.error === 'connect') continue
    assertError(exchange, 'reset')
    assert.ok(exchange.kind === 'error' && exchange.response === null)
  }
  const exchange = await outcomeOf(resets({ when: 'in_body' }))
  assertError(exchange, 'reset')
  assert.ok(exchange.kind === 'error' && exchange.response !== null)
  assert.equal(Buffer.from(exchange.response.body).toString(), 'half')
})

test('an endless body is dropped after 1 MiB, with its beginning kept', async () => {
  for (const chunked of [false, true]) {
    const exchange = await outcomeOf(endlessBody({ chunked }))
    assertError(exchange, 'response_too_large')
    assert.ok(exchange.kind === 'error' && exchange.response !== null)
    assert.equal(exchange.response.body.length, 16 * 1024)
    assert.equal(exchange.response.bodyTruncated, true)
  }
})

test('a body of just under 1 MiB is read to its end', async () => {
  await using receiver = await ok({ body: 'x'.repeat(1024 * 1024 - 1024) })
  await using loopback = createLoopbackSender()
  for (const _ of [1, 2, 3]) {
    const exchange = await loopback.post({ url: receiver.url })
    assert.equal(exchange.kind, 'response', 'each response has the whole allowance')
  }
  assert.equal(receiver.connectionsAccepted, 1)
})

test('endless headers, and all else that never comes to a body, is dropped', async () => {
  for (const kind of ['headers', 'status_line', 'interim', 'chunk_extension'] as const) {
    const exchange = await outcomeOf(endlessHeaders({ kind }))
    assert.ok(exchange.kind === 'error', kind)
    assertError(exchange, 'response_too_large')
  }
})

test('the head of a response is bounded on its own', async () => {
  await using receiver = await ok({ headers: { 'x-long': 'x'.repeat(2_000) } })
  await using strict = createLoopbackSender({ limits: { responseHeadBytesMax: 1_000 } })
  assertError(await strict.post({ url: receiver.url }), 'response_too_large')
  await using loopback = createLoopbackSender()
  assert.equal((await loopback.post({ url: receiver.url })).kind, 'response')
})

test('the beginning of many endless bodies takes bounded memory', async () => {
  await using receiver = await endlessBody()
  await using loopback = createLoopbackSender()
  const before = process.memoryUsage().arrayBuffers
  const exchanges = await Promise.all(
    Array.from({ length: 100 }, () => loopback.post({ url: receiver.url, timeoutMs: 60_000 })),
  )
  for (const exchange of exchanges) assertError(exchange, 'response_too_large')
  // 100 × 16 KiB kept; 100 × 1 MiB would be the bodies.
  assert.ok(process.memoryUsage().arrayBuffers - before < 60 * 1024 * 1024)
  await assertAtRest(loopback)
})

test('a body shorter than declared is a reset', async () => {
  const exchange = await outcomeOf(liesAboutContentLength({ actual: 'shorter' }))
  assertError(exchange, 'reset')
  assert.ok(exchange.kind === 'error' && exchange.response !== null)
  assert.equal(Buffer.from(exchange.response.body).toString(), 'short')
})

test('what follows a longer body answers no later request', async () => {
  await using receiver = await liesAboutContentLength({ actual: 'longer' })
  await using loopback = createLoopbackSender()
  for (const connection of [1, 2, 3]) {
    const exchange = await loopback.post({ url: receiver.url })
    assert.ok(exchange.kind === 'response', 'the declared part is a whole response')
    assert.equal(exchange.statusCode, 200)
    assert.equal(Buffer.from(exchange.body).toString(), 'ok')
    assert.equal(receiver.connectionsAccepted, connection, 'the connection is not used again')
  }
})

test('a response planted on an idle connection answers no later request', async () => {
  await using receiver = await ok()
  const planted = 'HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n'
  await using planting = await answersWith(`HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n${planted}`)
  await using loopback = createLoopbackSender()
  for (const { url } of [planting, receiver, planting, planting]) {
    const exchange = await loopback.post({ url })
    assert.ok(exchange.kind === 'response')
    assert.equal(exchange.statusCode, 200)
  }
})

test('what is no HTTP is a reset', async () => {
  for (const bytes of [
    'hello\r\n\r\n',
    'SSH-2.0-OpenSSH_9.2\r\n',
    'HTTP/1.1 abc No\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
  ]) {
    assertError(await outcomeOf(answersWith(bytes)), 'reset')
  }
})

test('a body that ends with the connection is whole', async () => {
  const exchange = await outcomeOf(
    answersWith('HTTP/1.0 200 OK\r\n\r\nuntil the end', { thenCloses: true }),
  )
  assert.ok(exchange.kind === 'response')
  assert.equal(Buffer.from(exchange.body).toString(), 'until the end')
})

test('a response before the body was sent is taken, and its connection is not used again', async () => {
  await using receiver = await answersBeforeBody()
  await using loopback = createLoopbackSender()
  const body = 'x'.repeat(8 * 1024 * 1024)
  for (const connection of [1, 2]) {
    const exchange = await loopback.post({ url: receiver.url, body })
    assert.ok(exchange.kind === 'response')
    assert.equal(exchange.statusCode, 413)
    assert.equal(receiver.connectionsAccepted, connection)
    await assertAtRest(loopback)
  }
})

test('hostile receivers do not disturb a good one beside them', async () => {
  const hostile = await Promise.all([
    neverAnswers(),
    drips({ everyMs: 5 }),
    resets(),
    endlessBody(),
    endlessHeaders(),
  ])
  await using good = await ok()
  await using loopback = createLoopbackSender()
  const ends = hostile.flatMap(({ url }) =>
    Array.from({ length: 20 }, () => loopback.post({ url, timeoutMs: 1_000 })),
  )
  for (let count = 0; count < 200; count++) {
    const exchange = await loopback.post({ url: good.url, timeoutMs: 60_000 })
    assert.equal(exchange.kind, 'response')
  }
  for (const exchange of await Promise.all(ends)) assert.equal(exchange.kind, 'error')
  assert.equal(loopback.sender.stats().inFlight, 0)
  await Promise.all(hostile.map((receiver) => receiver.close()))
})
