import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { ApiError } from '@countersign/sdk'
import { Webhook } from 'standardwebhooks'
import { type Receiver, startReceiver } from './support/receiver.ts'
import { startTestApp, type TestApp } from './support/start-test-app.ts'
import { until } from './support/until.ts'

const HOUR_MS = 3_600_000

describe('rotation, end to end', () => {
  let server: TestApp
  let receiver: Receiver
  let project: string

  before(async () => {
    server = await startTestApp({ environment: { COUNTERSIGN_RETRY_SCHEDULE: '1h,1h' } })
  })
  beforeEach(async () => {
    await receiver?.close()
    receiver = await startReceiver()
    receiver.toleranceSeconds = 1e9
    project = (await server.client.projects.create({ name: 'rotation' })).id
  })
  after(async () => {
    await receiver.close()
    await server.dispose()
  })

  const createEndpoint = () => server.client.endpoints.create(project, { url: receiver.url })
  const publish = async () => {
    const before = receiver.received.length
    const event = await server.client.events.publish(project, { type: 'a.b', data: { n: 1 } })
    await until('the event arrives', () => receiver.received.length > before)
    const request = receiver.received.find(({ id }) => id === event.id)
    assert.ok(request)
    return request
  }
  const secretIdsOf = (request: Receiver['received'][number]) =>
    String(request.headers['webhook-secret-ids']).split(',')

  test('during the overlap each delivery carries both signatures, newest first', async () => {
    const endpoint = await createEndpoint()
    const rotated = await server.client.endpoints.rotateSecret(project, endpoint.id, {
      expireCurrentIn: 60,
    })
    const request = await publish()
    assert.deepEqual(secretIdsOf(request), [rotated.secretId, endpoint.secretId])
    for (const secret of [endpoint.secret, rotated.secret]) {
      const payload = new Webhook(secret).verify(request.body, standardHeaders(request))
      assert.equal((payload as { type: string }).type, 'a.b')
    }
  })

  test('after the window the old secret signs nothing, though no job had to run', async () => {
    const endpoint = await createEndpoint()
    const rotated = await server.client.endpoints.rotateSecret(project, endpoint.id, {
      expireCurrentIn: 60,
    })
    server.clock.adjust(60_000)
    const request = await publish()
    assert.deepEqual(secretIdsOf(request), [rotated.secretId])
    assert.throws(() => new Webhook(endpoint.secret).verify(request.body, standardHeaders(request)))
    const rotation = await server.client.rotations.get(project, endpoint.id, rotated.rotation.id)
    assert.equal(rotation.status, 'completed')
    assert.equal(rotation.completedBy, 'expiry')
  })

  test('a retry scheduled before a rotation is signed with the new set (proof 5)', async () => {
    const endpoint = await createEndpoint()
    receiver.answer = () => ({ statusCode: 500 })
    const event = await server.client.events.publish(project, { type: 'a.b', data: {} })
    const attempts = () => receiver.received.filter(({ id }) => id === event.id)
    await until('the first attempt was made', () => attempts().length === 1)
    const rotated = await server.client.endpoints.rotateSecret(project, endpoint.id, {
      expireCurrentIn: 2 * 3600,
    })
    await recorded(event.id, 1)
    server.clock.adjust(1.3 * HOUR_MS)
    await server.client.events.publish(project, { type: 'wake.up', data: {} })
    await until('the second attempt was made', () => attempts().length === 2)
    await recorded(event.id, 2)
    server.clock.adjust(1.3 * HOUR_MS)
    await server.client.events.publish(project, { type: 'wake.up', data: {} })
    await until('the third attempt was made', () => attempts().length === 3)

    const [first, second, third] = attempts()
    assert.ok(first && second && third)
    assert.deepEqual(secretIdsOf(first), [endpoint.secretId])
    assert.deepEqual(secretIdsOf(second), [rotated.secretId, endpoint.secretId])
    assert.deepEqual(secretIdsOf(third), [rotated.secretId], 'after the window: without the old')
    const timestamps = [first, second, third].map(({ headers }) => headers['webhook-timestamp'])
    assert.equal(new Set(timestamps).size, 3, 'each attempt has a timestamp of its own')
  })

  const recorded = (eventId: string, attemptCount: number) =>
    until('the attempt is recorded', async () => {
      const { data } = await server.client.deliveries.list(project, { event: eventId }).page()
      return data[0]?.attemptCount === attemptCount
    })

  test('50 rotates at once: one succeeds, the rest get 409, its secret signs (proof 2)', async () => {
    for (const options of [{}, { force: true }, { expireCurrentIn: 0, force: true }]) {
      const endpoint = await createEndpoint()
      const calls = Array.from({ length: 50 }, () =>
        server.client.endpoints.rotateSecret(project, endpoint.id, {
          ...options,
          // Calls that come in one after the other are not at once: what each was made for says it.
          expectedCurrentSecretId: endpoint.secretId,
        }),
      )
      const settled = await Promise.allSettled(calls)
      const won = settled.filter((call) => call.status === 'fulfilled')
      assert.equal(won.length, 1, `exactly one wins with ${JSON.stringify(options)}`)
      for (const call of settled) {
        if (call.status === 'rejected') {
          assert.ok(call.reason instanceof ApiError)
          assert.equal(call.reason.status, 409)
        }
      }
      receiver.secrets = [won[0]?.value.secret ?? '']
      assert.ok((await publish()).isVerified)
      receiver.secrets = []
      await server.client.endpoints.delete(project, endpoint.id)
    }
  })

  test('an answer waits for calls that were sent together with its own', async () => {
    const endpoint = await createEndpoint()
    const askedAt = performance.now()
    await server.client.endpoints.rotateSecret(project, endpoint.id, { expireCurrentIn: 0 })
    const answeredAfterMs = performance.now() - askedAt
    assert.ok(answeredAfterMs >= 45, `${answeredAfterMs} ms`)
  })

  test('every request signed after the answer carries the new signature', async () => {
    const endpoint = await createEndpoint()
    let isPublishing = true
    const publishing = (async () => {
      while (isPublishing) await server.client.events.publish(project, { type: 'a.b', data: {} })
    })()
    for (let round = 0; round < 20; round++) {
      const { secretId } = await server.client.endpoints.rotateSecret(project, endpoint.id, {
        expireCurrentIn: 0,
      })
      const answeredAt = server.clock.now()
      const seen = receiver.received.length
      await until('more deliveries arrive', () => receiver.received.length > seen + 3)
      for (const request of receiver.received.slice(seen)) {
        const signedAt = Number(request.headers['webhook-timestamp']) * 1000
        if (signedAt > answeredAt) assert.deepEqual(secretIdsOf(request), [secretId])
      }
    }
    isPublishing = false
    await publishing
  })

  test('the same Idempotency-Key yields the same secret (trap: lost response)', async () => {
    const endpoint = await createEndpoint()
    const call = () =>
      server.client.endpoints.rotateSecret(
        project,
        endpoint.id,
        { expireCurrentIn: 60 },
        { idempotencyKey: 'rotate-1' },
      )
    const first = await call()
    assert.deepEqual(await call(), first)
    await server.restart()
    assert.deepEqual(await call(), first, 'also after a restart')
  })

  test('a wall clock set back does not bring back an expired secret (proof 7)', async () => {
    const endpoint = await createEndpoint()
    const { secretId } = await server.client.endpoints.rotateSecret(project, endpoint.id, {
      expireCurrentIn: 60,
    })
    server.clock.adjust(61_000)
    assert.deepEqual(secretIdsOf(await publish()), [secretId])
    server.clock.adjust(-120_000)
    assert.deepEqual(secretIdsOf(await publish()), [secretId])
    await server.restart()
    server.clock.adjust(-60_000)
    assert.deepEqual(secretIdsOf(await publish()), [secretId], 'also after a restart')
    const { data } = await server.client.endpoints.listSecrets(project, endpoint.id).page()
    assert.deepEqual(
      data.map(({ status }) => status),
      ['current', 'expired'],
    )
    server.clock.adjust()
  })
})

function standardHeaders(request: Receiver['received'][number]): Record<string, string> {
  return {
    'webhook-id': request.id,
    'webhook-timestamp': String(request.headers['webhook-timestamp']),
    'webhook-signature': String(request.headers['webhook-signature']),
  }
}
