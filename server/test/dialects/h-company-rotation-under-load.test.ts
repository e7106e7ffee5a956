import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Publisher, startPublisher } from '../support/publisher.ts'
import { type Received, startReceiver } from '../support/receiver.ts'
import { startTestApp } from '../support/start-test-app.ts'
import { until } from '../support/until.ts'
import { isSignedWith } from './h-company-verifier.ts'

const rotationsMax = 3
const perSecond = 200
/** One request in so many is answered 500, so that retries are always in flight. */
const failedEach = 10

/**
 * Goal: a rotation of H Company's, which cuts, is refused by no receiver that holds the old and the
 * new secret, with retries in flight; and what is signed after the answer carries the new signature
 * alone. Method: every request is kept and judged in the end, since the new secret is known with the
 * answer only: by the two secrets that such a receiver holds when it comes, and by the second at
 * which it was signed.
 */
test('a rotation under load, with retries in flight, is rejected by no receiver', async (t) => {
  const server = await startTestApp({
    environment: { COUNTERSIGN_RETRY_SCHEDULE: Array(20).fill('500ms').join(',') },
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
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    assert.ok(response.ok, await response.clone().text())
    return (await response.json()) as { id: string; secret: string }
  }
  const webhook = await call('', { url: receiver.url, enabled_events: ['session.idle'] })
  const deliveredIds = new Set<string>()
  receiver.answer = (received) => {
    if (receiver.received.length % failedEach === 0) return { statusCode: 500 }
    deliveredIds.add(eventIdOf(received))
    return { statusCode: 204 }
  }
  publisher = startPublisher({ client, project, type: 'session.idle', perSecond, idPrefix: 'h' })
  const secrets = [webhook.secret]
  const cuts: Cut[] = []
  for (let round = 0; round < rotationsMax; round += 1) {
    await goOn(receiver.received)
    const calledAt = Date.now()
    secrets.push((await call(`/${webhook.id}/rotate`)).secret)
    cuts.push({ calledAt, answeredAt: Date.now() })
  }
  await goOn(receiver.received)
  await publisher.stop()
  const { acceptedIds } = publisher
  await until('every accepted event is delivered', () =>
    [...acceptedIds].every((id) => deliveredIds.has(id)),
  )
  t.diagnostic(`${acceptedIds.size} events, ${receiver.received.length} requests`)
  assertNoneRejected(receiver.received, secrets, cuts)
  assertRetriesCrossed(receiver.received, secrets)
})

/** One rotation, by the clock that the server and the receiver share. */
interface Cut {
  calledAt: number
  answeredAt: number
}

/**
 * Waits for a second's load. What had to wait comes all at once, and rotations that follow each other
 * in no time would leave what was signed before them no time to arrive.
 */
async function goOn(received: readonly Received[]): Promise<void> {
  const target = received.length + perSecond
  const endsAt = Date.now() + 1_000
  await until('there is load', () => received.length > target && Date.now() > endsAt)
}

function assertNoneRejected(
  received: readonly Received[],
  secrets: readonly string[],
  cuts: readonly Cut[],
): void {
  let signedAfterCut = 0
  for (const request of received) {
    // From its call on, the receiver holds the secret before a rotation and the one after it.
    const newest = cuts.filter(({ calledAt }) => calledAt <= request.at).length
    const held = secrets.slice(Math.max(0, newest - 1), newest + 1)
    assert.ok(
      held.some((secret) => isSignedWith(request, secret)),
      `it is rejected: signed with secret ${secrets.findIndex((secret) => isSignedWith(request, secret))}, received ${request.at}, at second ${request.headers['x-h-webhook-timestamp']}, cuts ${JSON.stringify(cuts)}`,
    )

    const signedAtSecond = Number(request.headers['x-h-webhook-timestamp'])
    const isPast = ({ answeredAt }: Cut) => Math.floor(answeredAt / 1000) < signedAtSecond
    const passed = cuts.filter(isPast).length
    if (passed === 0) continue
    signedAfterCut += 1
    assert.match(String(request.headers['x-h-webhook-signature']), /^sha256=[0-9a-f]{64}$/)
    const retired = secrets.slice(0, passed)
    assert.ok(!retired.some((secret) => isSignedWith(request, secret)), 'a cut secret has signed')
  }
  assert.ok(signedAfterCut > perSecond, 'there was load behind the cuts')
}

/** An event that was tried with one secret was tried again with a later one. */
function assertRetriesCrossed(received: readonly Received[], secrets: readonly string[]): void {
  const requestsOf = Map.groupBy(received, eventIdOf)
  const crossed = [...requestsOf.values()].filter((requests) => {
    const used = requests.map((each) => secrets.findIndex((secret) => isSignedWith(each, secret)))
    return new Set(used).size > 1
  })
  assert.ok(crossed.length > 0, 'retries were in flight over a rotation')
}

function eventIdOf({ body }: Received): string {
  return (JSON.parse(body) as { id: string }).id
}
