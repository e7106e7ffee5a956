import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { rawJson } from '@countersign/sdk'
import { type Receiver, startReceiver } from './support/receiver.ts'
import { startTestApp, type TestApp } from './support/start-test-app.ts'
import { until } from './support/until.ts'
import { createWireClient, type Problem, type Wire, type WireClient } from './support/wire.ts'

const dataBytesMax = 256 * 1024

/** Texts that a parser and a printer would change, or would refuse to read back. */
const texts: Record<string, string> = {
  'a number beyond 2^53': '{"n":90071992547409931,"m":-12345678901234567890123}',
  'numbers beyond every double': '{"n":1e400,"m":-1E+4000,"tiny":1e-400}',
  'numbers in odd notation': '{"a":-0,"b":-0.0,"c":1.0,"d":1E2,"e":0.1000,"f":1e0}',
  'more digits than a double holds': '{"pi":3.14159265358979323846264338327950288419716939937510}',
  'escapes that need not be': '{"a":"\\u0041\\/\\u00e9","\\u006b":"\\b\\f\\t\\u007f"}',
  'the character of code 0': '{"a":"\\u0000","\\u0000":1}',
  'lone surrogates': '{"high":"\\ud800","low":"\\udc00","swapped":"\\udc00\\ud800"}',
  'a pair of surrogates, escaped and not': '{"a":"\\ud83d\\ude00","b":"😀"}',
  'every kind of whitespace': '{ \t\r\n "a" :\n[ 1 ,\t2 ]\r\n,  "b":{ } }',
  'keys in no order': '{"b":1,"a":2,"10":3,"9":4,"__proto__":{"x":1},"constructor":null}',
  'duplicate keys': '{"a":1,"a":2,"\\u0061":3,"in":{"x":1,"x":{}}}',
  'unicode of every plane': '{"é":"ß","ж":"中文","𝔘":"👩‍👩‍👧","rtl":"\u202e","sep":"\u2028\u2029"}',
  'composed and decomposed letters': '{"\u00e9":1,"e\u0301":2}',
  'names of the envelope': '{"type":"x","data":{"data":[]},"id":"y","timestamp":0}',
  'an empty object': '{}',
  'an empty object with room in it': '{ }',
  'text that looks like the end': '{"a":"}},\\"data\\":{","b":"\\\\"}',
  'objects in objects, 62 deep': `${'{"a":'.repeat(62)}{}${'}'.repeat(62)}`,
}

describe('the bytes of data', () => {
  let server: TestApp
  let receiver: Receiver
  let project: string
  let call: WireClient

  before(async () => {
    server = await startTestApp({ environment: { COUNTERSIGN_RETRY_SCHEDULE: '1h,1h' } })
    call = createWireClient({ url: () => server.app.url, key: () => server.rootKey })
    receiver = await startReceiver()
    receiver.toleranceSeconds = 1e9
    project = (await server.client.projects.create({ name: 'bytes' })).id
    const endpoint = await server.client.endpoints.create(project, { url: receiver.url })
    receiver.secrets = [endpoint.secret]
  })
  after(async () => {
    await receiver.close()
    await server.dispose()
  })

  const publish = (envelope: string) =>
    call<Wire.PublishedEvent & Problem>('POST', `/projects/${project}/events`, { text: envelope })
  const publishData = (data: string) => publish(`{"type":"exact.bytes","data":${data}}`)
  const requestsOf = (id: string) => receiver.received.filter((request) => request.id === id)
  const firstRequestOf = async (id: string) => {
    await until('the event arrives', () => requestsOf(id).length > 0)
    return requestsOf(id)[0] as Receiver['received'][number]
  }
  const readBack = async (id: string) =>
    dataIn((await call('GET', `/projects/${project}/events/${id}`)).text)

  for (const [name, data] of Object.entries(texts)) {
    test(`arrive and are read back as they were sent: ${name}`, async () => {
      const { status, body: event } = await publishData(data)
      assert.equal(status, 202)
      const request = await firstRequestOf(event.id)
      assert.ok(request.isVerified, 'the signature is over these very bytes')
      assert.equal(dataIn(request.body), data)
      assert.equal(await readBack(event.id), data)
    })
  }

  test('are the same in a batch and through the SDK', async () => {
    const all = Object.values(texts)
    const batch = all.map((data) => `{ "data" : ${data} , "type":"exact.bytes"}`).join(',\n ')
    const { status, body } = await call<Wire.PublishedBatch>(
      'POST',
      `/projects/${project}/events/batch`,
      { text: `{"events":[ ${batch} ]}` },
    )
    assert.equal(status, 202)
    const sdk = await server.client.events.publishBatch(
      project,
      all.map((data) => ({ type: 'exact.bytes', data: rawJson(data) })),
    )
    for (const results of [body.data, sdk]) {
      for (const [index, data] of all.entries()) {
        const id = results[index]?.id
        assert.ok(id !== undefined, `event ${index} was accepted`)
        assert.equal(dataIn((await firstRequestOf(id)).body), data)
      }
    }
  })

  test('stand in the body as it was promised, beside type and timestamp', async () => {
    const data = '{"n": 90071992547409931}'
    const timestamp = '2026-02-28T23:59:59.123456789+05:30'
    const { body: event } = await publish(
      `{"metadata":{"not":"delivered"},"timestamp":"${timestamp}","data":${data},"type":"a.b"}`,
    )
    const request = await firstRequestOf(event.id)
    assert.equal(request.body, `{"type":"a.b","timestamp":"${timestamp}","data":${data}}`)
    const { body: plain } = await publish(`{"type":"a.b","data":${data}}`)
    const expected = `{"type":"a.b","timestamp":"${plain.created_at}","data":${data}}`
    assert.equal((await firstRequestOf(plain.id)).body, expected, 'the time of acceptance')
  })

  test('may be 256 KiB, counted in bytes, and not one more', async () => {
    for (const filler of ['x', 'é', '中', '😀']) {
      const data = dataOf(dataBytesMax, filler)
      const { status, body: event } = await publishData(data)
      assert.equal(status, 202, `256 KiB of ${filler}`)
      assert.equal(dataIn((await firstRequestOf(event.id)).body), data)
      assert.equal(await readBack(event.id), data)

      const before = await countEvents()
      const refused = await publishData(dataOf(dataBytesMax + 1, filler))
      assert.equal(refused.status, 413)
      assert.match(refused.headers.get('content-type') ?? '', /^application\/problem\+json/)
      assert.equal(refused.body.code, 'payload_too_large')
      assert.equal(await countEvents(), before, 'nothing was stored')
    }
  })

  test('are refused where the envelope names a key twice, however it is written', async () => {
    const before = await countEvents()
    for (const envelope of [
      '{"type":"a.b","data":{"n":1},"data":{"n":2}}',
      '{"type":"a.b","data":{"n":1},"da\\u0074a":{"n":2}}',
      '{"type":"a.b","type":"a.b","data":{}}',
      '{"type":"a.b","data":{},"metadata":{},"metadata":{}}',
      '{"type":"a.b","data":{},"unknown":1,"unknown":2}',
    ]) {
      const { status, headers, body } = await publish(envelope)
      assert.equal(status, 400, envelope)
      assert.match(headers.get('content-type') ?? '', /^application\/problem\+json/)
      assert.equal(body.code, 'invalid_json')
    }
    assert.equal(await countEvents(), before, 'nothing was stored')
  })

  test('count as they stand where an id comes again', async () => {
    const publishAs = (data: string) => publish(`{"type":"a.b","id":"same","data":${data}}`)
    assert.equal((await publishAs('{"n":1.0}')).status, 202)
    assert.equal((await publishAs('{"n":1.0}')).status, 200)
    const other = await publishAs('{"n":1}')
    assert.equal(other.status, 409)
    assert.equal(other.body.code, 'event_id_conflict')
    await firstRequestOf('same')
    assert.equal(requestsOf('same').length, 1)
  })

  test('keep with the webhook-id through retries; timestamp and signature are fresh', async () => {
    const { 'objects in objects, 62 deep': _tooDeepWithin, ...flat } = texts
    const data = `{"all":[${Object.values(flat).join(',\n')}]}`
    receiver.answer = () => ({ statusCode: 500 })
    const { status, body: event } = await publishData(data)
    assert.equal(status, 202)
    for (const attempt of [1, 2]) {
      await recorded(event.id, attempt)
      server.clock.adjust(1.3 * 3_600_000)
      // The result of another attempt makes the dispatcher look at what is due.
      await publishData('{"wakes":true}')
    }
    receiver.answer = () => ({ statusCode: 200 })
    // From here on the event comes from the store, in a process that never saw it in memory.
    await server.restart()
    await server.client.deliveries.retry(project, (await deliveryOf(event.id)).id)
    await until('the event is delivered', () => receiver.deliveredIds.has(event.id))

    const requests = requestsOf(event.id)
    assert.ok(requests.length >= 3, 'it was tried again')
    for (const request of requests) {
      assert.ok(request.isVerified)
      assert.equal(request.body, requests[0]?.body, 'the same bytes each time')
      assert.equal(dataIn(request.body), data)
    }
    for (const header of ['webhook-timestamp', 'webhook-signature']) {
      const values = new Set(requests.map(({ headers }) => headers[header]))
      assert.equal(values.size, requests.length, `each attempt has its own ${header}`)
    }
    assert.equal(await readBack(event.id), data)
  })

  const countEvents = async () => {
    let count = 0
    for await (const _ of server.client.events.list(project, { limit: 100 })) count++
    return count
  }
  const deliveryOf = async (event: string) => {
    const { data } = await server.client.deliveries.list(project, { event }).page()
    assert.ok(data[0])
    return data[0]
  }
  const recorded = (event: string, attemptCount: number) =>
    until(
      `attempt ${attemptCount} is recorded`,
      async () => (await deliveryOf(event)).attemptCount === attemptCount,
    )
})

/** The source text of `data`, which is the last member of a delivery and of an event. */
function dataIn(text: string): string {
  const start = text.indexOf('"data":')
  assert.ok(start > 0 && text.endsWith('}'))
  return text.slice(start + '"data":'.length, -1)
}

/** An object of exactly so many bytes. */
function dataOf(bytes: number, filler: string): string {
  const left = bytes - '{"a":""}'.length
  const width = Buffer.byteLength(filler)
  const text = `{"a":"${filler.repeat(Math.floor(left / width))}${'x'.repeat(left % width)}"}`
  assert.equal(Buffer.byteLength(text), bytes)
  return text
}
