import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, beforeEach, describe, test } from 'node:test'
import { uuidOf } from '../../src/core/ids.ts'
import { findInClear } from '../support/find-in-clear.ts'
import { type Received, type Receiver, startReceiver } from '../support/receiver.ts'
import { startTestApp, type TestApp } from '../support/start-test-app.ts'
import { until } from '../support/until.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests look at answers of every shape.
type Json = any

describe('DevTune, over real sockets', () => {
  let server: TestApp
  let receiver: Receiver
  let project: string
  let webhooks: string
  let key: string

  before(async () => {
    server = await startTestApp()
    project = (await server.client.projects.create({ name: 'DevTune' })).id
    webhooks = `/api/v2/projects/${uuidOf(project)}/webhooks`
    const body = { name: 'DevTune', dialect: 'devtune', scopes: ['webhooks.write'] }
    const path = `/v1/projects/${project}/api-keys`
    key = (await call('POST', path, { body, as: server.rootKey })).key
  })
  beforeEach(async () => {
    await receiver?.close()
    receiver = await startReceiver()
  })
  after(async () => {
    await receiver.close()
    await server.dispose()
  })

  /** As a plain client of DevTune: with a Bearer key. `once`: an Idempotency-Key. */
  async function call(
    method: string,
    path: string,
    { body, as = key, once }: { body?: object; as?: string; once?: string } = {},
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
    return JSON.parse(text)
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
    const body = { url: receiver.url, events: ['visibility.changed'] }
    const { data: webhook } = await call('POST', webhooks, { body })
    const first = await deliver('visibility.changed', { previousMetrics: null })
    assert.ok(verifies(first, webhook.secret))
    assert.equal(first.headers['x-devtune-event'], 'visibility.changed')
    assert.equal(first.headers['user-agent'], 'DevTune-Webhook/2.0')
    assert.equal(first.headers['content-type'], 'application/json')
    const { timestamp, ...rest } = JSON.parse(first.body)
    assert.deepEqual(rest, {
      event: 'visibility.changed',
      projectId: uuidOf(project),
      data: { previousMetrics: null },
    })
    assert.ok(Math.abs(Date.parse(timestamp) - Date.now()) < 60_000)

    const { data: rotated } = await call('POST', `${webhooks}/${webhook.id}/rotate-secret`)
    const second = await deliver('visibility.changed', { previousMetrics: { score: 7 } })
    assert.ok(verifies(second, rotated.secret))
    assert.ok(!verifies(second, webhook.secret), 'the old secret is out at once')
    assert.ok(!verifies({ ...second, body: `${second.body} ` }, rotated.secret))

    assert.deepEqual(await call('DELETE', `${webhooks}/${webhook.id}`), { deleted: true })
  })

  test('what was refused before a rotation is signed with the new secret when it is sent again', async () => {
    const body = { url: receiver.url, events: ['action.updated'] }
    const { data: webhook } = await call('POST', webhooks, { body })
    receiver.answer = () => ({ statusCode: 401 })
    const first = await deliver('action.updated', { action: 1 })
    assert.ok(verifies(first, webhook.secret))
    const { data: rotated } = await call('POST', `${webhooks}/${webhook.id}/rotate-secret`)
    receiver.answer = () => ({ statusCode: 204 })
    const newest = async () => (await server.client.deliveries.list(project).page()).data[0]
    await until('the refusal is recorded', async () => (await newest())?.attemptCount === 1)
    await server.client.deliveries.retry(project, (await newest())?.id ?? '')
    await until('it comes again', () => receiver.received.length === 2)
    const [, again] = receiver.received
    assert.ok(again && verifies(again, rotated.secret) && !verifies(again, webhook.secret))
    assert.equal(again.body, first.body)
    await call('DELETE', `${webhooks}/${webhook.id}`)
  })

  test('an endpoint made natively keeps its own format, and verifies after a rotation here', async () => {
    const endpoint = await server.client.endpoints.create(project, { url: receiver.url })
    const { data } = await call('GET', webhooks, { as: server.rootKey })
    const [webhook] = data.webhooks
    const { data: rotated } = await call('POST', `${webhooks}/${webhook.id}/rotate-secret`)
    const received = await deliver('order.paid', { order: 7 })
    assert.ok(verifiesStandard(received, rotated.secret))
    assert.ok(!verifiesStandard(received, endpoint.secret))
    assert.equal(received.headers['x-devtune-signature'], undefined)
    await call('DELETE', `${webhooks}/${webhook.id}`)
  })

  test('no secret is stored or logged in clear, in answers that are kept neither', async () => {
    const body = { url: receiver.url, events: ['action.created'] }
    const { data: webhook } = await call('POST', webhooks, { body, once: 'create' })
    const rotate = `${webhooks}/${webhook.id}/rotate-secret`
    const { data: rotated } = await call('POST', rotate, { once: 'rotate' })
    const again = await call('POST', rotate, { once: 'rotate' })
    assert.equal(again.data.secret, rotated.secret)
    await deliver('action.created', {})
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

/** DevTune's page: HMAC-SHA256 of the raw body in hex. The key is the secret as it reads. */
function verifies({ headers, body }: Received, secret: string): boolean {
  const expected = createHmac('sha256', Buffer.from(secret, 'utf8')).update(body).digest('hex')
  return headers['x-devtune-signature'] === expected
}

/** Standard Webhooks 1.0.0. */
function verifiesStandard({ headers, body }: Received, secret: string): boolean {
  const keyBytes = Buffer.from(secret.slice('whsec_'.length), 'base64')
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  const expected = createHmac('sha256', keyBytes).update(signed).digest('base64')
  return String(headers['webhook-signature']).split(' ').includes(`v1,${expected}`)
}
