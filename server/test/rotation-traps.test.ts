import assert from 'node:assert/strict'
import { createConnection } from 'node:net'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { ApiError, verifyWebhook } from '@countersign/sdk'
import { Webhook } from 'standardwebhooks'
import type { Storage } from '../src/storage/storage.ts'
import { type Received, type Receiver, startReceiver } from './support/receiver.ts'
import { startTestApp, type TestApp } from './support/start-test-app.ts'
import { until } from './support/until.ts'

const HOUR_MS = 3_600_000
/** A machine that others use may do nothing for so long. */
const STANDSTILL_MS = 20_000

/** Every trap of the peers that fits one node, by name: what they fell into, this does not. */
describe('traps seen at other webhook servers', () => {
  let server: TestApp
  let receiver: Receiver
  let project: string

  before(async () => {
    server = await startTestApp({
      environment: { COUNTERSIGN_RETRY_SCHEDULE: '1h,1h' },
      wrapStorage: withoutAnnouncer,
    })
  })
  beforeEach(async () => {
    receiver = await startReceiver()
    receiver.toleranceSeconds = 1e9
    project = (await server.client.projects.create({ name: 'traps' })).id
  })
  afterEach(() => {
    // Back to the time of the machine, at which independent verifiers look.
    server.clock.adjust()
    return receiver.close()
  })
  after(() => server.dispose())

  const { endpoints, rotations } = {
    endpoints: () => server.client.endpoints,
    rotations: () => server.client.rotations,
  }
  const create = (headers: Record<string, string> = {}) =>
    endpoints().create(project, { url: receiver.url, headers })
  const rotate = (id: string, input: Parameters<typeof server.client.endpoints.rotateSecret>[2]) =>
    endpoints().rotateSecret(project, id, input)
  const publish = async (): Promise<Received> => {
    const { id } = await server.client.events.publish(project, { type: 'a.b', data: { n: 1 } })
    await until('the event arrives', () => receiver.received.some((request) => request.id === id))
    return receiver.received.find((request) => request.id === id) as Received
  }
  const shown = async (id: string) => {
    const { data } = await endpoints().listSecrets(project, id).page()
    return data.filter(({ status }) => ['current', 'retiring'].includes(status)).map(({ id }) => id)
  }

  test('expiry unit mismatch (Convoy): a window of N seconds lasts N seconds', async () => {
    const { id, secretId } = await create()
    for (const seconds of [1, 90, 3600]) {
      const before = server.clock.now()
      const { secretId: newId, previousSecretExpiresAt } = await rotate(id, {
        expireCurrentIn: seconds,
        force: true,
      })
      const expiresAt = Date.parse(previousSecretExpiresAt ?? '')
      assert.ok(expiresAt >= before + seconds * 1000)
      assert.ok(expiresAt <= server.clock.now() + seconds * 1000)
      // The clock goes on: a machine that stands still meanwhile uses up what is left.
      const left = Math.min(seconds * 500, STANDSTILL_MS)
      server.clock.adjust(expiresAt - server.clock.now() - left)
      const signers = signersOf(await publish())
      if (server.clock.now() < expiresAt) assert.equal(signers.length, 2, `before ${seconds} s`)
      else assert.equal(seconds, 1, `it stood still for ${left} ms`)
      server.clock.adjust(Math.max(0, expiresAt - server.clock.now()))
      assert.deepEqual(signersOf(await publish()), [newId], `after ${seconds} s`)
    }
    assert.ok(secretId)
  })

  test('expiry carried by a job (Convoy): the announcer never runs, the secret stops all the same', async () => {
    const { id } = await create()
    const { secretId, rotation } = await rotate(id, { expireCurrentIn: 60 })
    server.clock.adjust(60_000)
    assert.deepEqual(signersOf(await publish()), [secretId])
    const ended = await rotations().get(project, id, rotation.id)
    assert.deepEqual([ended.status, ended.completedBy], ['completed', 'expiry'])
    assert.ok(!(await typesOfEvents()).includes('endpoint.secret.expired'), 'no job has run')
  })

  const typesOfEvents = async () => {
    const { data } = await server.client.events.list(project, { limit: 100 }).page()
    return data.map(({ type }) => type)
  }

  test('the UI shows expired while the secret still signs (Convoy): both ask the same clock', async () => {
    const { id } = await create()
    await rotate(id, { expireCurrentIn: 7200 })
    await rotate(id, { expireCurrentIn: 3600, force: true })
    const [before, over] = [HOUR_MS - STANDSTILL_MS, STANDSTILL_MS]
    for (const aheadMs of [0, before, over, before, over, 24 * HOUR_MS]) {
      server.clock.adjust(aheadMs)
      const request = await publish()
      assert.deepEqual(signersOf(request), await shown(id))
    }
    assert.equal((await shown(id)).length, 1)
  })

  test('default window computed from a stored, stale value (Outpost #951): it counts from now', async () => {
    const { id } = await create()
    const first = await rotate(id, { expireCurrentIn: 60 })
    await rotations().update(project, id, first.rotation.id, { expireCurrentIn: 120 })
    server.clock.adjust(200 * HOUR_MS)
    const { previousSecretExpiresAt } = await rotate(id, {})
    const leftMs = Date.parse(previousSecretExpiresAt ?? '') - server.clock.now()
    assert.ok(Math.abs(leftMs - 24 * HOUR_MS) < 60_000, 'the previous secret is not born expired')
    assert.equal(signersOf(await publish()).length, 2)
  })

  test('a double rotate drops the live secret (Outpost, coss, Opper): it goes on signing', async () => {
    const { id, secret: live } = await create()
    const first = await rotate(id, { expireCurrentIn: 3600 })
    await assert.rejects(rotate(id, { expireCurrentIn: 3600 }), isRefusal('rotation_in_progress'))
    await assertSignedWith(await publish(), [live, first.secret])
    const forced = await rotate(id, { expireCurrentIn: 3600, force: true })
    await assertSignedWith(await publish(), [live, first.secret, forced.secret])
  })

  test('overlap stored but one secret signs (Postel, Convoy, Shopify): an independent verifier takes either', async () => {
    const { id, secret } = await create()
    const rotated = await rotate(id, { expireCurrentIn: 3600 })
    const request = await publish()
    for (const each of [secret, rotated.secret]) {
      const headers = request.headers as Record<string, string>
      assert.ok(new Webhook(each).verify(request.body, headers))
    }
    assert.equal(signaturesOf(request).length, 2)
  })

  test('a retry signed with an expired or snapshotted secret (nestarc, bio.re): each attempt signs anew', async () => {
    const { id, secret: old } = await create()
    receiver.answer = () => ({ statusCode: 500 })
    const first = await publish()
    const delivery = async () =>
      (await server.client.deliveries.list(project, { event: first.id }).page()).data[0]
    await until('the attempt is recorded', async () => (await delivery())?.attemptCount === 1)
    const rotated = await rotate(id, { expireCurrentIn: 0 })
    receiver.answer = () => ({ statusCode: 204 })
    await server.client.deliveries.retry(project, (await delivery())?.id ?? '')
    const attempts = () => receiver.received.filter((request) => request.id === first.id)
    await until('the retry arrives', () => attempts().length === 2)
    await assertSignedWith(first, [old])
    const retry = attempts()[1] as Received
    await assertSignedWith(retry, [rotated.secret])
    await assert.rejects(verify(retry, old), 'not with the secret of the time of publishing')
  })

  test('a stale endpoint cache after a write (Convoy #2790, #2792): the next delivery obeys it', async () => {
    const { id, secret } = await create({ 'x-version': '0' })
    const elsewhere = await startReceiver()
    for (let version = 1; version <= 20; version++) {
      await endpoints().update(project, id, { headers: { 'x-version': String(version) } })
      assert.equal((await publish()).headers['x-version'], String(version))
    }
    await endpoints().update(project, id, { signingEnabled: false })
    assert.equal((await publish()).headers['webhook-signature'], undefined)
    await endpoints().update(project, id, { signingEnabled: true })
    await assertSignedWith(await publish(), [secret])
    await endpoints().update(project, id, { url: elsewhere.url })
    await server.client.events.publish(project, { type: 'a.b', data: {} })
    await until('it goes to the new address', () => elsewhere.received.length === 1)
    await endpoints().update(project, id, { state: 'disabled' })
    const event = await server.client.events.publish(project, { type: 'a.b', data: {} })
    await until('it is skipped', async () => {
      const { data } = await server.client.deliveries.list(project, { event: event.id }).page()
      return data[0]?.status === 'skipped'
    })
    assert.equal(elsewhere.received.length, 1)
    await elsewhere.close()
  })

  test('a delay between revoke and effect (Shopify, Abyssale): what is published after the answer is signed without it', async () => {
    const { id, secret: old } = await create()
    let previous = old
    let isBusy = true
    const load = (async () => {
      while (isBusy) await server.client.events.publish(project, { type: 'load', data: {} })
    })()
    for (let n = 0; n < 20; n++) {
      const { secret, rotation } = await rotate(id, { expireCurrentIn: 3600 })
      await assertSignedWith(await publish(), [previous, secret])
      if (n % 2 === 0) await endpoints().revokePreviousSecret(project, id)
      else await rotations().complete(project, id, rotation.id)
      await assertSignedWith(await publish(), [secret])
      previous = secret
    }
    isBusy = false
    await load
  })

  test('a custom header omits or overrides signatures (Outpost): refused, in whatever spelling', async () => {
    const names = ['webhook-signature', 'Webhook-Signature', 'WEBHOOK-ID', 'webhook-Timestamp']
    for (const name of [...names, 'webhook-secret-ids', 'Content-Length', 'host']) {
      await assert.rejects(create({ [name]: 'v1,forged' }), isRefusal('validation_failed'))
    }
    const twenty = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`x-h-${n}`, 'v1,x']))
    const { id, secret } = await create(twenty)
    await assert.rejects(
      endpoints().update(project, id, { headers: { 'Webhook-Signature': '' } }),
      isRefusal('validation_failed'),
    )
    const rotated = await rotate(id, { expireCurrentIn: 60 })
    await assertSignedWith(await publish(), [secret, rotated.secret])
  })

  test('a lost response leaves an unknown secret (coss): the same Idempotency-Key tells it', async () => {
    const { id } = await create()
    const { app, rootKey, client } = server
    const url = new URL(`/v1/projects/${project}/endpoints/${id}/secret/rotate`, app.url)
    const socket = createConnection({ host: url.hostname, port: Number(url.port) })
    // Not ended: a server may take half a connection for one that was given up.
    socket.write(
      `POST ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\nauthorization: Bearer ${rootKey}\r\n` +
        'idempotency-key: lost\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}',
    )
    await until('the rotation is there', async () => (await shown(id)).length === 2)
    socket.destroy()
    const again = await client.endpoints.rotateSecret(project, id, {}, { idempotencyKey: 'lost' })
    assert.equal((await shown(id)).length, 2, 'it was not rotated twice')
    assert.equal((await shown(id))[0], again.secretId)
    await verify(await publish(), again.secret)
  })

  test('concurrent rotates (PageSpace #2198): one wins, no acknowledged secret is lost', async () => {
    for (const input of [{}, { expireCurrentIn: 0 }, { force: true }]) {
      const { id, secretId } = await create()
      const settled = await Promise.allSettled(
        Array.from({ length: 30 }, () =>
          rotate(id, { ...input, expectedCurrentSecretId: secretId }),
        ),
      )
      const won = settled.flatMap((call) => (call.status === 'fulfilled' ? [call.value] : []))
      assert.equal(won.length, 1, JSON.stringify(input))
      await verify(await publish(), won[0]?.secret ?? '')
      await endpoints().delete(project, id)
    }
  })

  test('a signature without a timestamp (Outpost #588): each is bound to the time of its attempt', async () => {
    const { secret } = await create()
    const request = await publish()
    const sentAt = Number(request.headers['webhook-timestamp'])
    assert.ok(Math.abs(sentAt * 1000 - server.clock.now()) < 60_000)
    const now = new Date(sentAt * 1000)
    const later = new Date(now.getTime() + 301_000)
    await verifyWebhook(request.body, request.headers, secret, { now })
    await assert.rejects(verifyWebhook(request.body, request.headers, secret, { now: later }))
    for (const timestamp of [String(sentAt + 300), undefined]) {
      const headers = { ...request.headers, 'webhook-timestamp': timestamp }
      await assert.rejects(verifyWebhook(request.body, headers, secret, { now }))
    }
  })
})

/** A store in which nothing is ever due to be announced. */
function withoutAnnouncer(storage: Storage): Storage {
  return { ...storage, listDueAnnouncements: async () => [], nextAnnouncementAt: async () => null }
}

function signersOf({ headers }: Received): string[] {
  return String(headers['webhook-secret-ids']).split(',')
}

function signaturesOf({ headers }: Received): string[] {
  return String(headers['webhook-signature']).split(' ')
}

/** Signed with each of these and with no other. */
async function assertSignedWith(request: Received, secrets: readonly string[]): Promise<void> {
  assert.equal(signaturesOf(request).length, secrets.length)
  for (const secret of secrets) await verify(request, secret)
}

function verify({ body, headers }: Received, secret: string) {
  return verifyWebhook(body, headers, secret, { toleranceSeconds: 1e9 })
}

function isRefusal(code: string) {
  return (error: unknown) => error instanceof ApiError && error.code === code
}
