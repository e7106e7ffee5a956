import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { DeliveryWithAttempts } from '@countersign/sdk'
import { type Receiver, startReceiver } from './support/hostile-receivers.ts'
import { startTestApp, type TestApp } from './support/start-test-app.ts'
import { until } from './support/until.ts'

const keptMax = 16 * 1024
const head = (length: number, more = '') =>
  `HTTP/1.1 500 No\r\n${more}content-length: ${length}\r\n\r\n`

/** Whatever bytes a receiver answers: what is stored of them is bounded, valid text, and inert. */
describe('a captured response', () => {
  let server: TestApp
  let receiver: Receiver
  let project: string
  let answer: Buffer
  let thenCloses: boolean
  const token = `token-${randomBytes(30).toString('hex')}`

  before(async () => {
    server = await startTestApp({ environment: { COUNTERSIGN_RETRY_SCHEDULE: '1h' } })
    receiver = await startReceiver({
      onRequest: (socket) => (thenCloses ? socket.end(answer) : socket.write(answer)),
    })
    project = (await server.client.projects.create({ name: 'capture' })).id
    await server.client.endpoints.create(project, {
      url: receiver.url,
      headers: { authorization: `Bearer ${token}` },
    })
  })
  after(async () => {
    await receiver.close()
    await server.dispose()
  })

  /** Has one delivery answered by these bytes; gives its first attempt, and the API's own answer. */
  const capture = async (bytes: Buffer, options: { thenCloses?: boolean } = {}) => {
    answer = bytes
    thenCloses = options.thenCloses ?? false
    const event = await server.client.events.publish(project, { type: 'a.b', data: {} })
    let id = ''
    await until('the attempt is recorded', async () => {
      const { data } = await server.client.deliveries.list(project, { event: event.id }).page()
      id = data[0]?.id ?? ''
      return data[0]?.attemptCount === 1
    })
    const shown = await fetch(`${server.app.url}/v1/projects/${project}/deliveries/${id}`, {
      headers: { authorization: `Bearer ${server.rootKey}` },
    })
    const text = await shown.text()
    const delivery: DeliveryWithAttempts = await server.client.deliveries.get(project, id)
    const [attempt] = delivery.attempts
    assert.ok(attempt)
    assert.equal(shown.headers.get('content-type'), 'application/json; charset=utf-8')
    assert.equal(shown.headers.get('x-content-type-options'), 'nosniff')
    assert.ok(text.length < 8 * keptMax, 'bounded')
    const { response } = attempt
    if (response !== null) {
      assert.ok(Buffer.byteLength(response.body) <= keptMax)
      assert.ok(response.body.isWellFormed())
    }
    return { attempt, response, text }
  }
  const captureBody = async (body: Buffer, isWhole = false) => {
    const { attempt, response, text } = await capture(
      Buffer.concat([Buffer.from(head(body.length)), body]),
    )
    assert.equal(attempt.error, 'http_status')
    assert.ok(response)
    assert.equal(response.bodyTruncated, !isWhole)
    return { body: response.body, text }
  }

  test('of almost a megabyte is its first 16 KiB', async () => {
    const body = Buffer.alloc(1024 * 1024 - 1024, 'abcdefg\n')
    assert.equal((await captureBody(body)).body, body.subarray(0, keptMax).toString())
  })

  test('of a megabyte and more is its first 16 KiB, and an error', async () => {
    const body = Buffer.alloc(1024 * 1024, 'x')
    const { attempt, response } = await capture(
      Buffer.concat([Buffer.from(head(body.length)), body]),
    )
    assert.equal(attempt.error, 'response_too_large')
    assert.equal(response?.body, 'x'.repeat(keptMax))
    assert.equal(response?.bodyTruncated, true)
  })

  test('without an end is its first 16 KiB, and an error', async () => {
    const chunk = `4000\r\n${'y'.repeat(0x4000)}\r\n`
    const bytes = `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunk.repeat(80)}`
    const { attempt, response } = await capture(Buffer.from(bytes))
    assert.equal(attempt.error, 'response_too_large')
    assert.equal(response?.body, 'y'.repeat(keptMax))
  })

  test('of every byte there is becomes text of the same meaning, NUL included', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, n) => n))
    assert.equal((await captureBody(bytes, true)).body, bytes.toString('utf8'))
  })

  test('of random bytes is bounded as text too', async () => {
    for (const length of [100, keptMax, 100_000]) {
      await captureBody(
        Buffer.concat([Buffer.alloc(length, 0xfe), randomBytes(20)]),
        length === 100,
      )
    }
  })

  test('is cut between characters, not inside of one', async () => {
    const body = `${'x'.repeat(keptMax - 2)}${'😀'.repeat(9)}`
    assert.equal((await captureBody(Buffer.from(body))).body, 'x'.repeat(keptMax - 2))
  })

  test('of markup is JSON text that no browser takes for markup', async () => {
    const body = '<!doctype html><script>alert("1")</script></script>\u2028'
    const { body: kept, text } = await captureBody(Buffer.from(body), true)
    assert.equal(kept, body)
    assert.ok(text.includes(JSON.stringify(body).slice(1, -1)))
  })

  test('with headers that are names of other things, twice, and of no ASCII, is recorded', async () => {
    const lines = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'status', 'x-twice']
      .flatMap((name) => [`${name}: one`, `${name}: two`])
      .join('\r\n')
    const bytes = Buffer.from(`${head(2, `${lines}\r\nx-latin: \xe9\xff\r\n`)}no`, 'latin1')
    const { response } = await capture(bytes)
    assert.equal(response?.headers['x-twice'], 'one, two')
    assert.equal(response?.headers.constructor, 'one, two')
    assert.equal(response?.headers['x-latin'], 'éÿ')
    assert.equal(response?.body, 'no')
  })

  test('with very many headers is recorded with the first of them', async () => {
    const many = Array.from({ length: 1_500 }, (_, n) => `a${n}: ${n % 10}\r\n`).join('')
    const { response, text } = await capture(Buffer.from(`${head(2, many)}no`))
    assert.equal(Object.keys(response?.headers ?? {}).length, 128)
    assert.ok(text.length < keptMax)
  })

  test('with too much of a head is an error without a response', async () => {
    const big = `x-big: ${'b'.repeat(100_000)}\r\n`
    const { attempt, response } = await capture(Buffer.from(`${head(2, big)}no`))
    assert.equal(attempt.error, 'response_too_large')
    assert.equal(response, null)
  })

  test('holds nothing of a custom header value that the cut, or the end, falls into', async () => {
    for (const left of [4, 20, token.length - 1]) {
      const { body } = await captureBody(
        Buffer.from(`${'.'.repeat(keptMax - left)}${token} and more`),
      )
      assert.match(body, /^\.+\*\*\*$/)
    }
    const { attempt, response } = await capture(
      Buffer.from(`${head(1_000)}you sent ${token.slice(0, 20)}`),
      { thenCloses: true },
    )
    assert.equal(attempt.error, 'reset')
    assert.equal(response?.body, 'you sent ***')
  })

  test('leaves no trace of that value in the store', async () => {
    await server.app.stop(5_000)
    for (const name of readdirSync(server.dataDir)) {
      const bytes = readFileSync(join(server.dataDir, name))
      assert.ok(!bytes.includes(token.slice(0, 12)), name)
    }
  })
})
