import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import ComposioClient, {
  AuthenticationError,
  BadRequestError,
  ConflictError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from '@composio/client'
import { Composio } from '@composio/core'
import { type Received, type Receiver, startReceiver } from '../support/receiver.ts'
import { startTestApp, type TestApp } from '../support/start-test-app.ts'
import { until } from '../support/until.ts'

const triggerMessage = 'composio.trigger.message'
const trigger = {
  log_id: 'log_1',
  trigger_slug: 'GITHUB_PUSH_EVENT',
  trigger_id: 'ti_1',
  connected_account_id: 'ca_1',
  auth_config_id: 'ac_1',
  user_id: 'u1',
}

interface SentRequest {
  origin: string
  method: string
  path: string
}

describe('the official clients of Composio, unmodified', () => {
  let server: TestApp
  let receiver: Receiver
  let project: string
  let key: string
  let client: ComposioClient
  let composio: Composio
  /** Everything that this process has asked of anyone by `fetch`. */
  let sent: SentRequest[]

  const note = (message: unknown) => {
    const { origin, method, path } = (message as { request: SentRequest }).request
    sent.push({ origin: String(origin), method, path })
  }

  before(async () => {
    // What they would send home: how they are used, and whether there is a newer one.
    process.env.TELEMETRY_DISABLED = 'true'
    server = await startTestApp()
  })
  beforeEach(async () => {
    sent = []
    subscribe('undici:request:create', note)
    receiver = await startReceiver()
    project = (await server.client.projects.create({ name: 'Composio' })).id
    key = await createKey({ dialect: 'composio' })
    client = new ComposioClient({ apiKey: key, baseURL: server.app.url })
    composio = new Composio({
      apiKey: key,
      baseURL: server.app.url,
      allowTracking: false,
      disableVersionCheck: true,
    })
  })
  afterEach(async () => {
    unsubscribe('undici:request:create', note)
    const origins = new Set(sent.map(({ origin }) => origin))
    assert.deepEqual([...origins], [server.app.url], 'nothing left for anywhere else')
    await receiver.close()
  })
  after(() => server.dispose())

  async function createKey(fields: object): Promise<string> {
    const response = await fetch(`${server.app.url}/v1/projects/${project}/api-keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.rootKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'A client', ...fields }),
    })
    const { key: value } = (await response.json()) as { key?: string }
    assert.ok(value)
    return value
  }

  async function setReveal(isOn: boolean): Promise<void> {
    const response = await fetch(`${server.app.url}/v1/projects/${project}`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${server.rootKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ settings: { reveal_secret_in_reads: isOn } }),
    })
    assert.equal(response.status, 200)
  }

  /** Publishes and waits for what arrives of it. */
  async function deliver(type = triggerMessage): Promise<Received> {
    const before = receiver.received.length
    const event = { type, data: { ref: 'main' }, metadata: trigger }
    await server.client.events.publish(project, event)
    await until('the delivery arrives', () => receiver.received.length > before)
    const received = receiver.received[before]
    assert.ok(received)
    return received
  }

  function verify({ headers, body }: Received, secret: string) {
    return composio.triggers.verifyWebhook({
      id: String(headers['webhook-id']),
      timestamp: String(headers['webhook-timestamp']),
      signature: String(headers['webhook-signature']),
      payload: body,
      secret,
    })
  }

  const invalid = { name: 'ComposioWebhookSignatureVerificationError' }

  test('the client makes, lists, reads, changes, rotates and deletes a subscription', async () => {
    const subscriptions = client.webhookSubscriptions
    const made = await subscriptions.create({
      webhook_url: receiver.url,
      enabled_events: [triggerMessage],
    })
    assert.equal(made.version, 'V3')
    const { secret, ...rest } = made
    const masked = { ...rest, secret: `****${secret.slice(-4)}` }
    assert.deepEqual(await subscriptions.retrieve(made.id), masked)
    assert.deepEqual(await subscriptions.list(), {
      items: [masked],
      next_cursor: null,
      total_pages: 1,
      current_page: 1,
      total_items: 1,
    })
    // Null is sent as an empty text.
    assert.equal((await subscriptions.list({ limit: null })).items.length, 1)
    const changed = await subscriptions.update(made.id, { version: 'V2' })
    assert.deepEqual({ ...changed, updated_at: '' }, { ...masked, version: 'V2', updated_at: '' })
    const rotated = await subscriptions.rotateSecret(made.id)
    assert.deepEqual(Object.keys(rotated), ['id', 'secret'])
    assert.equal(rotated.id, made.id)
    assert.notEqual(rotated.secret, secret)
    assert.deepEqual(await subscriptions.delete(made.id), { success: true })
    await assert.rejects(subscriptions.retrieve(made.id).then(), NotFoundError)
  })

  test('the client goes through pages by their cursor', async () => {
    for (let count = 0; count < 3; count += 1) {
      await server.client.endpoints.create(project, { url: receiver.url })
    }
    const { webhookSubscriptions } = client
    const first = await webhookSubscriptions.list({ limit: 2 })
    const second = await webhookSubscriptions.list({ limit: 2, cursor: `${first.next_cursor}` })
    const ids = [...first.items, ...second.items].map(({ id }) => id)
    assert.deepEqual([new Set(ids).size, second.next_cursor], [3, null])
  })

  test('the client knows the event types', async () => {
    const { items } = await client.webhookSubscriptions.listEventTypes()
    const expected = [triggerMessage, 'composio.connected_account.expired']
    assert.deepEqual(
      items.map(({ event_type }) => event_type),
      [...expected, 'composio.trigger.disabled'],
    )
    assert.deepEqual(items[0]?.supported_versions, ['V1', 'V2', 'V3'])
  })

  test('a second create is refused once: the client does not try again', async () => {
    const body = { webhook_url: receiver.url, enabled_events: [triggerMessage] }
    await client.webhookSubscriptions.create(body)
    sent.length = 0
    await assert.rejects(client.webhookSubscriptions.create(body).then(), ConflictError)
    assert.deepEqual(
      sent.map(({ method }) => method),
      ['POST'],
    )
  })

  test('the client reads every refusal as what it is', async () => {
    const { webhookSubscriptions } = client
    const wrong = (options: object) =>
      new ComposioClient({ apiKey: key, baseURL: server.app.url, ...options }).webhookSubscriptions
    const reader = await createKey({ scopes: ['webhooks.read'] })
    const body = { webhook_url: receiver.url, enabled_events: [triggerMessage] }
    const { id } = await webhookSubscriptions.create(body)
    await assert.rejects(wrong({ apiKey: 'wrong' }).list().then(), AuthenticationError)
    const both = { defaultHeaders: { 'x-user-api-key': key } }
    assert.equal((await wrong(both).list()).items.length, 1, 'the caller’s own header goes alone')
    await assert.rejects(wrong({ apiKey: reader }).rotateSecret(id).then(), PermissionDeniedError)
    await assert.rejects(
      webhookSubscriptions.update(id, { enabled_events: ['order.paid'] }).then(),
      (error: InstanceType<typeof BadRequestError>) => {
        assert.ok(error instanceof BadRequestError)
        assert.match(error.message, /enabled_events\.0: Must be one of/)
        return true
      },
    )
    await assert.rejects(webhookSubscriptions.retrieve('ws_none').then(), NotFoundError)
  })

  test('the client waits as long as it is told when it asks too much', async () => {
    const strict = await startTestApp({
      environment: { COUNTERSIGN_RATE_LIMIT_PER_SECOND: '1', COUNTERSIGN_RATE_LIMIT_BURST: '1' },
    })
    try {
      const limited = await strict.client.projects.create({ name: 'Limited' })
      const response = await fetch(`${strict.app.url}/v1/projects/${limited.id}/api-keys`, {
        method: 'POST',
        headers: { authorization: `Bearer ${strict.rootKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'A client', dialect: 'composio' }),
      })
      const { key: apiKey } = (await response.json()) as { key: string }
      const impatient = new ComposioClient({ apiKey, baseURL: strict.app.url, maxRetries: 0 })
      const patient = new ComposioClient({ apiKey, baseURL: strict.app.url, maxRetries: 2 })
      await patient.webhookSubscriptions.listEventTypes()
      await assert.rejects(impatient.webhookSubscriptions.list().then(), RateLimitError)
      assert.equal((await patient.webhookSubscriptions.list()).total_items, 0)
      sent = sent.filter(({ origin }) => origin !== strict.app.url)
    } finally {
      await strict.dispose()
    }
  })

  test('set() makes the subscription, then changes it, and nobody else’s endpoint', async () => {
    const foreign = await server.client.endpoints.create(project, { url: receiver.url })
    const { subscriptions } = composio.webhooks
    const made = await subscriptions.set({ webhookUrl: receiver.url })
    assert.deepEqual([made.version, made.enabledEvents], ['V3', [triggerMessage]])
    assert.match(made.secret ?? '', /^[0-9a-f]{64}$/)
    const changed = await subscriptions.set({ webhookUrl: `${receiver.url}?2`, version: 'V2' })
    assert.deepEqual([changed.id, changed.version], [made.id, 'V2'])
    assert.equal(changed.webhookUrl, `${receiver.url}?2`)
    assert.equal((await server.client.endpoints.get(project, foreign.id)).url, receiver.url)
    const { items, totalItems } = await subscriptions.list()
    assert.deepEqual([items[0]?.id, totalItems], [made.id, 2])
    const got = await subscriptions.get(made.id)
    assert.equal(got.secret, `****${made.secret?.slice(-4)}`)
    await setReveal(true)
    assert.equal((await subscriptions.get(made.id)).secret, made.secret)
    assert.equal((await subscriptions.set({ webhookUrl: receiver.url })).secret, made.secret)
    const types = (await subscriptions.listEventTypes()).items
    assert.deepEqual(types[1]?.supportedVersions, ['V3'])
    const updated = await subscriptions.update(made.id, {
      enabledEvents: [types[2]?.eventType ?? ''],
    })
    assert.deepEqual(updated.enabledEvents, ['composio.trigger.disabled'])
    assert.deepEqual(await subscriptions.delete(made.id), { success: true })
  })

  test('verifyWebhook takes what is sent, before a rotation and after it', async () => {
    const { subscriptions } = composio.webhooks
    const { id, secret = '' } = await subscriptions.set({ webhookUrl: receiver.url })
    const first = await deliver()
    const result = await verify(first, secret)
    assert.equal(result.version, 'V3')
    assert.equal(result.payload.triggerSlug, 'GITHUB_PUSH_EVENT')
    assert.equal(result.payload.userId, 'u1')
    assert.deepEqual(result.payload.payload, { ref: 'main' })

    const rotated = await subscriptions.rotateSecret(id)
    const second = await deliver()
    assert.equal((await verify(second, rotated.secret)).version, 'V3')
    await assert.rejects(verify(second, secret), invalid)
    await assert.rejects(verify(first, rotated.secret), invalid)
    await assert.rejects(verify({ ...second, body: `${second.body} ` }, rotated.secret), invalid)
    const parsed = await composio.triggers.parse(second, { verifySecret: rotated.secret })
    assert.equal(parsed.payload.triggerSlug, 'GITHUB_PUSH_EVENT')
  })

  test('verifyWebhook takes both secrets while a window of the native API is open', async () => {
    const { id, secret = '' } = await composio.webhooks.subscriptions.set({
      webhookUrl: receiver.url,
    })
    const rotated = await server.client.endpoints.rotateSecret(project, id.replace('ws_', 'ep_'), {
      expireCurrentIn: 600,
    })
    const received = await deliver()
    assert.equal((await verify(received, secret)).version, 'V3')
    assert.equal((await verify(received, `${rotated.secret}`)).version, 'V3')
  })

  test('verifyWebhook takes every version, and events that are no triggers', async () => {
    const enabledEvents = [triggerMessage, 'composio.trigger.disabled']
    for (const version of ['V1', 'V2', 'V3'] as const) {
      const { secret: shown } = await composio.webhooks.subscriptions.set({
        webhookUrl: receiver.url,
        enabledEvents,
        version,
      })
      assert.ok(shown)
      const [subscription] = (await composio.webhooks.subscriptions.list({ limit: 1 })).items
      const { secret } = await composio.webhooks.subscriptions.rotateSecret(`${subscription?.id}`)
      const result = await verify(await deliver(), secret)
      assert.equal(result.version, version)
      assert.equal(result.payload.triggerSlug.toUpperCase(), 'GITHUB_PUSH_EVENT')
      assert.deepEqual(result.payload.payload, { ref: 'main' })
      if (version !== 'V3') continue
      const other = await verify(await deliver('composio.trigger.disabled'), secret)
      assert.equal(other.version, 'V3')
    }
  })
})
