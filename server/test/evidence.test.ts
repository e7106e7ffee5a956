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
    receiver.secrets = [body.secret]
    return { ...body, path: `${path}/${body.id}` }
  }
  const rotate = async (path: string, body: object = {}) => {
    const reply = await call<Wire.RotatedSecret>('POST', `${path}/secret/rotate`, { body })
    assert.equal(reply.status, 200)
    return reply.body
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
})
