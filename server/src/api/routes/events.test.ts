import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApi } from '../../../test/support/test-api.ts'
import { limits } from '../../core/limits.ts'

const data = '{"n":90071992547409931, "e":1e2,"s":"\\u0041/\\/","nested":{"a":[1 ,2]}}'

test('keeps the bytes of data, with numbers beyond what JavaScript holds', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const published = await server.call('POST', `${project.path}/events`, {
    key: project.key,
    rawBody: `{"type":"ledger.closed","data":${data},"metadata":{"a":1},"timestamp":"2026-10-31T23:59:59+01:00"}`,
  })
  assert.equal(published.status, 202)
  const { id, ...rest } = published.body
  assert.deepEqual(rest, {
    type: 'ledger.closed',
    created_at: '2026-11-01T10:00:00.000Z',
    delivery_count: 0,
  })
  const read = await server.call('GET', `${project.path}/events/${id}`)
  assert.ok(read.text.endsWith(`,"data":${data}}`), read.text)
  assert.equal(read.body.timestamp, '2026-10-31T23:59:59+01:00')
  assert.deepEqual(read.body.metadata, { a: 1 })
  const list = await server.call('GET', `${project.path}/events`)
  const { data: _, ...summary } = read.body
  assert.deepEqual(list.body.data, [summary])
})

test('answers the same event under an id of the caller’s once, and refuses another', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const publish = (body: object) => server.call('POST', `${project.path}/events`, { body })
  const event = { id: 'order-7', type: 'order.paid', data: { a: 1 } }
  const first = await publish(event)
  server.clock.advance(1000)
  const second = await publish(event)
  assert.equal(first.status, 202)
  assert.equal(second.status, 200)
  assert.deepEqual(second.body, first.body)
  const conflict = await publish({ ...event, data: { a: 2 } })
  assert.equal(conflict.status, 409)
  assert.equal(conflict.body.code, 'event_id_conflict')
})

test('names every field of an event at fault at once', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const publish = async (rawBody: string) => {
    const reply = await server.call('POST', `${project.path}/events`, { rawBody })
    assert.equal(reply.status, 422, rawBody)
    return reply.body.errors.map(({ param, code }: { param: string; code: string }) => [
      param,
      code,
    ])
  }
  assert.deepEqual(await publish('{}'), [
    ['type', 'missing'],
    ['data', 'missing'],
  ])
  assert.deepEqual(
    await publish('{"type":7,"data":[],"id":"a.b","timestamp":"now","metadata":null,"x":1}'),
    [
      ['type', 'wrong_type'],
      ['data', 'wrong_type'],
      ['metadata', 'wrong_type'],
      ['x', 'unknown_field'],
      ['id', 'invalid_value'],
      ['timestamp', 'invalid_value'],
    ],
  )
  assert.deepEqual(
    await publish(
      '{"type":"endpoint.disabled","data":{},"id":"","timestamp":"2026-13-01T00:00:00Z"}',
    ),
    [
      ['id', 'invalid_value'],
      ['type', 'reserved'],
      ['timestamp', 'invalid_value'],
    ],
  )
  assert.deepEqual(await publish('{"type":"a","data":{},"__proto__":{}}'), [
    ['__proto__', 'unknown_field'],
  ])
})

test('refuses data over the limit, whether the body would fit or not', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const publish = (length: number) =>
    server.call('POST', `${project.path}/events`, {
      rawBody: `{"type":"a","data":{"x":"${'x'.repeat(length)}"}}`,
    })
  const most = limits.dataBytesMax - '{"x":""}'.length
  assert.equal((await publish(most)).status, 202)
  for (const length of [most + 1, limits.dataBytesMax * 2]) {
    const reply = await publish(length)
    assert.equal(reply.status, 413)
    assert.equal(reply.body.code, 'payload_too_large')
  }
})

test('takes a batch apart: each event gets what the single call would have answered', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  await server.call('POST', `${project.path}/endpoints`, { body: { url: 'https://a.example/' } })
  const events = [
    `{"type":"a","data":${data}}`,
    '{"type":"a","data":{},"id":"mine"}',
    '{"type":"a b","data":{}}',
    '{"type":"a","data":{},"id":"mine"}',
    '{"type":"b","data":{},"id":"mine"}',
    '{"type":1,"data":{},"more":1}',
    '{"type":"a","type":"b","data":{}}',
    '"an event"',
    `{"type":"a","data":{"x":"${'x'.repeat(limits.dataBytesMax)}"}}`,
    '{"type":"z","data":{}}',
  ]
  const reply = await server.call('POST', `${project.path}/events/batch`, {
    rawBody: `{"events":[${events.join(',')}]}`,
  })
  assert.equal(reply.status, 202)
  const results = reply.body.data as { index: number; status: number; id?: string }[]
  assert.deepEqual(
    results.map(({ index }) => index),
    events.map((_, index) => index),
  )
  assert.deepEqual(
    results.map(({ status }) => status),
    [202, 202, 422, 200, 409, 422, 400, 422, 413, 202],
  )
  assert.equal(reply.body.data[0].delivery_count, 1)
  assert.equal(reply.body.data[3].id, 'mine')
  assert.equal(reply.body.data[2].error.errors[0].param, 'events.2.type')
  assert.equal(reply.body.data[4].error.code, 'event_id_conflict')
  assert.deepEqual(
    reply.body.data[5].error.errors.map(({ param }: { param: string }) => param),
    ['events.5.type', 'events.5.more'],
  )
  assert.equal(reply.body.data[6].error.code, 'invalid_json')
  assert.equal(reply.body.data[7].error.param, 'events.7')
  assert.equal(reply.body.data[7].error.detail, 'events.7: Must be an object.')
  assert.match(reply.body.data[2].error.detail, /^events\.2\.type: Must be /)
  assert.equal(reply.body.data[8].error.code, 'payload_too_large')
  const read = await server.call('GET', `${project.path}/events/${results[0]?.id}`)
  assert.ok(read.text.endsWith(`"data":${data}}`))
  const list = await server.call('GET', `${project.path}/events`)
  const types = list.body.data.map(({ type }: { type: string }) => type)
  assert.deepEqual(types, ['z', 'a', 'a'], 'newest first, in the order of the batch')
})

test('refuses a batch as a whole only for what is wrong with the whole', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const publish = (rawBody: string) =>
    server.call('POST', `${project.path}/events/batch`, { rawBody })
  const tooMany = `{"events":[${Array(limits.batchEventsMax + 1)
    .fill('{}')
    .join(',')}]}`
  for (const [body, status, param] of [
    ['', 422, 'events'],
    ['{}', 422, 'events'],
    ['{"events":{}}', 422, 'events'],
    ['{"events":[]}', 422, 'events'],
    [tooMany, 422, 'events'],
    ['{"events":[{"type":"a","data":{}}],"more":1}', 422, 'more'],
    ['{"events":[{"type":"a","data":{}}', 400, undefined],
    ['{"events":[],"events":[]}', 400, undefined],
  ] as const) {
    const reply = await publish(body)
    assert.equal(reply.status, status, body.slice(0, 40))
    assert.equal(reply.body.param, param)
  }
})

test('answers a batch of refusals alone, also under an Idempotency-Key', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const publish = () =>
    server.call('POST', `${project.path}/events/batch`, {
      body: { events: [{ type: 'a' }] },
      headers: { 'idempotency-key': 'k' },
    })
  const first = await publish()
  assert.equal(first.status, 202)
  assert.equal(first.body.data[0].status, 422)
  const second = await publish()
  assert.equal(second.text, first.text)
  assert.equal(second.headers['idempotent-replayed'], 'true')
})
