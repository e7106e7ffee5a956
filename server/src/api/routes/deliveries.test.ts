import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApi, type TestApi } from '../../../test/support/test-api.ts'
import type { AttemptResult } from '../../storage/storage.ts'

test('shows a delivery with all its attempts', async () => {
  await using server = await createTestApi()
  const { project, endpoint, event } = await addDelivery(server)
  const pending = await server.call('GET', `${project.path}/deliveries`)
  const [delivery] = pending.body.data
  assert.deepEqual(
    { ...delivery, id: '', next_attempt_at: '' },
    {
      id: '',
      endpoint_id: endpoint.id,
      event_id: event.id,
      event_type: 'order.paid',
      status: 'pending',
      failure_reason: null,
      attempt_count: 0,
      next_attempt_at: '',
      last_status_code: null,
      last_error: null,
      is_test: false,
      created_at: '2026-11-01T10:00:00.000Z',
      completed_at: null,
    },
  )
  await recordFailure(server)
  const read = await server.call('GET', `${project.path}/deliveries/${delivery.id}`)
  assert.equal(read.body.status, 'failed')
  assert.equal(read.body.failure_reason, 'exhausted')
  assert.equal(read.body.last_status_code, 500)
  assert.deepEqual(read.body.attempts, [
    {
      id: 'att_1',
      number: 1,
      started_at: '2026-11-01T10:00:00.000Z',
      duration_ms: 8,
      request: { method: 'POST', url: 'https://a.example/', headers: { 'webhook-id': event.id } },
      secret_ids: [endpoint.secret_id],
      response: { status_code: 500, headers: { a: 'b' }, body: 'no', body_truncated: false },
      error: 'http_status',
      error_detail: null,
    },
  ])
})

test('sends a delivery again, with the full schedule', async () => {
  await using server = await createTestApi()
  const { project } = await addDelivery(server)
  await recordFailure(server)
  const { body } = await server.call('GET', `${project.path}/deliveries`)
  const url = `${project.path}/deliveries/${body.data[0].id}/retry`
  server.clock.advance(60_000)
  const retried = await server.call('POST', url)
  assert.equal(retried.status, 202)
  assert.equal(retried.body.status, 'pending')
  assert.equal(retried.body.next_attempt_at, '2026-11-01T10:01:00.000Z')
  const refused = await server.call('POST', url, { body: { now: true } })
  assert.equal(refused.body.errors[0].code, 'unknown_field')
})

test('refuses to send again to an endpoint that is disabled or deleted', async () => {
  await using server = await createTestApi()
  const { project, endpoint } = await addDelivery(server)
  await recordFailure(server)
  const { body } = await server.call('GET', `${project.path}/deliveries`)
  const url = `${project.path}/deliveries/${body.data[0].id}/retry`
  const endpointUrl = `${project.path}/endpoints/${endpoint.id}`
  await server.call('PATCH', endpointUrl, { body: { state: 'disabled' } })
  assert.equal((await server.call('POST', url)).body.code, 'endpoint_disabled')
  await server.call('DELETE', endpointUrl)
  const deleted = await server.call('POST', url)
  assert.equal(deleted.status, 409)
  assert.equal(deleted.body.code, 'endpoint_deleted')
})

test('filters a list by endpoint, event, type, status and time', async () => {
  await using server = await createTestApi()
  const { project, endpoint, event } = await addDelivery(server)
  server.clock.advance(60_000)
  await server.call('POST', `${project.path}/events`, { body: { type: 'user.new', data: {} } })
  const count = async (query: string) => {
    const reply = await server.call('GET', `${project.path}/deliveries?${query}`)
    assert.equal(reply.status, 200, reply.text)
    return reply.body.data.length
  }
  for (const [query, expected] of [
    ['', 2],
    [`endpoint=${endpoint.id}`, 2],
    ['endpoint=main', 2],
    [`endpoint=ep_${'0'.repeat(32)}`, 0],
    [`event=${event.id}`, 1],
    ['event_type=user.new', 1],
    ['status=pending', 2],
    ['status=failed', 0],
    ['since=2026-11-01T10:01:00Z', 1],
    ['until=2026-11-01T10:01:00Z', 1],
    [`event_type=order.paid&endpoint=main&status=pending&until=2026-11-01T12:00:00%2B01:00`, 1],
  ] as const) {
    assert.equal(await count(query), expected, query)
  }
  const unknown = await server.call('GET', `${project.path}/deliveries?endpoint=nobody`)
  assert.equal(unknown.body.param, 'endpoint')
  const wrong = await server.call('GET', `${project.path}/deliveries?since=today&status=lost`)
  assert.equal(wrong.body.errors.length, 2)
})

async function addDelivery(server: TestApi) {
  const project = await server.addProject()
  const endpoint = await server.call('POST', `${project.path}/endpoints`, {
    body: { url: 'https://a.example/', uid: 'main' },
  })
  const event = await server.call('POST', `${project.path}/events`, {
    body: { type: 'order.paid', data: {} },
  })
  return { project, endpoint: endpoint.body, event: event.body }
}

/** As the dispatcher would: claims what is due and records one attempt that ends it. */
async function recordFailure(server: TestApi): Promise<void> {
  const claims = await server.storage.claimDue({
    limit: 10,
    perEndpointMax: 10,
    fullEndpointIds: new Set(),
  })
  assert.equal(claims.length, 1)
  const now = server.clock.now()
  const results = claims.map(
    (claim): AttemptResult => ({
      deliveryId: claim.id,
      projectId: claim.projectId,
      endpointId: claim.endpointId,
      leaseToken: claim.leaseToken,
      attempt: {
        id: 'att_1',
        startedAt: now,
        durationMs: 8,
        request: {
          method: 'POST',
          url: 'https://a.example/',
          headers: { 'webhook-id': claim.event.id },
        },
        secretIds: [],
        response: { statusCode: 500, headers: { a: 'b' }, body: 'no', bodyTruncated: false },
        error: 'http_status',
        errorDetail: null,
      },
      next: { status: 'failed', reason: 'exhausted', at: now },
    }),
  )
  for (const result of results) {
    const secrets = await server.storage.listSecrets(result.endpointId)
    if (result.attempt !== null) result.attempt.secretIds = secrets.map(({ id }) => id)
  }
  await server.storage.transact((tx) => tx.recordAttempts(results))
}
