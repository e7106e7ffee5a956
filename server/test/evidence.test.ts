import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import type { Storage } from '../src/storage/storage.ts'
import { readOperationalEvents } from './support/operational-events.ts'
import { passTime } from './support/pass-time.ts'
import { type Receiver, startReceiver } from './support/receiver.ts'
import { startTestApp, type TestApp } from './support/start-test-app.ts'
import { until } from './support/until.ts'
import { createWireClient, type Wire, type WireClient } from './support/wire.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

describe('rotation with evidence (rotation.md section 5)', () => {
  let server: TestApp
  let storage: Storage
  let receiver: Receiver
  let project: string
  let call: WireClient

  before(async () => {
    server = await startTestApp({
      wrapStorage(opened) {
        storage = opened
        return opened
      },
    })
    call = createWireClient({ url: () => server.app.url, key: () => server.rootKey })
  })
  beforeEach(async () => {
    receiver = await startReceiver()
    // The server's clock runs ahead of the receiver's.
    receiver.toleranceSeconds = 10_000 * 86_400
    project = (await server.client.projects.create({ name: 'evidence' })).id
  })
  afterEach(() => receiver.close())
  after(() => server.dispose())

  const create = async () => {
    const path = `/projects/${project}/endpoints`
    const { body } = await call<Wire.CreatedEndpoint>('POST', path, { body: { url: receiver.url } })
    const secret = body.secret ?? assert.fail()
    receiver.secrets = [secret]
    return { ...body, secret, path: `${path}/${body.id}` }
  }
  const rotate = async (path: string, body: object = {}) => {
    const reply = await call<Wire.RotatedSecret>('POST', `${path}/secret/rotate`, { body })
    assert.equal(reply.status, 200)
    return { ...reply.body, secret: reply.body.secret ?? assert.fail() }
  }
  const rotation = async (path: string, id: string) =>
    (await call<Wire.Rotation>('GET', `${path}/rotations/${id}`)).body
  const verify = async (path: string, id: string) =>
    call<Wire.Rotation>('POST', `${path}/rotations/${id}/verify`)
  const pass = (ms: number) => passTime(server, storage, ms)
  const publish = () =>
    server.client.events.publish(project, { type: 'order.created', data: { order: 1 } })
  const told = async () => (await readOperationalEvents(call, project)).map(({ type }) => type)

  test('a receiver that learns the new secret completes the rotation by itself', async () => {
    const { path, secret } = await create()
    const rotated = await rotate(path, { complete_when: 'verified' })
    const { id } = rotated.rotation
    await until('a look was taken', async () => (await rotation(path, id)).evidence !== null)
    const refused = await rotation(path, id)
    assert.equal(refused.status, 'overlapping')
    assert.equal(refused.evidence?.drill?.verdict, 'failed')
    receiver.secrets = [secret, rotated.secret]
    await pass(15 * MINUTE_MS)
    await until('it is complete', async () => (await rotation(path, id)).status === 'completed')
    const done = await rotation(path, id)
    assert.equal(done.completed_by, 'verified')
    assert.equal(done.evidence?.verified, true)
    assert.ok((await told()).includes('endpoint.rotation.completed'))
  })

  test('a receiver that knows only the old secret keeps it to the cap, visibly', async () => {
    const { path } = await create()
    const rotated = await rotate(path, { complete_when: 'verified', expire_current_in: 86_400 })
    const { id } = rotated.rotation
    await pass(23.5 * HOUR_MS)
    await until('it is held', async () => (await rotation(path, id)).status === 'held')
    const held = await rotation(path, id)
    assert.equal(held.previous_secret_expires_at, held.cap_at)
    assert.ok(held.timeline.some(({ what }) => what === 'held'))
    await pass(DAY_MS)
    await until('a warning is out', async () => (await rotation(path, id)).attention !== null)
    assert.equal((await rotation(path, id)).attention, 'not_verified')
    await publish()
    await until('it is delivered', () => receiver.deliveredIds.size > 0)
    await pass(30 * DAY_MS)
    await until('it is over', async () => (await rotation(path, id)).status === 'completed')
    assert.equal((await rotation(path, id)).completed_by, 'cap')
    const types = await told()
    for (const type of ['held', 'attention', 'completed']) {
      assert.equal(types.filter((each) => each === `endpoint.rotation.${type}`).length, 1, type)
    }
  })

  test('a receiver that takes anything is unverifying, and never verified', async () => {
    const { path, id: endpointId } = await create()
    receiver.secrets = []
    const { rotation: made } = await rotate(path, { complete_when: 'verified' })
    await until('it is known', async () => (await told()).includes('endpoint.unverifying'))
    const { body: endpoint } = await call<Wire.Endpoint>('GET', path)
    assert.equal(endpoint.id, endpointId)
    assert.equal(endpoint.unverifying, true)
    const { evidence, status } = await rotation(path, made.id)
    assert.deepEqual(
      [evidence?.unverifying, evidence?.verified, status],
      [true, false, 'overlapping'],
    )
  })

  for (const statusCode of [500, 404, 429]) {
    test(`a receiver that answers ${statusCode} to probes is inconclusive`, async () => {
      const { path } = await create()
      const rotated = await rotate(path)
      receiver.secrets = []
      receiver.answer = () => ({ statusCode })
      const { body } = await verify(path, rotated.rotation.id)
      assert.equal(body.evidence?.drill?.verdict, 'inconclusive')
      assert.equal(body.status, 'overlapping')
      assert.equal((await call<Wire.Endpoint>('GET', path)).body.unverifying, false)
    })
  }

  test('a run of refused deliveries in an open window puts the expiry off', async () => {
    const { path, secret } = await create()
    await publish()
    await until('one is delivered', () => receiver.deliveredIds.size === 1)
    const rotated = await rotate(path, { expire_current_in: 3600 })
    receiver.secrets = ['whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=']
    for (let count = 0; count < 3; count++) await publish()
    const { id } = rotated.rotation
    await until('it is held', async () => (await rotation(path, id)).status === 'held')
    const held = await rotation(path, id)
    assert.ok(held.held_at !== null && held.previous_secret_expires_at === held.cap_at)
    await pass(2 * HOUR_MS)
    assert.equal((await rotation(path, id)).status, 'held')
    receiver.secrets = [secret, rotated.secret]
    const verified = await verify(path, id)
    assert.equal(verified.body.evidence?.drill?.verdict, 'verified')
    await pass(16 * MINUTE_MS)
    await until('it is over', async () => (await rotation(path, id)).status === 'completed')
    assert.equal((await rotation(path, id)).completed_by, 'expiry')
  })

  test('a hold that a new window ended does not come back by the same run of refusals', async () => {
    const { path } = await create()
    await publish()
    await until('one is delivered', () => receiver.deliveredIds.size === 1)
    const { id } = (await rotate(path, { expire_current_in: 3600 })).rotation
    receiver.secrets = ['whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=']
    for (let count = 0; count < 3; count++) await publish()
    await until('it is held', async () => (await rotation(path, id)).status === 'held')
    const failures = async () =>
      (await call<Wire.Endpoint>('GET', path)).body.consecutive_failures ?? 0
    const body = { expire_current_in: 60 }
    const released = await call<Wire.Rotation>('PATCH', `${path}/rotations/${id}`, { body })
    assert.equal(released.body.status, 'overlapping')
    const before = await failures()
    for (let count = 0; count < 3; count++) await publish()
    await until('more are refused', async () => (await failures()) >= before + 3)
    assert.equal((await rotation(path, id)).status, 'overlapping')
  })

  test('a receiver that cannot take two signatures is named as such, and not held', async () => {
    await server.client.projects.update(project, { settings: { autoProbe: true } })
    const { path, secret } = await create()
    await publish()
    await until('one is delivered', () => receiver.deliveredIds.size === 1)
    const rotated = await rotate(path)
    receiver.secrets = [secret, rotated.secret]
    receiver.answer = ({ headers }) => ({
      statusCode: String(headers['webhook-signature']).includes(' ') ? 401 : 204,
    })
    for (let count = 0; count < 3; count++) await publish()
    const { id } = rotated.rotation
    await until('it is named', async () => (await rotation(path, id)).attention !== null)
    const named = await rotation(path, id)
    assert.deepEqual([named.attention, named.status], ['cannot_parse_two', 'overlapping'])
    assert.ok((await told()).includes('endpoint.rotation.attention'))
  })

  test('probes that a project comes to want in an open window are sent in its last hour', async () => {
    const { path } = await create()
    const rotated = await rotate(path, { expire_current_in: 3 * 3600 })
    await server.client.projects.update(project, { settings: { autoProbe: true } })
    await pass(2 * HOUR_MS + MINUTE_MS)
    const { id } = rotated.rotation
    await until('it is held', async () => (await rotation(path, id)).status === 'held')
    assert.equal((await rotation(path, id)).evidence?.drill?.verdict, 'failed')
  })

  test('a receiver that always refused triggers nothing', async () => {
    const { path } = await create()
    const rotated = await rotate(path)
    receiver.secrets = ['whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=']
    for (let count = 0; count < 5; count++) await publish()
    await until('all are refused', () => receiver.rejectedCount === 5)
    await until('all are recorded', async () => {
      const { body } = await call<Wire.Endpoint>('GET', path)
      return body.consecutive_failures === 5
    })
    const { status, evidence } = await rotation(path, rotated.rotation.id)
    assert.deepEqual([status, evidence], ['overlapping', null])
  })

  test('a probe is no delivery: not listed, not repeated, nothing in health, the guard obeyed', async () => {
    const { path } = await create()
    const rotated = await rotate(path)
    receiver.secrets = []
    receiver.answer = () => ({ statusCode: 500 })
    const before = (await call<Wire.Endpoint>('GET', path)).body
    await verify(path, rotated.rotation.id)
    const probes = receiver.received
    assert.ok(probes.length >= 1)
    for (const { body } of probes) {
      const event = JSON.parse(body) as { type: string; data: object }
      assert.equal(event.type, 'countersign.probe')
    }
    const { body: deliveries } = await call<{ data: unknown[] }>(
      'GET',
      `/projects/${project}/deliveries`,
    )
    assert.deepEqual(deliveries.data, [])
    const { body: endpoint } = await call<Wire.Endpoint>('GET', path)
    assert.deepEqual(
      [endpoint.health, endpoint.consecutive_failures, endpoint.last_failure_at],
      [before.health, before.consecutive_failures, before.last_failure_at],
    )
    assert.ok(server.logLines.some((line) => line.includes('A probe was sent.')))
    for (const line of server.logLines) assert.doesNotMatch(line, /whsec_/)
  })

  test('the bodies of the probes that prove are equal but for id and time', async () => {
    const { path, secret } = await create()
    const rotated = await rotate(path)
    receiver.secrets = [secret, rotated.secret]
    const { body } = await verify(path, rotated.rotation.id)
    assert.equal(body.evidence?.drill?.verdict, 'verified')
    const shapes = receiver.received.map(({ body: text, headers }) => ({
      ...JSON.parse(text),
      timestamp: null,
      names: Object.keys(headers).sort(),
    }))
    assert.equal(shapes.length, 8)
    const [first, ...others] = shapes.slice(0, 4)
    for (const other of others) assert.deepEqual(other, first)
    const signatures = receiver.received.map(
      ({ headers }) => String(headers['webhook-signature']).split(' ').length,
    )
    assert.deepEqual(signatures, [1, 1, 1, 1, 1, 2, 2, 1])
    const { probes } = body.evidence?.drill ?? assert.fail()
    assert.equal(probes.two_signatures?.verdict, 'pass')
    assert.equal(probes.old_only?.verdict, 'pass')
  })

  test('at most ten probes and tests a minute to one endpoint', async () => {
    const { path } = await create()
    const rotated = await rotate(path)
    receiver.answer = () => ({ statusCode: 500 })
    receiver.secrets = []
    assert.equal((await call('POST', `${path}/drill`)).status, 200)
    for (let count = receiver.received.length; count < 10; count++) {
      assert.equal((await call('POST', `${path}/test`)).status, 200)
    }
    for (const suffix of ['/drill', '/test', `/rotations/${rotated.rotation.id}/verify`]) {
      const refused = await call<{ code: string }>('POST', `${path}${suffix}`)
      assert.deepEqual([refused.status, refused.body.code], [429, 'rate_limit_exceeded'])
      assert.ok(Number(refused.headers.get('retry-after')) >= 1)
    }
    assert.equal(receiver.received.length, 10)
  })

  test('what the receiver reports is shown as shares, and proves nothing', async () => {
    const { path, secret } = await create()
    const rotated = await rotate(path)
    receiver.secrets = [secret, rotated.secret]
    const ids = [rotated.secret_id, rotated.rotation.previous_secret_id]
    let count = 0
    receiver.answer = ({ headers }) => {
      const sent = String(headers['webhook-secret-ids']).split(',')
      assert.deepEqual(sent, ids)
      return {
        statusCode: 204,
        headers: { 'webhook-verified-secret': ids[count++ % 4 ? 1 : 0] ?? '' },
      }
    }
    for (let published = 0; published < 8; published++) await publish()
    await until('eight are delivered', () => receiver.deliveredIds.size === 8)
    receiver.answer = () => ({
      statusCode: 204,
      headers: { 'webhook-verified-secret': 'sec_other' },
    })
    await until('eight are counted', async () => {
      const { evidence } = await rotation(path, rotated.rotation.id)
      const counted = evidence?.receiver_reported.reduce((sum, each) => sum + each.count, 0)
      return counted === 8
    })
    await publish()
    await until('the last is recorded', () => receiver.deliveredIds.size === 9)
    const { evidence, status } = await rotation(path, rotated.rotation.id)
    const shares = Object.fromEntries(
      (evidence?.receiver_reported ?? []).map((each) => [each.secret_id, each.share]),
    )
    assert.deepEqual(shares, { [ids[0] ?? '']: 0.25, [ids[1] ?? '']: 0.75 })
    assert.deepEqual([evidence?.verified, status], [false, 'overlapping'])
    const refused = await call<{ code: string }>(
      'POST',
      `${path}/rotations/${rotated.rotation.id}/cancel`,
    )
    assert.deepEqual([refused.status, refused.body.code], [409, 'receiver_uses_new'])
  })

  test('what waits for proof goes on waiting after a restart, and completes', async () => {
    const { path, secret } = await create()
    const rotated = await rotate(path, { complete_when: 'verified' })
    const { id } = rotated.rotation
    await until('a look was taken', async () => (await rotation(path, id)).evidence !== null)
    await server.restart()
    receiver.secrets = [secret, rotated.secret]
    await pass(20 * MINUTE_MS)
    await until('it is complete', async () => (await rotation(path, id)).status === 'completed')
    assert.equal((await rotation(path, id)).completed_by, 'verified')
  })

  test('without proof complete is refused; what cannot be probed cannot wait for proof', async () => {
    const { path } = await create()
    const { rotation: made } = await rotate(path, { complete_when: 'verified' })
    const refused = await call<{ code: string }>('POST', `${path}/rotations/${made.id}/complete`)
    assert.deepEqual([refused.status, refused.body.code], [409, 'receiver_not_verified'])
    const { body: github } = await call<Wire.CreatedEndpoint>(
      'POST',
      `/projects/${project}/endpoints`,
      { body: { url: receiver.url, format: 'github' } },
    )
    const other = `/projects/${project}/endpoints/${github.id}`
    const waiting = await call<{ code: string; errors: { param: string }[] }>(
      'POST',
      `${other}/secret/rotate`,
      { body: { complete_when: 'verified', expire_current_in: 60 } },
    )
    assert.equal(waiting.status, 422)
    assert.equal(waiting.body.errors[0]?.param, 'complete_when')
  })
})
