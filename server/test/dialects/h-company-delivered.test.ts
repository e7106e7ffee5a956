import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { findInClear } from '../support/find-in-clear.ts'
import { type Received, type Receiver, startReceiver } from '../support/receiver.ts'
import { startTestApp, type TestApp } from '../support/start-test-app.ts'
import { until } from '../support/until.ts'
import { isSignedWith } from './h-company-verifier.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests look at answers of every shape.
type Json = any

const webhooks = '/api/v2/webhooks'

describe('H Company, over real sockets', () => {
  let server: TestApp
  let receiver: Receiver
  let project: string
  let key: string

  before(async () => {
    server = await startTestApp()
    project = (await server.client.projects.create({ name: 'H Company' })).id
    const made = await server.client.apiKeys.create(project, { name: 'H', dialect: 'h-company' })
    key = made.key
    assert.match(key, /^hk-/)
  })
  beforeEach(async () => {
    await receiver?.close()
    receiver = await startReceiver()
  })
  after(async () => {
    await receiver.close()
    await server.dispose()
  })

  /** As one of H Company's clients; `once`: an Idempotency-Key. */
  async function ask(method: string, path: string, body?: object, once?: string) {
    const response = await fetch(server.app.url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(once === undefined ? {} : { 'idempotency-key': once }),
        // Its clients name the type of a body that they do not send.
        ...(method === 'GET' ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: (text === '' ? null : JSON.parse(text)) as Json }
  }

  async function call(method: string, path: string, body?: object, once?: string): Promise<Json> {
    const reply = await ask(method, path, body, once)
    assert.ok(reply.status < 300, `${method} ${path}: ${JSON.stringify(reply)}`)
    return reply.body
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
    const webhook = await call('POST', webhooks, {
      url: receiver.url,
      enabled_events: ['session.completed'],
    })
    const data = { session_id: 's', status: 'completed', previous_status: null }
    const first = await deliver('session.completed', data)
    assert.ok(isSignedWith(first, webhook.secret))
    const { id, created_at, ...rest } = JSON.parse(first.body)
    assert.deepEqual(rest, { type: 'session.completed', data })
    assert.match(id, /^evt_[0-9a-f]{32}$/)
    assert.match(created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.ok(Math.abs(Date.parse(created_at) - Date.now()) < 60_000)
    assert.deepEqual(
      Object.keys(first.headers)
        .filter((name) => name.startsWith('x-h-'))
        .sort(),
      ['x-h-webhook-signature', 'x-h-webhook-timestamp'],
    )
    assert.equal(first.headers['content-type'], 'application/json')

    const rotated = await call('POST', `${webhooks}/${webhook.id}/rotate`)
    const second = await deliver('session.completed', data)
    assert.ok(isSignedWith(second, rotated.secret))
    assert.ok(!isSignedWith(second, webhook.secret), 'the old secret is out at once')

    await until('both successes are recorded', async () => {
      const { last_success_at } = await call('GET', `${webhooks}/${webhook.id}`)
      return last_success_at !== null && Date.parse(last_success_at) >= second.at - 1_000
    })
    const { last_delivery_status, last_delivery_error, consecutive_failures } = await call(
      'GET',
      `${webhooks}/${webhook.id}`,
    )
    assert.deepEqual(
      [last_delivery_status, last_delivery_error, consecutive_failures],
      ['succeeded', null, 0],
    )
    await call('DELETE', `${webhooks}/${webhook.id}`)
  })

  test('a failure is told in the webhook', async () => {
    receiver.answer = () => ({ statusCode: 503 })
    const { id } = await call('POST', webhooks, { url: receiver.url })
    await deliver('session.failed', {})
    await until('the failure is recorded', async () => {
      const webhook = await call('GET', `${webhooks}/${id}`)
      return webhook.last_delivery_status === 'failed'
    })
    const webhook = await call('GET', `${webhooks}/${id}`)
    assert.equal(webhook.last_delivery_error, 'The receiver answered 503.')
    assert.deepEqual([webhook.last_success_at, webhook.consecutive_failures], [null, 1])
    receiver.answer = () => ({ statusCode: 418 })
    await call('POST', `${webhooks}/${id}/ping`)
    const afterPing = await call('GET', `${webhooks}/${id}`)
    assert.deepEqual(afterPing, webhook, 'a ping says nothing of the deliveries')
    await call('DELETE', `${webhooks}/${id}`)
  })

  test('an endpoint made natively keeps its own format, and a rotation here changes its secret', async () => {
    const endpoint = await server.client.endpoints.create(project, { url: receiver.url })
    receiver.secrets = [endpoint.secret]
    const [{ id }] = (await call('GET', `${webhooks}?sort=-created_at`)).items
    assert.ok((await deliver('order.paid', { order: 6 })).isVerified)
    const { secret } = await call('POST', `${webhooks}/${id}/rotate`)
    receiver.secrets = [secret]
    const received = await deliver('order.paid', { order: 7 })
    assert.ok(received.isVerified, 'in Standard Webhooks, under the new secret')
    assert.equal(received.headers['x-h-webhook-signature'], undefined)
    await call('DELETE', `${webhooks}/${id}`)
  })

  test('a ping arrives whatever is enabled, and says what the receiver answered', async () => {
    const { id, secret } = await call('POST', webhooks, {
      url: receiver.url,
      enabled_events: ['session.idle'],
    })
    const path = `${webhooks}/${id}/ping`
    assert.deepEqual(await call('POST', path), { response_status: 204 })
    const [received] = receiver.received
    assert.ok(received && isSignedWith(received, secret))
    const body = JSON.parse(received.body)
    assert.deepEqual(Object.keys(body), ['type', 'id', 'created_at', 'data'])
    assert.deepEqual([body.type, body.data], ['ping', { webhook_id: id }])
    assert.match(body.created_at, /\.\d{3}Z$/)

    receiver.answer = () => ({ statusCode: 418 })
    assert.deepEqual(await call('POST', path), { response_status: 418 })
    assert.equal(receiver.received.length, 2, 'a ping is never sent again')
    assert.equal((await call('GET', `${webhooks}/${id}`)).last_delivery_status, null)
    await receiver.close()
    const unreached = await ask('POST', path)
    assert.equal(unreached.status, 502)
    assert.deepEqual(Object.keys(unreached.body), ['detail'])
    await call('DELETE', `${webhooks}/${id}`)
  })

  test('no secret is stored or logged in clear, in answers that are kept neither', async () => {
    const webhook = await call('POST', webhooks, { url: receiver.url }, 'create')
    const rotate = `${webhooks}/${webhook.id}/rotate`
    const rotated = await call('POST', rotate, undefined, 'rotate')
    const again = await call('POST', rotate, undefined, 'rotate')
    assert.equal(again.secret, rotated.secret)
    await deliver('session.idle', {})
    const hidden = [
      { what: 'the first secret', value: webhook.secret },
      { what: 'the second secret', value: rotated.secret },
      { what: 'the key', value: key },
    ]
    const places = new Map<string, Buffer | string>(await server.store.contents())
    places.set('the log', server.logLines.join(''))
    assert.deepEqual(findInClear(hidden, places), [])
    await call('DELETE', `${webhooks}/${webhook.id}`)
  })
})

test('H Company: a ping to an address that is refused by now is 400, and nothing is sent', async () => {
  const environment: Record<string, string> = {}
  const server = await startTestApp({ environment })
  const receiver = await startReceiver()
  try {
    const { id: project } = await server.client.projects.create({ name: 'H Company' })
    const { key } = await server.client.apiKeys.create(project, {
      name: 'H',
      dialect: 'h-company',
    })
    const post = (path: string, body?: object) =>
      fetch(server.app.url + webhooks + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
    const { id } = (await (await post('', { url: receiver.url })).json()) as { id: string }
    environment.COUNTERSIGN_ALLOWED_NETWORKS = '198.51.100.0/24'
    await server.restart()
    const reply = await post(`/${id}/ping`)
    assert.equal(reply.status, 400, await reply.clone().text())
    assert.deepEqual(Object.keys((await reply.json()) as object), ['detail'])
    assert.equal(receiver.received.length, 0)
  } finally {
    await receiver.close()
    await server.dispose()
  }
})
