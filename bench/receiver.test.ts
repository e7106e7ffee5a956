import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, describe, test } from 'node:test'
import { nodePrograms, preparePrograms } from './programs.ts'
import { type Receiver, startReceiver } from './start-receiver.ts'

const compiled = await preparePrograms()
const noCompiler = compiled.implementation === 'node' && 'no gcc, so there is no compiled receiver'

for (const programs of [nodePrograms(), compiled]) {
  const isMissing = programs === compiled && noCompiler
  describe(`receiver (${programs === compiled ? 'c' : 'node'})`, { skip: isMissing }, () => {
    const started = isMissing ? null : startReceiver(programs)
    const receiver = () => started as Promise<Receiver>
    after(async () => (await started)?.[Symbol.asyncDispose]())

    test('counts a repeated id once, and as a request each time', async () => {
      const figures = await figuresAfter(await receiver(), [post('a'), post('b'), post('a')])
      assert.deepEqual(figures, { requests: 3, unique: 2, withoutId: 0, malformed: 0 })
    })

    test('counts a delivery without an id as nothing but that', async () => {
      const figures = await figuresAfter(await receiver(), [post(null), post('a')])
      assert.deepEqual(figures, { requests: 2, unique: 1, withoutId: 1, malformed: 0 })
    })

    test('reads requests that arrive in pieces, and several at once', async () => {
      const text = Array.from({ length: 300 }, (_, index) => post(`evt_${index % 250}`)).join('')
      const pieces = text.match(/.{1,701}/gs) ?? []
      const figures = await figuresAfter(await receiver(), pieces, 300)
      assert.deepEqual(figures, { requests: 300, unique: 250, withoutId: 0, malformed: 0 })
    })

    test('finds headers whatever their case and order', async () => {
      const request = 'POST / HTTP/1.1\r\nWEBHOOK-ID:a \r\nx: y\r\nCONTENT-length:  2\r\n\r\n{}'
      const figures = await figuresAfter(await receiver(), [request, post('a')])
      assert.deepEqual(figures, { requests: 2, unique: 1, withoutId: 0, malformed: 0 })
    })

    test('tells the endpoints of one event apart by their paths', async () => {
      const other = post('a').replace('POST /', 'POST /other')
      const figures = await figuresAfter(await receiver(), [post('a'), other, other])
      assert.deepEqual(figures, { requests: 3, unique: 2, withoutId: 0, malformed: 0 })
    })

    test('fails and keeps silent where it is asked to, and counts neither', async () => {
      const failing = post('a').replace('POST /', 'POST /failing/1')
      const silent = post('a').replace('POST /', 'POST /silent')
      const figures = await figuresAfter(await receiver(), [failing, silent, post('a')], 1)
      assert.deepEqual(figures, { requests: 1, unique: 1, withoutId: 0, malformed: 0 })
      const address = `http://127.0.0.1:${(await receiver()).port}/failing`
      assert.equal((await fetch(address, { method: 'POST', body: '{}' })).status, 503)
    })

    test('drops a connection whose request it cannot read, and says so', async () => {
      const chunked =
        'POST / HTTP/1.1\r\nwebhook-id: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'
      const figures = await figuresAfter(await receiver(), [chunked], 0)
      assert.deepEqual(figures, { requests: 0, unique: 0, withoutId: 0, malformed: 1 })
    })

    test('notes the first and the last arrival of new ids', async () => {
      await figuresAfter(await receiver(), [post('a')])
      const one = await (await receiver()).stats()
      assert.ok(one.firstAtUs > 0 && one.firstAtUs === one.lastAtUs)
      await send(await receiver(), [post('b')], 1)
      const two = await (await receiver()).stats()
      assert.ok(two.firstAtUs === one.firstAtUs && two.lastAtUs > two.firstAtUs)
      await send(await receiver(), [post('a')], 1)
      assert.equal((await (await receiver()).stats()).lastAtUs, two.lastAtUs)
    })

    test('takes the latency from the stamp of each new event, and from nothing else', async () => {
      const now = Number(process.hrtime.bigint() / 1000n)
      const stamped = (id: string, ageUs: number) =>
        post(id, `{"data":{"sent_at_us":"${String(now - ageUs).padStart(16, '0')}"}}`)
      await figuresAfter(await receiver(), [
        stamped('a', 50_000_000),
        stamped('b', 90_000_000),
        stamped('a', 99_000_000),
        post('c', '{"data":{"sent_at_us":"12"}}'),
        post('d'),
      ])
      const latency = await (await receiver()).latency()
      assert.equal(latency.count, 2)
      assert.ok(latency.p50Us >= 50_000_000 && latency.p50Us < 90_000_000, String(latency.p50Us))
      assert.ok(latency.maxUs >= 90_000_000 && latency.maxUs < 99_000_000, String(latency.maxUs))
    })

    test('forgets everything at a reset', async () => {
      await figuresAfter(await receiver(), [post('a')])
      await (await receiver()).reset()
      const stats = await (await receiver()).stats()
      assert.deepEqual(stats, {
        requests: 0,
        unique: 0,
        withoutId: 0,
        malformed: 0,
        overflowed: false,
        firstAtUs: 0,
        lastAtUs: 0,
      })
      assert.equal((await (await receiver()).latency()).count, 0)
    })
  })
}

function post(id: string | null, body = '{}'): string {
  const idLine = id === null ? '' : `webhook-id: ${id}\r\n`
  return `POST / HTTP/1.1\r\n${idLine}content-length: ${body.length}\r\n\r\n${body}`
}

/** Sends the pieces on one connection and waits for so many answers, or for its end. */
async function send(receiver: Receiver, pieces: readonly string[], answers: number): Promise<void> {
  const socket = connect({ port: receiver.port, host: '127.0.0.1', noDelay: true })
  let answered = ''
  const isAnswered = () => answered.split('HTTP/1.1 204').length - 1 >= answers
  const done = new Promise<void>((resolve) => {
    socket.on('close', () => resolve())
    socket.on('data', (chunk) => {
      answered += chunk
      if (isAnswered()) resolve()
    })
  })
  await once(socket, 'connect')
  for (const piece of pieces) {
    if (!socket.write(piece)) await once(socket, 'drain')
    await new Promise(setImmediate)
  }
  await done
  socket.destroy()
  if (answers > 0) assert.ok(isAnswered(), 'the receiver closed the connection too early')
}

async function figuresAfter(
  receiver: Receiver,
  pieces: readonly string[],
  answers = pieces.length,
) {
  await receiver.reset()
  await send(receiver, pieces, answers)
  const { requests, unique, withoutId, malformed } = await receiver.stats()
  return { requests, unique, withoutId, malformed }
}
