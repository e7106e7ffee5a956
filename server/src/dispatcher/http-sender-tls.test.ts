import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import {
  neverAnswers,
  ok,
  type Receiver,
  startReceiver,
} from '../../test/support/hostile-receivers.ts'
import { createLoopbackSender } from '../../test/support/loopback-sender.ts'
import { makeCertificate, type TestCertificate } from '../../test/support/test-certificate.ts'
import type { Exchange } from './http-sender.ts'

const certificate: TestCertificate | null = makeCertificate([
  'DNS:receiver.test',
  'DNS:*.wild.test',
  'IP:127.0.0.1',
])
const skip = certificate === null && 'no openssl program to make a certificate with'

let receiver: Receiver
before(async () => {
  if (certificate !== null) receiver = await ok({ tls: certificate })
})
after(() => receiver?.close())

const trusting = () => createLoopbackSender({ ca: [certificate!.cert] })
const at = (host: string): string => `https://${host}:${receiver.port}/hook`

function assertTlsFailure(exchange: Exchange, reason: RegExp): void {
  assert.ok(exchange.kind === 'error')
  assert.equal(exchange.error, 'tls')
  assert.match(exchange.detail, reason)
  assert.equal(exchange.requestHeaders, null, 'nothing was signed')
}

test('verifies the certificate for the name of the URL, not for the address', {
  skip,
}, async () => {
  await using loopback = trusting()
  for (const host of ['receiver.test', 'RECEIVER.test', 'receiver.test.', 'a.wild.test']) {
    assert.equal((await loopback.post({ url: at(host) })).kind, 'response', host)
  }
  for (const host of ['other.test', 'a.b.wild.test']) {
    assertTlsFailure(await loopback.post({ url: at(host) }), /ERR_TLS_CERT_ALTNAME_INVALID/)
  }
})

test('verifies a literal address against the addresses of the certificate', { skip }, async () => {
  await using loopback = createLoopbackSender({
    ca: [certificate!.cert],
    allowedNetworks: ['127.0.0.0/8', '::1/128'],
  })
  assert.equal((await loopback.post({ url: at('127.0.0.1') })).kind, 'response')
  assert.equal((await loopback.post({ url: at('2130706433') })).kind, 'response')
  const mapped = await loopback.post({ url: at('[::ffff:127.0.0.1]') })
  assertTlsFailure(mapped, /ERR_TLS_CERT_ALTNAME_INVALID/)
})

test('a certificate that nobody vouches for is refused, whatever the environment says', {
  skip,
}, async (t: TestContext) => {
  await using loopback = createLoopbackSender()
  assertTlsFailure(await loopback.post({ url: at('receiver.test') }), /SELF_SIGNED/)
  t.mock.method(process, 'emitWarning', () => {})
  const name = 'NODE_TLS_REJECT_UNAUTHORIZED'
  const kept = process.env[name]
  process.env[name] = '0'
  t.after(() => {
    if (kept === undefined) delete process.env[name]
    else process.env[name] = kept
  })
  assertTlsFailure(await loopback.post({ url: at('receiver.test') }), /SELF_SIGNED/)
})

test('asks for HTTP/1.1 and for the name without its final dot, never for an address', {
  skip,
}, async () => {
  const asked: unknown[] = []
  await using curious = await startReceiver({
    tls: { ...certificate!, ALPNProtocols: ['h2', 'http/1.1'] },
    onRequest(socket) {
      const { servername, alpnProtocol } = socket as TLSSocket
      asked.push([servername, alpnProtocol])
      socket.write('HTTP/1.1 204 None\r\n\r\n')
    },
  })
  await using loopback = trusting()
  for (const host of ['receiver.test.', '127.0.0.1']) {
    await loopback.post({ url: `https://${host}:${curious.port}/` })
  }
  assert.deepEqual(asked, [
    ['receiver.test', 'http/1.1'],
    [false, 'http/1.1'],
  ])
  assert.equal(curious.requests[0]?.headers.host, `receiver.test.:${curious.port}`)
})

test('reuses a TLS connection', { skip }, async () => {
  await using own = await ok({ tls: certificate! })
  await using loopback = trusting()
  for (const _ of [1, 2, 3]) await loopback.post({ url: `https://receiver.test:${own.port}/` })
  assert.equal(own.connectionsAccepted, 1)
  assert.equal(own.requests.length, 3)
})

test('a receiver that does not speak TLS, or hangs up in the handshake, is a tls error', async () => {
  await using plain = await startReceiver({
    onConnection: (socket) => socket.once('data', () => socket.write('HTTP/1.1 400 No\r\n\r\n')),
    onRequest() {},
  })
  await using hangsUp = await startReceiver({
    onConnection: (socket) => socket.once('data', () => socket.end()),
    onRequest() {},
  })
  await using resets = await startReceiver({
    onConnection: (socket) => socket.once('data', () => socket.resetAndDestroy()),
    onRequest() {},
  })
  await using loopback = createLoopbackSender()
  for (const { port } of [plain, hangsUp, resets]) {
    assertTlsFailure(await loopback.post({ url: `https://receiver.test:${port}/` }), /TLS/)
  }
  assert.deepEqual(loopback.sender.stats(), {
    inFlight: 0,
    connectionsOpen: 0,
    connectionsIdle: 0,
    deadlines: 0,
  })
})

test('a handshake that does not end is a timeout', async () => {
  await using silent = await neverAnswers()
  await using loopback = createLoopbackSender()
  const exchange = await loopback.post({
    url: `https://receiver.test:${silent.port}/`,
    timeoutMs: 100,
  })
  assert.ok(exchange.kind === 'error' && exchange.error === 'timeout')
  assert.match(exchange.detail, /connection was not established/)
})
