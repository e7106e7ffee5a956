import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApi } from '../../../test/support/test-api.ts'

const since = '2026-11-01T00:00:00Z'

/** An endpoint that missed two events while it was disabled, and is active again. */
async function setUp() {
  const server = await createTestApi()
  const project = await server.addProject()
  const created = await server.call('POST', `${project.path}/endpoints`, {
    body: { url: 'https://a.example/', state: 'disabled' },
  })
  const path = `${project.path}/endpoints/${created.body.id}`
  const publish = () =>
    server.call('POST', `${project.path}/events`, {
      body: { type: 'order.paid', data: { name: 'Ada' }, metadata: { by: 'Ada' } },
    })
  const events = [await publish(), await publish()].map(({ body }) => body.id as string)
  return {
    server,
    project,
    path,
    events,
    publish,
    enable: () => server.call('PATCH', path, { body: { state: 'active' } }),
    recover: (body: object) => server.call('POST', `${path}/recover`, { body }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

test('accepts a recovery, which makes what was missed due again', async () => {
  await using t = await setUp()
  await t.enable()
  t.server.clock.advance(1000)
  const { status, body } = await t.recover({ since })
  assert.equal(status, 202)
  assert.deepEqual(body, {
    endpoint_id: t.path.split('/').at(-1),
    since: '2026-11-01T00:00:00.000Z',
    until: '2026-11-01T10:00:01.000Z',
    statuses: ['failed', 'skipped'],
    delivery_count: 2,
  })
  const { storage, clock } = t.server
  assert.equal(await storage.transact((tx) => tx.continueRecoveries(clock.now(), 10)), 2)
  const pending = await t.server.call('GET', `${t.project.path}/deliveries?status=pending`)
  assert.equal(pending.body.data.length, 2)
  const log = await t.server.call('GET', `${t.project.path}/audit-log?action=endpoint.recovered`)
  assert.equal(log.body.data[0].details.since, '2026-11-01T00:00:00.000Z')
})

test('refuses what cannot be recovered', async () => {
  await using t = await setUp()
  const disabled = await t.recover({ since })
  assert.equal(disabled.status, 409)
  assert.equal(disabled.body.code, 'endpoint_disabled')
  await t.enable()
  for (const body of [
    {},
    { since: 'yesterday' },
    { since: '2026-11-02T00:00:00Z' },
    { since, until: since },
    { since, statuses: [] },
    { since, statuses: ['delivered'] },
  ]) {
    assert.equal((await t.recover(body)).status, 422, JSON.stringify(body))
  }
  const reader = await t.server.call('POST', `${t.project.path}/api-keys`, {
    body: { name: 'Reader', scopes: ['deliveries.read', 'webhooks.write'] },
  })
  const asReader = { key: reader.body.key, body: { since } }
  assert.equal((await t.server.call('POST', `${t.path}/recover`, asReader)).status, 403)
})

test('counts an endpoint’s deliveries, whole and in buckets', async () => {
  await using t = await setUp()
  await t.enable()
  t.server.clock.advance(3_600_000)
  await t.publish()
  const { status, body } = await t.server.call('GET', `${t.path}/stats?since=${since}&bucket=1h`)
  assert.equal(status, 200)
  assert.deepEqual(body, {
    since: '2026-11-01T00:00:00.000Z',
    until: '2026-11-01T11:00:00.000Z',
    total: 3,
    counts: { pending: 1, delivered: 0, failed: 0, skipped: 2 },
    success_rate: null,
    duration_ms: null,
    buckets: [
      { at: '2026-11-01T10:00:00.000Z', pending: 0, delivered: 0, failed: 0, skipped: 2 },
      { at: '2026-11-01T11:00:00.000Z', pending: 1, delivered: 0, failed: 0, skipped: 0 },
    ],
    is_partial: false,
  })
  const latest = await t.server.call('GET', `${t.path}/stats?since=2026-11-01T10:30:00Z`)
  assert.equal(latest.body.total, 1)
  assert.deepEqual(latest.body.buckets, [])
  for (const query of [
    'since=x',
    'bucket=1',
    'bucket=1s',
    `since=2000-01-01T00:00:00Z&bucket=1m`,
  ]) {
    assert.equal((await t.server.call('GET', `${t.path}/stats?${query}`)).status, 422, query)
  }
})

test('tells what became of all deliveries of a project', async () => {
  await using t = await setUp()
  await t.enable()
  const ofEndpoint = await t.server.call('GET', `${t.path}/stats?bucket=1h`)
  const path = `${t.project.path}/stats`
  const alone = await t.server.call('GET', `${path}?bucket=1h`)
  assert.equal(alone.status, 200)
  assert.deepEqual(alone.body, ofEndpoint.body)
  await t.server.call('POST', `${t.project.path}/endpoints`, {
    body: { url: 'https://example.com/second' },
  })
  await t.publish()
  assert.equal((await t.server.call('GET', path)).body.total, alone.body.total + 2)
  assert.equal((await t.server.call('GET', `${path}?bucket=1s`)).status, 422)
  const reader = await t.server.call('POST', `${t.project.path}/api-keys`, {
    body: { name: 'Reader', scopes: ['webhooks.read'] },
  })
  assert.equal((await t.server.call('GET', path, { key: reader.body.key })).status, 403)
})

test('expunges an event, which can then neither be read nor sent again', async () => {
  await using t = await setUp()
  await t.enable()
  const [event] = t.events
  const path = `${t.project.path}/events/${event}`
  assert.equal((await t.server.call('DELETE', `${path}/payload`)).status, 204)
  const kept = await t.server.call('GET', path)
  assert.equal(kept.status, 200)
  assert.equal(kept.body.data, null)
  assert.doesNotMatch(kept.text, /Ada/)
  const { body } = await t.server.call('GET', `${t.project.path}/deliveries?event=${event}`)
  const retry = await t.server.call('POST', `${t.project.path}/deliveries/${body.data[0].id}/retry`)
  assert.equal(retry.status, 409)
  assert.equal(retry.body.code, 'event_expunged')
  assert.equal((await t.server.call('DELETE', `${path}/payload`)).status, 204)
  assert.equal(
    (await t.server.call('DELETE', `${t.project.path}/events/evt_none/payload`)).status,
    404,
  )
  const log = await t.server.call('GET', `${t.project.path}/audit-log?action=event.expunged`)
  assert.equal(log.body.data[0].target.id, event)
})
