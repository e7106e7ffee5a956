import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { idOfUuid, uuidOf } from '../../src/core/ids.ts'
import { createMobilerunWorld, type MobilerunWorld } from './mobilerun-world.ts'

describe('Mobilerun: deliveries', () => {
  test('shows a delivery with all that was sent and answered', async () => {
    await using world = await createMobilerunWorld()
    const { id, createdBy } = await world.createWebhook()
    const eventId = await world.publish('task.run.failed', {
      id: 'run-7',
      timestamp: '2026-10-31T12:00:00.5+02:00',
    })
    world.server.clock.advance(2_000)
    await world.attemptAll('failed')
    const [delivery] = await deliveriesOf(world, id)
    assert.ok(delivery)
    const { id: deliveryId, ...summary } = delivery
    assert.deepEqual(summary, {
      endpointId: id,
      eventId,
      eventType: 'task.run.failed',
      source: 'task',
      status: 'dead',
      attempts: 1,
      isTest: false,
      lastStatusCode: 500,
      lastError: 'The receiver answered 500.',
      durationMs: 8.5,
      occurredAt: '2026-10-31T10:00:00.500Z',
      completedAt: '2026-11-01T10:00:02.000Z',
      createdAt: '2026-11-01T10:00:00.000Z',
      createdBy,
    })
    assert.equal(eventId, 'run-7')
    const detail = await world.send('GET', `/webhooks/${id}/deliveries/${deliveryId}`)
    assert.deepEqual(detail.body.data, {
      ...delivery,
      attempts: [
        {
          attemptNo: 1,
          sentAt: '2026-11-01T10:00:02.000Z',
          signed: true,
          requestMethod: 'POST',
          requestUrl: 'https://rx.example/in',
          requestHeaders: { 'webhook-signature': 'v1,abc=' },
          requestBody:
            '{"id":"run-7","type":"task.run.failed","source":"task","occurredAt":"2026-10-31T12:00:00.5+02:00","data":{"run":7}}',
          responseStatus: 500,
          responseHeaders: { server: 'rx' },
          responseSnippet: 'sorry',
          error: 'The receiver answered 500.',
          durationMs: 8.5,
        },
      ],
    })
  })

  test('shows nothing as sent where there was no connection, and says why', async () => {
    await using world = await createMobilerunWorld()
    const { id } = await world.createWebhook()
    await world.publish()
    await world.attemptAll('unreached')
    const [delivery] = await deliveriesOf(world, id)
    assert.equal(delivery?.lastError, 'No connection could be made.')
    const detail = await world.send('GET', `/webhooks/${id}/deliveries/${delivery?.id}`)
    const { sentAt: _, ...attempt } = detail.body.data.attempts[0]
    assert.deepEqual(attempt, {
      attemptNo: 1,
      signed: false,
      requestMethod: 'POST',
      requestUrl: 'https://rx.example/in',
      requestHeaders: null,
      requestBody: null,
      responseStatus: null,
      responseHeaders: null,
      responseSnippet: null,
      error: 'Could not connect to rx.example port 443 (ECONNREFUSED).',
      durationMs: 8.5,
    })
  })

  test('does not show a body that may not be the one that was sent', async () => {
    await using world = await createMobilerunWorld()
    const { id } = await world.createWebhook()
    await world.publish()
    await world.attemptAll('delivered')
    const [delivery] = await deliveriesOf(world, id)
    const path = `/webhooks/${id}/deliveries/${delivery?.id}`
    const bodyOf = async () => (await world.send('GET', path)).body.data.attempts[0].requestBody
    assert.match(await bodyOf(), /"run":7/)
    world.server.clock.advance(1)
    await world.send('PATCH', `/webhooks/${id}`, { body: { description: 'changed since' } })
    assert.equal(await bodyOf(), null)
  })

  test('what an event says is shown to keys that may read events', async () => {
    await using world = await createMobilerunWorld()
    const { id } = await world.createWebhook()
    await world.publish()
    await world.attemptAll('delivered')
    const [delivery] = await deliveriesOf(world, id)
    const made = await world.server.call('POST', `${world.project.path}/api-keys`, {
      body: { name: 'Support', scopes: ['deliveries.read'] },
    })
    const { key } = made.body
    const reply = await world.send('GET', `/webhooks/${id}/deliveries/${delivery?.id}`, { key })
    assert.equal(reply.status, 200)
    assert.equal(reply.body.data.attempts[0].requestBody, null)
    assert.equal(reply.body.data.attempts[0].responseStatus, 204)
    assert.ok(!reply.text.includes('"run"'))
  })

  test('a delivery is found under its own webhook only', async () => {
    await using world = await createMobilerunWorld()
    const [first, second] = [await world.createWebhook(), await world.createWebhook()]
    await world.publish()
    const [own] = await deliveriesOf(world, first.id)
    const [foreign] = await deliveriesOf(world, second.id)
    const found = await world.send('GET', `/webhooks/${first.id}/deliveries/${own?.id}`)
    assert.equal(found.status, 200)
    const unknown = await world.send('GET', `/webhooks/${first.id}/deliveries/${first.id}`)
    assert.equal(unknown.status, 404)
    for (const deliveryId of [foreign?.id, idOfUuid('dlv', own?.id ?? ''), 'stats']) {
      const reply = await world.send('GET', `/webhooks/${first.id}/deliveries/${deliveryId}`)
      assert.deepEqual([reply.status, reply.text], [404, unknown.text])
    }
  })

  test('a list ignores the filters of the other ones, whatever they hold', async () => {
    await using world = await createMobilerunWorld()
    const { id } = await world.createWebhook()
    await world.publish()
    const path = `/webhooks/${id}/deliveries?since=1e9&status=success`
    const own = await world.send('GET', path)
    assert.equal(own.status, 200, own.text)
    assert.equal(own.body.items.length, 1)
    const refused = await world.send('GET', '/webhooks/deliveries/stats?since=1e9')
    assert.equal(refused.status, 422, refused.text)
    const stats = await world.send('GET', '/webhooks/deliveries/stats?status=success&eventId=other')
    assert.equal(stats.status, 200, stats.text)
    assert.equal(stats.body.data.total, 1)
  })

  test('the list of all names each URL, that of a deleted webhook too', async () => {
    await using world = await createMobilerunWorld()
    const kept = await world.createWebhook({ url: 'https://kept.example/' })
    const gone = await world.createWebhook({ url: 'https://gone.example/' })
    await world.publish()
    assert.equal((await world.send('DELETE', `/webhooks/${gone.id}`)).status, 204)
    const { items } = (await world.send('GET', '/webhooks/deliveries')).body
    const urlOf = (id: string) =>
      items.find(({ endpointId }: { endpointId: string }) => endpointId === id).endpointUrl
    assert.equal(urlOf(kept.id), 'https://kept.example/')
    assert.equal(urlOf(gone.id), 'https://gone.example/')
    assert.equal((await world.send('GET', `/webhooks/${gone.id}/deliveries`)).status, 404)
  })

  test('counts every delivery, and rates those that have ended', async () => {
    await using world = await createMobilerunWorld()
    const stats = async () => (await world.send('GET', '/webhooks/deliveries/stats')).body.data
    const none = { pending: 0, success: 0, skipped: 0, dead: 0 }
    assert.deepEqual(await stats(), { total: 0, byStatus: none, successRate: null })
    await world.createWebhook()
    for (const outcome of ['delivered', 'delivered', 'delivered', 'failed', 'skipped'] as const) {
      await world.publish()
      await world.attemptAll(outcome)
    }
    await world.publish()
    const byStatus = { pending: 1, success: 3, skipped: 1, dead: 1 }
    assert.deepEqual(await stats(), { total: 6, byStatus, successRate: 0.75 })
  })

  test('pages stay in order while deliveries come in', async () => {
    await using world = await createMobilerunWorld()
    const { id } = await world.createWebhook()
    for (let count = 0; count < 5; count += 1) await world.publish()
    const seen = (await deliveriesOf(world, id)).map((delivery) => delivery.id)
    await world.publish()
    const shifted = await world.send('GET', '/webhooks/deliveries?page=2&pageSize=3')
    const ids = shifted.body.items.map((delivery: { id: string }) => delivery.id)
    assert.deepEqual(ids, seen.slice(2), 'one further, none twice, none left out')
  })
})

describe('Mobilerun: tests', () => {
  test('sends one event of its own and says what came of it', async () => {
    const outcomes = [
      { succeeded: true, statusCode: 204, error: null, durationMs: 1 },
      { succeeded: false, statusCode: 500, error: 'http_status' as const, durationMs: 1 },
      { succeeded: false, statusCode: null, error: 'timeout' as const, durationMs: 15_000 },
    ]
    const sent: string[] = []
    await using world = await createMobilerunWorld({
      changeParts: () => ({
        async attemptNow({ event }) {
          sent.push(event.type)
          const outcome = outcomes[sent.length - 1]
          assert.ok(outcome)
          return outcome
        },
      }),
    })
    const { id } = await world.createWebhook({ eventTypes: ['task.run.failed'] })
    await world.send('PATCH', `/webhooks/${id}`, { body: { state: 'DISABLED' } })
    const tested = async () => (await world.send('POST', `/webhooks/${id}/test`)).body
    assert.deepEqual(await tested(), { data: { success: true, statusCode: 204, error: null } })
    assert.deepEqual(await tested(), {
      data: { success: false, statusCode: 500, error: 'The receiver answered 500.' },
    })
    assert.deepEqual(await tested(), {
      data: { success: false, statusCode: null, error: 'The receiver did not answer in time.' },
    })
    assert.deepEqual(sent, ['webhook.test', 'webhook.test', 'webhook.test'])
    const [delivery] = await deliveriesOf(world, id)
    assert.deepEqual(
      [delivery?.isTest, delivery?.eventType, delivery?.source],
      [true, 'webhook.test', 'webhook'],
    )
  })
})

test('Mobilerun: lists the event types that its documents name', async () => {
  await using world = await createMobilerunWorld()
  const { sources } = (await world.send('GET', '/event-types')).body.data
  const surfaces = { feed: false, toast: false, webhook: true }
  assert.deepEqual(sources, [
    {
      source: 'task',
      events: [
        { type: 'task.run.completed', description: 'A task run has completed.', surfaces },
        { type: 'task.run.failed', description: 'A task run has failed.', surfaces },
      ],
    },
  ])
  const eventTypes = sources.flatMap(({ events }) => events.map(({ type }) => type))
  assert.deepEqual((await world.createWebhook({ eventTypes })).eventTypes, eventTypes)
})

test('Mobilerun: lists the event types of the catalogue beside them', async () => {
  await using world = await createMobilerunWorld()
  const define = (path: string, body: object = {}) => world.server.call('PUT', path, { body })
  await define('/v1/catalog/event-types/app.started', { description: 'An app has started.' })
  await define('/v1/catalog/event-types/app.hidden')
  await define(`${world.project.path}/event-types/app.hidden`, { deprecated: true })
  await define(`${world.project.path}/event-types/task.paused`)
  const { sources } = (await world.send('GET', '/event-types')).body.data
  assert.deepEqual(
    sources.map(({ source, events }: { source: string; events: { type: string }[] }) => [
      source,
      events.map(({ type }) => type),
    ]),
    [
      ['task', ['task.run.completed', 'task.run.failed', 'task.paused']],
      ['app', ['app.started']],
    ],
  )
})

async function deliveriesOf({ send, server, project }: MobilerunWorld, id: string) {
  const reply = await send('GET', `/webhooks/${id}/deliveries`)
  assert.equal(reply.status, 200, reply.text)
  const items = reply.body.items as { id: string; [field: string]: unknown }[]
  const path = `${project.path}/deliveries?endpoint=${idOfUuid('ep', id)}`
  const native = (await server.call('GET', path)).body.data as { id: string }[]
  assert.deepEqual(
    items.map((item) => item.id),
    native.map((item) => uuidOf(item.id)),
  )
  return items
}
