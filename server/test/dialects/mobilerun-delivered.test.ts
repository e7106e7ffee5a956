import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, beforeEach, describe, test } from 'node:test'
import { findInClear } from '../support/find-in-clear.ts'
import { type Received, type Receiver, startReceiver } from '../support/receiver.ts'
import { startTestApp, type TestApp } from '../support/start-test-app.ts'
import { until } from '../support/until.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests look at answers of every shape.
type Json = any

describe('Mobilerun, over real sockets', () => {
  let server: TestApp
  let receiver: Receiver
  let project: string
  let key: string

  before(async () => {
    server = await startTestApp()
    project = (await server.client.projects.create({ name: 'Mobilerun' })).id
    const path = `/v1/projects/${project}/api-keys`
    const body = { name: 'Mobilerun', dialect: 'mobilerun' }
    key = (await call('POST', path, body, server.rootKey)).key
  })
  beforeEach(async () => {
    await receiver?.close()
    receiver = await startReceiver()
  })
  after(async () => {
    await receiver.close()
    await server.dispose()
  })

  /** As one of Mobilerun's clients: at `<base URL>/v1`, with a Bearer key. */
  async function call(
    method: string,
    path: string,
    body?: object,
    as = key,
    once?: string,
  ): Promise<Json> {
    const response = await fetch(server.app.url + path, {
      method,
      headers: {
        authorization: `Bearer ${as}`,
        ...(once === undefined ? {} : { 'idempotency-key': once }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`)
    return text === '' ? null : JSON.parse(text)
  }

  /** Publishes and waits for what arrives of it. */
  async function deliver(type: string, data: Record<string, unknown>): Promise<Received> {
    const before = receiver.received.length
    await server.client.events.publish(project, { type, data })
    await until('the delivery arrives', () => receiver.received.length > before)
    const [received] = receiver.received.slice(before)
    assert.ok(received)
    return received
  }

  test('a webhook made here is delivered to, and verifies before and after a rotation', async () => {
    const { data: webhook } = await call('POST', '/v1/webhooks', {
      url: receiver.url,
      eventTypes: ['task.run.completed'],
    })
    const first = await deliver('task.run.completed', { run: 1 })
    assert.ok(verifies(first, webhook.secret))
    const { id, occurredAt, ...rest } = JSON.parse(first.body)
    assert.deepEqual(rest, { type: 'task.run.completed', source: 'task', data: { run: 1 } })
    assert.equal(id, first.headers['webhook-id'])
    assert.ok(Math.abs(Date.parse(occurredAt) - Date.now()) < 60_000)

    const { data: rotated } = await call('POST', `/v1/webhooks/${webhook.id}/rotate-secret`)
    const second = await deliver('task.run.completed', { run: 2 })
    assert.ok(verifies(second, rotated.secret))
    assert.ok(!verifies(second, webhook.secret), 'the old secret is out at once')
    assert.equal(signaturesOf(second).length, 1)

    const path = `/v1/webhooks/${webhook.id}/deliveries?eventId=${second.headers['webhook-id']}`
    await until('the success is recorded', async () => {
      const [delivery] = (await call('GET', path)).items
      return delivery.status === 'success'
    })
    const [delivery] = (await call('GET', path)).items
    const detail = (await call('GET', `/v1/webhooks/${webhook.id}/deliveries/${delivery.id}`)).data
    const [attempt] = detail.attempts
    assert.deepEqual(
      [attempt.requestUrl, attempt.requestBody, attempt.responseStatus, attempt.signed],
      [receiver.url, second.body, 204, true],
    )
    assert.equal(attempt.requestHeaders['webhook-signature'], second.headers['webhook-signature'])
    await call('DELETE', `/v1/webhooks/${webhook.id}`)
  })

  test('an endpoint made natively keeps its own format, and verifies after a rotation here', async () => {
    const endpoint = await server.client.endpoints.create(project, { url: receiver.url })
    const [webhook] = (await call('GET', '/webhooks')).items
    const { data: rotated } = await call('POST', `/webhooks/${webhook.id}/rotate-secret`)
    const received = await deliver('order.paid', { order: 7 })
    assert.ok(verifies(received, rotated.secret))
    assert.ok(!verifies(received, endpoint.secret))
    assert.deepEqual(Object.keys(JSON.parse(received.body)), ['type', 'timestamp', 'data'])
    await call('DELETE', `/webhooks/${webhook.id}`)
  })

  test('no secret is stored or logged in clear, in answers that are kept neither', async () => {
    const fields = { url: receiver.url }
    const { data: webhook } = await call('POST', '/v1/webhooks', fields, key, 'create')
    const rotate = `/v1/webhooks/${webhook.id}/rotate-secret`
    const { data: rotated } = await call('POST', rotate, undefined, key, 'rotate')
    const again = await call('POST', rotate, undefined, key, 'rotate')
    assert.equal(again.data.secret, rotated.secret)
    await deliver('task.run.completed', {})
    const hidden = [
      { what: 'the first secret', value: webhook.secret },
      { what: 'the second secret', value: rotated.secret },
      { what: 'the key', value: key },
    ]
    const places = new Map<string, Buffer | string>(await server.store.contents())
    places.set('the log', server.logLines.join(''))
    assert.deepEqual(findInClear(hidden, places), [])
    await call('DELETE', `/v1/webhooks/${webhook.id}`)
  })

  test('a test arrives, and says what the receiver answered', async () => {
    const { data: webhook } = await call('POST', '/webhooks', {
      url: receiver.url,
      eventTypes: ['task.run.failed'],
    })
    const path = `/webhooks/${webhook.id}/test`
    assert.deepEqual(await call('POST', path), {
      data: { success: true, statusCode: 204, error: null },
    })
    const [received] = receiver.received
    assert.ok(received && verifies(received, webhook.secret))
    assert.equal(JSON.parse(received.body).type, 'webhook.test')
    receiver.answer = () => ({ statusCode: 418 })
    assert.deepEqual(await call('POST', path), {
      data: { success: false, statusCode: 418, error: 'The receiver answered 418.' },
    })
    await receiver.close()
    const { data } = await call('POST', path)
    assert.deepEqual([data.success, data.statusCode], [false, null])
    // Whether it is refused, or breaks off while it is kept alive, is a matter of the instant.
    assert.match(data.error, /connection/i)
    await call('DELETE', `/webhooks/${webhook.id}`)
  })
})

/** Standard Webhooks 1.0.0, from its text alone. */
function verifies(received: Received, secret: string): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp } = received.headers
  assert.ok(Math.abs(Number(timestamp) * 1000 - received.at) < 300_000)
  const keyBytes = Buffer.from(secret.slice('whsec_'.length), 'base64')
  const signed = `${id}.${timestamp}.${received.body}`
  const expected = createHmac('sha256', keyBytes).update(signed).digest('base64')
  return signaturesOf(received).includes(`v1,${expected}`)
}

function signaturesOf({ headers }: Received): string[] {
  return String(headers['webhook-signature']).split(' ')
}
