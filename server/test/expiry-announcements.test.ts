import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { Storage } from '../src/storage/storage.ts'
import { readOperationalEvents } from './support/operational-events.ts'
import { passTime } from './support/pass-time.ts'
import { startTestApp, type TestApp } from './support/start-test-app.ts'
import { createWireClient, type Wire, type WireClient } from './support/wire.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

describe('what is told as time passes (rotation.md section 8)', () => {
  let server: TestApp
  let storage: Storage
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
    project = (await server.client.projects.create({ name: 'told' })).id
  })
  after(() => server.dispose())

  const path = () => `/projects/${project}`
  const create = async () =>
    (
      await call<Wire.CreatedEndpoint>('POST', `${path()}/endpoints`, {
        body: { url: 'http://127.0.0.1:9/nobody' },
      })
    ).body
  const rotate = async (id: string, body: object = {}) =>
    (await call<Wire.RotatedSecret>('POST', `${path()}/endpoints/${id}/secret/rotate`, { body }))
      .body
  const told = () => readOperationalEvents(call, project)
  const typesTold = async () => (await told()).map(({ type }) => type)

  /** Moves on in steps and says, for each, what is told beside the rotation itself. */
  const follow = async (steps: readonly [aheadMs: number, ...types: string[]][]) => {
    const seen = (await typesTold()).length
    const expected: string[] = []
    for (const [aheadMs, ...types] of steps) {
      expected.push(...types)
      await passTime(server, storage, aheadMs)
      assert.deepEqual((await typesTold()).slice(seen), expected)
    }
  }
  const expiring = 'endpoint.secret.expiring'
  const end = ['endpoint.secret.expired', 'endpoint.rotation.completed']

  test('expiring is told 24 hours and 1 hour before, expired and completed at the end', async () => {
    const { id, secret_id } = await create()
    const { rotation } = await rotate(id, { expire_current_in: 2 * 86_400 })
    await follow([
      [DAY_MS - 60_000],
      [60_000, expiring],
      [22 * HOUR_MS],
      [HOUR_MS, expiring],
      [HOUR_MS - 60_000],
      [60_000, ...end],
      [10 * DAY_MS],
    ])
    const about = { endpoint_id: id, rotation_id: rotation.id, secret_id }
    const expires_at = rotation.previous_secret_expires_at
    assert.deepEqual((await told()).slice(1), [
      { type: expiring, data: { ...about, expires_at, expires_within: '24h' } },
      { type: expiring, data: { ...about, expires_at, expires_within: '1h' } },
      { type: end[0], data: about },
      {
        type: end[1],
        data: { endpoint_id: id, rotation_id: rotation.id, completed_by: 'expiry' },
      },
    ])
  })

  test('a mark that is past when the window opens is not told', async () => {
    const marks: [seconds: number, ...steps: [number, ...string[]][]][] = [
      [86_400, [22 * HOUR_MS], [HOUR_MS, expiring], [HOUR_MS, ...end]],
      [7_200, [HOUR_MS, expiring], [HOUR_MS, ...end]],
      [3_600, [HOUR_MS - 60_000], [60_000, ...end]],
      [60, [60_000, ...end]],
    ]
    for (const [seconds, ...steps] of marks) {
      const { id } = await create()
      await rotate(id, { expire_current_in: seconds })
      await follow(steps)
    }
  })

  test('a staged rotation is told of from its activation on', async () => {
    const { id } = await create()
    const activate_at = new Date(server.clock.now() + 2 * DAY_MS).toISOString()
    await rotate(id, { activate_at, expire_current_in: 7_200 })
    await follow([[2 * DAY_MS], [HOUR_MS, expiring], [HOUR_MS, ...end]])
  })

  test('marks move with the window, and go with a verb that ends it', async () => {
    const { id } = await create()
    const { rotation } = await rotate(id, { expire_current_in: 7_200 })
    const url = `${path()}/endpoints/${id}/rotations/${rotation.id}`
    await call('PATCH', url, { body: { expire_current_in: 3 * 86_400 } })
    await follow([[DAY_MS], [DAY_MS, expiring]])
    await call('PATCH', url, { body: { expire_current_in: 1_800 } })
    await follow([[HOUR_MS / 2, ...end]])
    const second = await rotate(id, { expire_current_in: 7_200 })
    await call('POST', `${path()}/endpoints/${id}/rotations/${second.rotation.id}/cancel`)
    await follow([[3 * DAY_MS]])
  })

  test('after a forced rotation each secret is told of once, at its own end', async () => {
    const { id, secret_id } = await create()
    const first = await rotate(id, { expire_current_in: 7_200 })
    await rotate(id, { expire_current_in: 3_600, force: true })
    await follow([[HOUR_MS, expiring, ...end], [HOUR_MS, 'endpoint.secret.expired'], [DAY_MS]])
    const expired = (await told()).filter(({ type }) => type === 'endpoint.secret.expired')
    assert.deepEqual(
      expired.map(({ data }) => data.secret_id),
      [first.secret_id, secret_id],
    )
  })

  test('a staged rotation that was forced away is not told of again', async () => {
    const { id } = await create()
    const activate_at = new Date(server.clock.now() + HOUR_MS).toISOString()
    await rotate(id, { activate_at, expire_current_in: 7_200 })
    await rotate(id, { expire_current_in: 1_800, force: true })
    await follow([[HOUR_MS / 2, ...end], [HOUR_MS / 2], [3 * HOUR_MS], [3 * DAY_MS]])
  })

  test('what time brought while the server was down is told once when it is up again', async () => {
    const { id } = await create()
    await rotate(id, { expire_current_in: 2 * 86_400 })
    const rest = async () => (await typesTold()).slice(1)
    server.clock.adjust(DAY_MS + HOUR_MS)
    await server.restart()
    await passTime(server, storage, 0)
    assert.deepEqual(await rest(), [expiring])
    server.clock.adjust(3 * DAY_MS)
    await server.restart()
    await passTime(server, storage, DAY_MS)
    assert.deepEqual(await rest(), [expiring, ...end])
  })
})
