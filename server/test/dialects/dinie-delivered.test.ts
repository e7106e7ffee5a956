import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, beforeEach, describe, test } from 'node:test'
import { findInClear } from '../support/find-in-clear.ts'
import { type Received, type Receiver, startReceiver } from '../support/receiver.ts'
import { startTestApp, type TestApp } from '../support/start-test-app.ts'
import { until } from '../support/until.ts'
import { basicOf, formHeaders } from './dinie-world.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests look at answers of every shape.
type Json = any

describe('Dinie, over real sockets', () => {
  let server: TestApp
  let receiver: Receiver
  let project: string
  let clientSecret: string
  let accessToken: string

  before(async () => {
    server = await startTestApp()
    project = (await server.client.projects.create({ name: 'Dinie' })).id
    const made = await call('POST', `/v1/projects/${project}/api-keys`, {
      body: { name: 'Dinie', dialect: 'dinie' },
      key: server.rootKey,
    })
    clientSecret = made.client_secret
    const asked = await fetch(`${server.app.url}/api/v3/auth/token`, {
      method: 'POST',
      headers: {
        ...formHeaders,
        authorization: basicOf({ clientId: made.client_id, clientSecret }),
      },
      body: 'grant_type=client_credentials',
    })
    accessToken = ((await asked.json()) as Json).access_token
  })
  beforeEach(async () => {
    await receiver?.close()
    receiver = await startReceiver()
  })
  after(async () => {
    await receiver.close()
    await server.dispose()
  })

  /** As one of Dinie's clients: with an access token, and a key of its own on each POST. */
  async function call(
    method: string,
    path: string,
    options: { body?: object; key?: string; once?: string } = {},
  ): Promise<Json> {
    const { body, key = accessToken, once } = options
    const response = await fetch(server.app.url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(once === undefined ? {} : { 'x-idempotency-key': once }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`)
    return text === '' ? null : JSON.parse(text)
  }

  /** Publishes natively and waits for what arrives of it. */
  async function deliver(type: string, data: Record<string, unknown>): Promise<Received> {
    const before = receiver.received.length
    await server.client.events.publish(project, { type, data })
    await until('the delivery arrives', () => receiver.received.length > before)
    const [received] = receiver.received.slice(before)
    assert.ok(received)
    return received
  }

  test('until previous_secret_expires_at both secrets sign, from then on the new one alone', async () => {
    const { id, secret: first } = await call('POST', '/v3/webhooks/endpoints', {
      body: { url: receiver.url, events: ['loan.*'] },
    })
    const before = await deliver('loan.created', { loan: 1 })
    assert.deepEqual(signersOf(before, { first }), ['first'])

    const rotated = await call('POST', `/v3/webhooks/endpoints/${id}/secret/rotate`, {
      body: { expire_current_in: 120 },
    })
    const { secret: second, previous_secret_expires_at: expiresAt } = rotated
    const during = await deliver('loan.active', { loan: 1 })
    assert.deepEqual(signersOf(during, { first, second }), ['second', 'first'])

    // The stored instant, and not a later one: what is shown is what happens.
    const leftMs = Date.parse(expiresAt) - server.clock.now()
    assert.ok(leftMs > 100_000 && leftMs <= 121_000, `${leftMs} ms are left`)
    server.clock.adjust(leftMs - 20_000)
    const shortlyBefore = await deliver('loan.active', { loan: 2 })
    assert.deepEqual(signersOf(shortlyBefore, { first, second }), ['second', 'first'])
    server.clock.adjust(Date.parse(expiresAt) - server.clock.now())
    const afterwards = await deliver('loan.finished', { loan: 1 })
    assert.deepEqual(signersOf(afterwards, { first, second }), ['second'])
    await call('DELETE', `/v3/webhooks/endpoints/${id}`)
  })

  test('inside a window a second rotation leaves three secrets, and a cut leaves one', async () => {
    const { id, secret: first } = await call('POST', '/api/v3/webhooks/endpoints', {
      body: { url: receiver.url },
    })
    const rotate = async (body?: object): Promise<string> =>
      (await call('POST', `/api/v3/webhooks/endpoints/${id}/rotate-secret`, body && { body }))
        .secret
    const [second, third] = [await rotate(), await rotate()]
    const three = await deliver('loan.created', { loan: 1 })
    assert.deepEqual(signersOf(three, { first, second, third }), ['third', 'second', 'first'])
    const fourth = await rotate()
    const secrets = { first, second, third, fourth }
    const oldestGone = await deliver('loan.created', { loan: 2 })
    assert.deepEqual(signersOf(oldestGone, secrets), ['fourth', 'third', 'second'])
    const fifth = await rotate({ expire_current_in: 0 })
    const cut = await deliver('loan.created', { loan: 3 })
    assert.deepEqual(signersOf(cut, { ...secrets, fifth }), ['fifth'])
    await call('DELETE', `/api/v3/webhooks/endpoints/${id}`)
  })

  test('a delivery has Dinie’s envelope, and carries what was published', async () => {
    const { id } = await call('POST', '/v3/webhooks/endpoints', { body: { url: receiver.url } })
    const received = await deliver('customer.created', { name: 'Ana', limit: 12.5 })
    assert.match(String(received.headers['content-type']), /^application\/json/)
    const {
      id: eventId,
      created_at: at,
      timestamp,
      delivery_id,
      ...rest
    } = JSON.parse(received.body)
    assert.deepEqual(rest, {
      type: 'customer.created',
      api_version: '2026-03-01',
      data: { name: 'Ana', limit: 12.5 },
    })
    assert.match(eventId, /^evt_/)
    assert.match(delivery_id, /^dlv_/)
    assert.equal(eventId, received.headers['webhook-id'])
    assert.equal(Math.floor(Date.parse(at) / 1000), timestamp)
    await call('DELETE', `/v3/webhooks/endpoints/${id}`)
  })

  test('an endpoint made natively keeps its own format, and is rotated with an overlap here', async () => {
    const endpoint = await server.client.endpoints.create(project, { url: receiver.url })
    const [{ id }] = (await call('GET', '/webhooks/endpoints')).data
    const { secret: second } = await call('POST', `/webhooks/endpoints/${id}/secret/rotate`)
    const received = await deliver('order.paid', { order: 7 })
    const secrets = { first: endpoint.secret ?? '', second }
    assert.deepEqual(signersOf(received, secrets), ['second', 'first'])
    assert.deepEqual(Object.keys(JSON.parse(received.body)), ['type', 'timestamp', 'data'])
    await call('DELETE', `/webhooks/endpoints/${id}`)
  })

  test('no secret and no token is stored or logged in clear, in kept answers neither', async () => {
    const list = '/v3/webhooks/endpoints'
    const create = { body: { url: receiver.url }, once: 'create' }
    const { id, secret: first } = await call('POST', list, create)
    const rotate = () => call('POST', `${list}/${id}/rotate-secret`, { once: 'rotate' })
    const { secret: second } = await rotate()
    assert.equal((await rotate()).secret, second)
    await deliver('loan.created', {})
    const hidden = [
      { what: 'the first secret', value: first },
      { what: 'the second secret', value: second },
      { what: 'the client secret', value: clientSecret },
      { what: 'the access token', value: accessToken },
    ]
    const places = new Map<string, Buffer | string>(await server.store.contents())
    places.set('the log', server.logLines.join(''))
    assert.deepEqual(findInClear(hidden, places), [])
    await call('DELETE', `${list}/${id}`)
  })
})

/**
 * The names of the secrets that signed, in the order of the signatures: Standard Webhooks, from its
 * text alone. Undefined stands for a signature that is of none of them.
 */
function signersOf(received: Received, secrets: Record<string, string>): (string | undefined)[] {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp } = received.headers
  assert.ok(Math.abs(Number(timestamp) * 1000 - received.at) < 300_000)
  const signed = `${id}.${timestamp}.${received.body}`
  const names = new Map(
    Object.entries(secrets).map(([name, secret]) => {
      const keyBytes = Buffer.from(secret.slice('whsec_'.length), 'base64')
      return [`v1,${createHmac('sha256', keyBytes).update(signed).digest('base64')}`, name]
    }),
  )
  return String(received.headers['webhook-signature'])
    .split(' ')
    .map((signature) => names.get(signature))
}
