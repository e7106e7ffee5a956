import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import {
  answersWith,
  closesKeepAliveAtWorstMoment,
  neverAnswers,
  ok,
  resets,
  startReceiver,
} from '../../test/support/hostile-receivers.ts'
import { createLoopbackSender, until } from '../../test/support/loopback-sender.ts'

test('requests one after another share a connection', async () => {
  await using receiver = await ok({ statusCode: 204 })
  await using loopback = createLoopbackSender()
  for (let count = 0; count < 20; count++) await loopback.post({ url: receiver.url })
  assert.equal(receiver.connectionsAccepted, 1)
  assert.deepEqual(loopback.sender.stats(), {
    inFlight: 0,
    connectionsOpen: 1,
    connectionsIdle: 1,
    deadlines: 0,
  })
})

test('a request sent from within done finds the connection free', async () => {
  await using receiver = await ok()
  await using loopback = createLoopbackSender()
  const { sender } = loopback
  const last = Promise.withResolvers<void>()
  const request = { url: receiver.url, body: '', timeoutMs: 10_000, sign: () => ({}) }
  let left = 50
  const next = (): void => (left-- === 0 ? last.resolve() : sender.send(request, next))
  next()
  await last.promise
  assert.equal(receiver.requests.length, 50)
  assert.equal(receiver.connectionsAccepted, 1)
})

test('a request sent from within done waits for no connection that is about to close', async () => {
  await using receiver = await answersWith('HTTP/1.1 204 None\r\nconnection: close\r\n\r\n')
  await using loopback = createLoopbackSender()
  const { sender } = loopback
  const last = Promise.withResolvers<void>()
  let signings = 0
  const sign = () => ({ 'x-signing': String(++signings) })
  const request = { url: receiver.url, body: '', timeoutMs: 10_000, sign }
  let left = 20
  const next = (): void => (left-- === 0 ? last.resolve() : sender.send(request, next))
  next()
  await last.promise
  assert.equal(signings, 20)
})

test('requests at once get a connection each, kept up to the bounds', async () => {
  await using receiver = await ok()
  await using other = await ok()
  await using loopback = createLoopbackSender({
    limits: { idleConnectionsPerOriginMax: 4, idleConnectionsMax: 6 },
  })
  const burst = (url: string) =>
    Promise.all(Array.from({ length: 10 }, () => loopback.post({ url })))
  await burst(receiver.url)
  assert.equal(receiver.connectionsAccepted, 10)
  assert.equal(loopback.sender.stats().connectionsIdle, 4)
  await burst(other.url)
  assert.equal(loopback.sender.stats().connectionsIdle, 6)
  await until('the rest is closed', () => loopback.sender.stats().connectionsOpen === 6)
})

test('the connection used last is used first', async () => {
  await using receiver = await ok()
  await using loopback = createLoopbackSender()
  await Promise.all([loopback.post({ url: receiver.url }), loopback.post({ url: receiver.url })])
  for (let count = 0; count < 5; count++) await loopback.post({ url: receiver.url })
  const used = receiver.requests.slice(2).map(({ connection }) => connection)
  assert.equal(new Set(used).size, 1)
})

test('origins do not share connections', async () => {
  await using receiver = await ok()
  await using loopback = createLoopbackSender()
  for (const host of ['a.example', 'b.example', 'A.example', 'a.example.']) {
    await loopback.post({ url: `http://${host}:${receiver.port}/` })
  }
  assert.equal(receiver.connectionsAccepted, 3)
})

test('a connection lost before the response began is replaced once, signed anew', async () => {
  for (const how of ['close', 'reset'] as const) {
    await using receiver = await closesKeepAliveAtWorstMoment({ how })
    await using loopback = createLoopbackSender()
    await loopback.post({ url: receiver.url })
    let signings = 0
    const exchange = await loopback.post({
      url: receiver.url,
      sign: () => ({ 'x-signing': String(++signings) }),
    })
    assert.ok(exchange.kind === 'response', how)
    assert.equal(exchange.requestHeaders['x-signing'], '2')
    assert.deepEqual(
      receiver.requests.map(({ connection, headers }) => [connection, headers['x-signing']]),
      [
        [1, undefined],
        [1, '1'],
        [2, '2'],
      ],
      how,
    )
  }
})

test('a connection that dies between signing and writing is replaced before a byte is sent', async () => {
  const accepted: Socket[] = []
  await using receiver = await startReceiver({
    onConnection: (socket) => accepted.push(socket),
    onRequest: (socket) => socket.write('HTTP/1.1 204 None\r\n\r\n'),
  })
  await using loopback = createLoopbackSender()
  for (const end of ['resetAndDestroy', 'destroy'] as const) {
    await loopback.post({ url: receiver.url })
    const sent = receiver.requests.length
    let signings = 0
    // From a turn of its own, so that the end of the connection is noticed before the write.
    await turn()
    const exchange = await loopback.post({
      url: receiver.url,
      sign() {
        if (++signings === 1) accepted.at(-1)?.[end]()
        return {}
      },
    })
    assert.equal(exchange.kind, 'response', end)
    assert.equal(signings, 2)
    assert.equal(receiver.requests.length, sent + 1)
  }
})

test('a receiver that closes behind each response is never reported', async () => {
  await using receiver = await closesKeepAliveAtWorstMoment({ how: 'after_response' })
  await using loopback = createLoopbackSender()
  for (let count = 0; count < 100; count++) {
    const exchange = await loopback.post({ url: receiver.url })
    assert.equal(exchange.kind, 'response', `request ${count}`)
  }
})

test('a hundred requests on connections that all die at once are all replaced', async () => {
  await using receiver = await closesKeepAliveAtWorstMoment({ how: 'reset' })
  await using loopback = createLoopbackSender()
  const burst = () =>
    Promise.all(
      Array.from({ length: 100 }, () => loopback.post({ url: receiver.url, timeoutMs: 60_000 })),
    )
  await burst()
  const exchanges = await burst()
  assert.ok(exchanges.every(({ kind }) => kind === 'response'))
  assert.equal(receiver.connectionsAccepted, 200)
})

test('the replacement is not replaced: a receiver that always resets is a reset', async () => {
  let mayAnswer = true
  await using receiver = await startReceiver({
    onRequest(socket) {
      if (mayAnswer) socket.write('HTTP/1.1 204 None\r\n\r\n')
      else socket.resetAndDestroy()
      mayAnswer = false
    },
  })
  await using loopback = createLoopbackSender()
  await loopback.post({ url: receiver.url })
  const exchange = await loopback.post({ url: receiver.url })
  assert.ok(exchange.kind === 'error' && exchange.error === 'reset')
  assert.equal(receiver.requests.length, 3)
})

test('a response that began is not asked for again', async () => {
  let answered = 0
  await using receiver = await startReceiver({
    onRequest(socket) {
      if (++answered === 1) socket.write('HTTP/1.1 204 None\r\n\r\n')
      else socket.end('HTTP/1.1 200 OK\r\ncontent-le')
    },
  })
  await using loopback = createLoopbackSender()
  await loopback.post({ url: receiver.url })
  const exchange = await loopback.post({ url: receiver.url })
  assert.ok(exchange.kind === 'error' && exchange.error === 'reset')
  assert.equal(receiver.requests.length, 2)
})

test('garbage on a reused connection is not asked for again', async () => {
  let answered = 0
  await using receiver = await startReceiver({
    onRequest: (socket) =>
      socket.write(++answered === 1 ? 'HTTP/1.1 204 None\r\n\r\n' : '\u0016\u0003\u0001garbage'),
  })
  await using loopback = createLoopbackSender()
  await loopback.post({ url: receiver.url })
  const exchange = await loopback.post({ url: receiver.url })
  assert.ok(exchange.kind === 'error' && exchange.error === 'reset')
  assert.equal(receiver.requests.length, 2)
})

test('the replacement has only what is left of the deadline', async () => {
  let answered = 0
  await using receiver = await startReceiver({
    onRequest(socket) {
      answered++
      if (answered === 1) socket.write('HTTP/1.1 204 None\r\n\r\n')
      else if (answered === 2) setTimeout(() => socket.destroy(), 150)
    },
  })
  await using loopback = createLoopbackSender()
  await loopback.post({ url: receiver.url })
  const exchange = await loopback.post({ url: receiver.url, timeoutMs: 300 })
  assert.ok(exchange.kind === 'error' && exchange.error === 'timeout')
  assert.equal(receiver.requests.length, 3)
  assert.ok(exchange.durationMs >= 300 && exchange.durationMs < 2_000)
})

test('a fresh connection that is reset is not replaced', async () => {
  await using receiver = await resets()
  await using loopback = createLoopbackSender()
  const exchange = await loopback.post({ url: receiver.url })
  assert.ok(exchange.kind === 'error' && exchange.error === 'reset')
  assert.equal(receiver.requests.length, 1)
})

test('does not reuse a connection that the receiver closes, or hints to close at once', async () => {
  for (const header of ['connection: close', 'keep-alive: timeout=1', 'Connection: Close']) {
    await using receiver = await answersWith(`HTTP/1.1 204 None\r\n${header}\r\n\r\n`)
    await using loopback = createLoopbackSender()
    for (const _ of [1, 2])
      assert.equal((await loopback.post({ url: receiver.url })).kind, 'response')
    assert.equal(receiver.connectionsAccepted, 2, header)
    assert.equal(loopback.sender.stats().connectionsIdle, 0)
  }
})

test('what a receiver says too late, or too much, fails no later request', async () => {
  const answers: [what: string, head: string, behind: string][] = [
    ['a body of a 204', 'HTTP/1.1 204 None\r\ncontent-length: 2\r\n\r\n', 'ok'],
    ['chunks of a 304', 'HTTP/1.1 304 N\r\ntransfer-encoding: chunked\r\n\r\n', '0\r\n\r\n'],
    ['a line end', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok', '\r\n'],
  ]
  for (const [what, head, behind] of answers) {
    await using receiver = await startReceiver({
      onRequest(socket) {
        socket.write(head)
        setTimeout(() => socket.write(behind), 1)
      },
    })
    await using loopback = createLoopbackSender()
    for (let count = 0; count < 20; count++) {
      const exchange = await loopback.post({ url: receiver.url })
      assert.equal(exchange.kind, 'response', `${what}, request ${count}`)
      // So that it comes now with the connection idle, now with a request on it.
      if (count % 2 === 0) await turn()
    }
  }
})

test('closes idle connections after their time, or sooner where the receiver hints', async () => {
  await using plain = await ok()
  await using hinting = await answersWith('HTTP/1.1 204 None\r\nkeep-alive: timeout=2\r\n\r\n')
  await using generous = await answersWith('HTTP/1.1 204 None\r\nkeep-alive: timeout=90\r\n\r\n')
  await using loopback = createLoopbackSender({
    limits: { connectionIdleMs: 400, keepAliveHintMarginMs: 1_900 },
  })
  const startedAt = performance.now()
  await loopback.post({ url: plain.url })
  await loopback.post({ url: hinting.url })
  await loopback.post({ url: generous.url })
  assert.equal(loopback.sender.stats().connectionsIdle, 3)
  await until('the hinted one is closed', () => hinting.connectionsOpen === 0)
  assert.equal(plain.connectionsOpen, 1)
  await until('all are closed', () => loopback.sender.stats().connectionsOpen === 0)
  assert.equal(loopback.sender.stats().connectionsIdle, 0)
  assert.ok(performance.now() - startedAt < 3_500, 'not only after the default of four seconds')
})

test('idle connections that die make room for others', async () => {
  const accepted: Socket[] = []
  await using receiver = await startReceiver({
    onConnection: (socket) => accepted.push(socket),
    onRequest: (socket) => socket.write('HTTP/1.1 204 None\r\n\r\n'),
  })
  await using loopback = createLoopbackSender({ limits: { idleConnectionsPerOriginMax: 3 } })
  const idle = () => loopback.sender.stats().connectionsIdle
  const burst = () => Promise.all([1, 2, 3].map(() => loopback.post({ url: receiver.url })))
  await burst()
  for (const socket of accepted.slice(0, 2)) socket.destroy()
  await until('one is left', () => idle() === 1)
  await burst()
  assert.equal(idle(), 3)
})

test('a connection is not used beyond its age, so that a name which moves is followed', async () => {
  await using receiver = await ok()
  let aheadMs = 0
  let asked = 0
  await using loopback = createLoopbackSender({
    monotonicNow: () => performance.now() + aheadMs,
    limits: { connectionIdleMs: 10 * 60_000 },
    resolve: async () => {
      asked++
      return [{ address: '127.0.0.1', family: 4 }]
    },
  })
  const url = `http://moving.example:${receiver.port}/`
  await loopback.post({ url })
  aheadMs = 4 * 60_000
  await loopback.post({ url })
  assert.equal(receiver.connectionsAccepted, 1)
  aheadMs = 6 * 60_000
  await loopback.post({ url })
  assert.equal(receiver.connectionsAccepted, 2)
  assert.equal(asked, 2)
})

test('the deadline ends a request on a reused connection, and the connection with it', async () => {
  let answered = 0
  await using receiver = await startReceiver({
    onRequest: (socket) => ++answered === 1 && socket.write('HTTP/1.1 204 None\r\n\r\n'),
  })
  await using silent = await neverAnswers()
  await using loopback = createLoopbackSender()
  await loopback.post({ url: receiver.url })
  const [late, other] = await Promise.all([
    loopback.post({ url: receiver.url, timeoutMs: 100 }),
    loopback.post({ url: silent.url, timeoutMs: 100 }),
  ])
  for (const exchange of [late, other]) {
    assert.ok(exchange.kind === 'error' && exchange.error === 'timeout')
  }
  assert.equal(receiver.requests.length, 2, 'a timeout is not sent again')
  await until('both are closed', () => loopback.sender.stats().connectionsOpen === 0)
})
