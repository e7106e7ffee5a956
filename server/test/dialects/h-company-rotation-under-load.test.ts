import assert from 'node:assert/strict'
import { createHmac, timingSafeEqual } from 'node:crypto'
import { test } from 'node:test'
import { type Publisher, startPublisher } from '../support/publisher.ts'
import { type Received, startReceiver } from '../support/receiver.ts'
import { startTestApp } from '../support/start-test-app.ts'
import { until } from '../support/until.ts'

const rotationsMax = 3
const perSecond = 200

/**
 * Goal: a rotation of H Company's, which cuts, is refused by no receiver that holds the old and the
 * new secret, with retries in flight; and what is signed after the answer carries the new signature
 * alone. Method: a receiver that fails every tenth request, so that retries are always in flight;
 * each request is judged by the secrets around the instant at which it came, which is what a receiver
 * holds that has both. The new one is known with the answer of the rotate only, so that is done last.
 */
test('a rotation under load, with retries in flight, is rejected by no receiver', async (t) => {
  const server = await startTestApp({
    environment: { COUNTERSIGN_RETRY_SCHEDULE: Array(20).fill('200ms').join(',') },
  })
  const receiver = await startReceiver()
  let publisher: Publisher | undefined
  t.after(async () => {
    await publisher?.stop()
    await receiver.close()
    await server.dispose()
  })
  const { client } = server
  const project = (await client.projects.create({ name: 'H Company' })).id
  const { key } = await client.apiKeys.create(project, { name: 'H', dialect: 'h-company' })
  const call = async (path: string, body?: object) => {
    const response = await fetch(`${server.app.url}/api/v2/webhooks${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    assert.ok(response.ok, await response.clone().text())
    return (await response.json()) as { id: string; secret: string }
  }
  const webhook = await call('', { url: receiver.url, enabled_events: ['session.idle'] })
  const secrets = [webhook.secret]
  const came: { received: Received; newestKnown: number; at: number }[] = []
  const delivered = new Set<string>()
  receiver.answer = (received) => {
    came.push({ received, newestKnown: secrets.length - 1, at: Date.now() })
    if (came.length % 10 === 0) return { statusCode: 500 }
    delivered.add((JSON.parse(received.body) as { id: string }).id)
    return { statusCode: 204 }
  }
  publisher = startPublisher({ client, project, type: 'session.idle', perSecond, idPrefix: 'h' })
  const endpointId = `ep_${webhook.id.replaceAll('-', '')}`
  const cuts: { answeredAt: number; newSecretId: string }[] = []
  for (let round = 0; round < rotationsMax; round += 1) {
    const target = receiver.received.length + perSecond
    await until('there is load', () => receiver.received.length > target)
    const { secret } = await call(`/${webhook.id}/rotate`)
    secrets.push(secret)
    const answeredAt = Date.now()
    for await (const newest of client.endpoints.listSecrets(project, endpointId)) {
      cuts.push({ answeredAt, newSecretId: newest.id })
      break
    }
  }
  const last = receiver.received.length + perSecond
  await until('there is load after the last rotation', () => receiver.received.length > last)
  await publisher.stop()
  const { acceptedIds } = publisher
  await until('everything is delivered', () => [...acceptedIds].every((id) => delivered.has(id)))

  const rejected = came.filter(({ received, newestKnown, at }) => {
    const held = secrets.slice(Math.max(0, newestKnown - 1), newestKnown + 2)
    return !held.some((secret) => verifies(received, secret, at))
  })
  assert.equal(rejected.length, 0)
  assert.ok(came.length > acceptedIds.size, 'there were retries')
  await assertCutsHold(server, project, cuts)
})

/** Every attempt that began after a rotate had answered was signed with that secret, or a later one. */
async function assertCutsHold(
  { client }: Awaited<ReturnType<typeof startTestApp>>,
  project: string,
  cuts: readonly { answeredAt: number; newSecretId: string }[],
): Promise<void> {
  let judged = 0
  for await (const { id } of client.deliveries.list(project, { limit: 100 })) {
    const { attempts } = await client.deliveries.get(project, id)
    for (const { startedAt, secretIds } of attempts) {
      const passed = cuts.filter(({ answeredAt }) => Date.parse(startedAt) > answeredAt)
      if (passed.length === 0) continue
      assert.equal(secretIds.length, 1, 'one signature')
      const signedWith = cuts.findIndex(({ newSecretId }) => newSecretId === secretIds[0])
      assert.ok(signedWith >= passed.length - 1, 'no earlier secret signs')
      judged += 1
    }
    if (judged > attemptsJudgedMax) return
  }
  assert.ok(judged > 0)
}

const attemptsJudgedMax = 600

/** Written from dialects.md 3.4 alone. */
function verifies({ headers, body }: Received, secret: string, at: number): boolean {
  const timestamp = String(headers['x-h-webhook-timestamp'])
  if (Math.abs(at / 1000 - Number(timestamp)) > 300) return false
  const expected = createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex')
  const given = Buffer.from(String(headers['x-h-webhook-signature']))
  const own = Buffer.from(`sha256=${expected}`)
  return given.length === own.length && timingSafeEqual(given, own)
}
