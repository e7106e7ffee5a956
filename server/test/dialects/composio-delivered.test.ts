import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, beforeEach, describe, test } from 'node:test'
import { findInClear } from '../support/find-in-clear.ts'
import { type Received, type Receiver, startReceiver } from '../support/receiver.ts'
import { startTestApp, type TestApp } from '../support/start-test-app.ts'
import { until } from '../support/until.ts'

const v31 = '/api/v3.1/webhook_subscriptions'
const triggerMessage = 'composio.trigger.message'
const trigger = {
  log_id: 'log_1',
  trigger_slug: 'GITHUB_PUSH_EVENT',
  trigger_id: 'ti_1',
  connected_account_id: 'ca_1',
  auth_config_id: 'ac_1',
  user_id: 'u1',
}

// biome-ignore lint/suspicious/noExplicitAny: tests look at answers of every shape.
type Json = any

describe('Composio, over real sockets', () => {
  let server: TestApp
  let receiver: Receiver
  let project: string
  let key: string

  before(async () => {
    server = await startTestApp()
    project = (await server.client.projects.create({ name: 'Composio' })).id
    const response = await fetch(`${server.app.url}/v1/projects/${project}/api-keys`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${server.rootKey}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ name: 'Composio', dialect: 'composio' }),
    })
    key = ((await response.json()) as Json).key
  })
  beforeEach(async () => {
    await receiver?.close()
    receiver = await startReceiver()
  })
  after(async () => {
    await receiver.close()
    await server.dispose()
  })

  /** As a plain client of Composio: with `x-api-key`. `once`: an Idempotency-Key. */
  async function call(
    method: string,
    path: string,
    { body, once }: { body?: object; once?: string } = {},
  ): Promise<Json> {
    const response = await fetch(server.app.url + path, {
      method,
      headers: {
        'x-api-key': key,
        ...(once === undefined ? {} : { 'idempotency-key': once }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`)
    return JSON.parse(text)
  }

  function create(fields: object = {}, once?: string): Promise<Json> {
    const body = { webhook_url: receiver.url, enabled_events: [triggerMessage], ...fields }
    return call('POST', v31, { body, ...(once === undefined ? {} : { once }) })
  }

  /** Publishes and waits for what arrives of it. */
  async function deliver(type = triggerMessage): Promise<Received> {
    const before = receiver.received.length
    const event = { type, data: { ref: 'main' }, metadata: trigger }
    await server.client.events.publish(project, event)
    await until('the delivery arrives', () => receiver.received.length > before)
    const [received] = receiver.received.slice(before)
    assert.ok(received)
    return received
  }

  test('a subscription is delivered to, and verifies before and after a rotation', async () => {
    const { id, secret } = await create()
    const first = await deliver()
    assert.ok(verifies(first, secret))
    const { headers } = first
    assert.equal(headers['x-composio-webhook-version'], 'V3')
    assert.equal(headers['x-composio-delivery-attempt'], '1')
    const { id: eventId, timestamp, ...rest } = JSON.parse(first.body)
    assert.equal(eventId, headers['webhook-id'])
    assert.ok(Math.abs(Date.parse(timestamp) - Date.now()) < 60_000)
    assert.deepEqual(rest, { type: triggerMessage, metadata: trigger, data: { ref: 'main' } })

    const rotated = await call('POST', `${v31}/${id}/rotate_secret`)
    const second = await deliver()
    assert.ok(verifies(second, rotated.secret))
    assert.ok(!verifies(second, secret), 'the old secret is out at once')
    assert.equal(signaturesOf(second).length, 1)
    assert.ok(!verifies({ ...second, body: `${second.body} ` }, rotated.secret))
    assert.deepEqual(await call('DELETE', `${v31}/${id}`), { success: true })
  })

  test('each version has its own body, under the same signature', async () => {
    const { id, secret } = await create({ version: 'V1' })
    const bodies: Record<string, Json> = {}
    for (const version of ['V1', 'V2', 'V3']) {
      await call('PATCH', `${v31}/${id}`, { body: { version } })
      const received = await deliver()
      assert.ok(verifies(received, secret), version)
      assert.equal(received.headers['x-composio-webhook-version'], version)
      bodies[version] = JSON.parse(received.body)
    }
    assert.deepEqual(bodies.V1, {
      trigger_name: 'GITHUB_PUSH_EVENT',
      connection_id: 'ca_1',
      trigger_id: 'ti_1',
      payload: { ref: 'main' },
      log_id: 'log_1',
    })
    const { timestamp, ...v2 } = bodies.V2
    assert.equal(typeof timestamp, 'string')
    assert.deepEqual(v2, {
      type: 'github_push_event',
      log_id: 'log_1',
      data: {
        connection_id: 'ca_1',
        connection_nano_id: 'ca_1',
        trigger_nano_id: 'ti_1',
        trigger_id: 'ti_1',
        user_id: 'u1',
        ref: 'main',
      },
    })
    assert.deepEqual(bodies.V3.metadata, trigger)
    await call('DELETE', `${v31}/${id}`)
  })

  test('what was refused before a rotation is signed with the new secret when it is sent again', async () => {
    const { id, secret } = await create()
    receiver.answer = () => ({ statusCode: 401 })
    const first = await deliver()
    assert.ok(verifies(first, secret))
    const rotated = await call('POST', `${v31}/${id}/rotate_secret`)
    receiver.answer = () => ({ statusCode: 204 })
    const newest = async () => (await server.client.deliveries.list(project).page()).data[0]
    await until('the refusal is recorded', async () => (await newest())?.attemptCount === 1)
    await server.client.deliveries.retry(project, (await newest())?.id ?? '')
    await until('it comes again', () => receiver.received.length === 2)
    const [, again] = receiver.received
    assert.ok(again && verifies(again, rotated.secret) && !verifies(again, secret))
    assert.equal(again.headers['x-composio-delivery-attempt'], '2')
    assert.deepEqual([again.body, again.id], [first.body, first.id])
    await call('DELETE', `${v31}/${id}`)
  })

  test('an endpoint made natively keeps its own format, and verifies after a rotation here', async () => {
    const endpoint = await server.client.endpoints.create(project, { url: receiver.url })
    const id = endpoint.id.replace('ep_', 'ws_')
    const rotated = await call('POST', `${v31}/${id}/rotate_secret`)
    const received = await deliver('order.paid')
    assert.ok(verifiesStandard(received, rotated.secret))
    assert.ok(!verifiesStandard(received, endpoint.secret))
    assert.ok(!verifies(received, rotated.secret))
    assert.equal(received.headers['x-composio-webhook-version'], undefined)
    await call('DELETE', `${v31}/${id}`)
  })

  test('no secret is stored or logged in clear, in answers that are kept neither', async () => {
    const { id, secret } = await create({}, 'create')
    const rotated = await call('POST', `${v31}/${id}/rotate_secret`, { once: 'rotate' })
    const again = await call('POST', `${v31}/${id}/rotate_secret`, { once: 'rotate' })
    assert.equal(again.secret, rotated.secret)
    await deliver()
    const hidden = [
      { what: 'the first secret', value: secret },
      { what: 'the second secret', value: rotated.secret },
      { what: 'the key', value: key },
    ]
    const places = new Map<string, Buffer | string>(await server.store.contents())
    places.set('the log', server.logLines.join(''))
    assert.deepEqual(findInClear(hidden, places), [])
    await call('DELETE', `${v31}/${id}`)
  })
})

/** Composio's page on verification, from its text alone: the key is the secret as it reads. */
function verifies(received: Received, secret: string): boolean {
  return isSignedWith(received, Buffer.from(secret, 'utf8'))
}

/** Standard Webhooks 1.0.0. */
function verifiesStandard(received: Received, secret: string): boolean {
  return isSignedWith(received, Buffer.from(secret.slice('whsec_'.length), 'base64'))
}

function isSignedWith(received: Received, keyBytes: Buffer): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp } = received.headers
  assert.ok(Math.abs(Number(timestamp) * 1000 - received.at) < 300_000)
  const signed = `${id}.${timestamp}.${received.body}`
  const expected = createHmac('sha256', keyBytes).update(signed).digest('base64')
  return signaturesOf(received).includes(`v1,${expected}`)
}

function signaturesOf({ headers }: Received): string[] {
  return String(headers['webhook-signature']).split(' ')
}
