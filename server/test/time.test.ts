import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { type Received, type Receiver, startReceiver } from './support/receiver.ts'
import { createSettableClock, type SettableClock } from './support/settable-clock.ts'
import { startTestApp, type TestApp } from './support/start-test-app.ts'
import { until } from './support/until.ts'

const HOUR_MS = 3_600_000

/** What tests of both kinds do with a server: an endpoint, deliveries to it, its secrets. */
function createBench(server: () => TestApp, receiver: () => Receiver) {
  let project = ''
  return {
    async open() {
      project = (await server().client.projects.create({ name: 'time' })).id
    },
    project: () => project,
    create: () => server().client.endpoints.create(project, { url: receiver().url }),
    rotate: (id: string, input: { expireCurrentIn?: number; activateAt?: Date; force?: boolean }) =>
      server().client.endpoints.rotateSecret(project, id, input),
    rotation: (id: string, rotationId: string) =>
      server().client.rotations.get(project, id, rotationId),
    async publish(): Promise<Received> {
      const event = await server().client.events.publish(project, { type: 'a.b', data: {} })
      const find = () => receiver().received.find((request) => request.id === event.id)
      await until('the event arrives', () => find() !== undefined)
      return find() as Received
    },
    /** Resolves when the attempt is recorded, and with it what the sender saw on the way. */
    async publishAndRecord(): Promise<void> {
      const event = (await this.publish()).id
      await until('the delivery is recorded', async () => {
        const { data } = await server().client.deliveries.list(project, { event }).page()
        return data[0]?.status === 'delivered'
      })
    },
    /** Ids of the secrets that sign, as a delivery says. */
    async signing(): Promise<string[]> {
      const { headers } = await this.publish()
      const ids = String(headers['webhook-secret-ids']).split(',')
      assert.equal(String(headers['webhook-signature']).split(' ').length, ids.length)
      return ids
    },
    async statuses(id: string): Promise<string[]> {
      const { data } = await server().client.endpoints.listSecrets(project, id).page()
      return data.map(({ status }) => status)
    },
    async eventTypes(): Promise<string[]> {
      const { data } = await server().client.events.list(project, { limit: 100 }).page()
      return data.map(({ type }) => type).filter((type) => type.startsWith('endpoint.'))
    },
  }
}

describe('the clock set forward and back (proof 7)', () => {
  let server: TestApp
  let receiver: Receiver
  const bench = createBench(
    () => server,
    () => receiver,
  )
  before(async () => {
    server = await startTestApp()
  })
  beforeEach(async () => {
    receiver = await startReceiver()
    await bench.open()
  })
  afterEach(() => {
    server.clock.adjust()
    return receiver.close()
  })
  after(() => server.dispose())

  const set = (ms: number) => server.clock.adjust(ms)
  /** Resolves when the server has told what it found expired. */
  const restart = async () => {
    await server.restart()
    await until('it is told', async () =>
      (await bench.eventTypes()).includes('endpoint.secret.expired'),
    )
  }
  const witnesses: [who: string, sees: () => Promise<unknown>][] = [
    ['a delivery', () => bench.publishAndRecord()],
    ['a restart', () => restart()],
    ['a delivery and a restart', () => bench.publishAndRecord().then(restart)],
  ]
  for (const [who, sees] of witnesses) {
    for (const forwardMs of [HOUR_MS, 30 * 24 * HOUR_MS]) {
      const span = `${forwardMs / HOUR_MS} h`
      test(`a secret that ${who} saw expired is dead, the clock set ${span} forward and back`, async () => {
        const { id } = await bench.create()
        const { secretId, rotation } = await bench.rotate(id, { expireCurrentIn: 3600 })
        set(forwardMs)
        await sees()
        const assertDead = async (when: string) => {
          assert.deepEqual(await bench.signing(), [secretId], when)
          assert.deepEqual(await bench.statuses(id), ['current', 'expired'], when)
          const { status, completedBy } = await bench.rotation(id, rotation.id)
          assert.deepEqual([status, completedBy], ['completed', 'expiry'], when)
        }
        set(-forwardMs + 60_000)
        await assertDead('inside the window again')
        set(-2 * HOUR_MS)
        await assertDead('before the rotation')
        await server.restart()
        await assertDead('after a restart')
        set(24 * HOUR_MS)
        await assertDead('forward again')
      })
    }
  }

  test('no verb revives it either', async () => {
    const { id } = await bench.create()
    const { rotation, secretId } = await bench.rotate(id, { expireCurrentIn: 60 })
    set(60_000)
    await bench.publishAndRecord()
    set(-30_000)
    assert.deepEqual(await bench.statuses(id), ['current', 'expired'])
    const { rotations } = server.client
    const project = bench.project()
    for (const revive of [
      () => rotations.update(project, id, rotation.id, { expireCurrentIn: 3600 }),
      () => rotations.cancel(project, id, rotation.id, { force: true }),
    ]) {
      await assert.rejects(revive(), /rotation_closed/)
    }
    assert.deepEqual(await bench.signing(), [secretId])
  })

  test('inside its window the previous secret signs on, whatever the clock does', async () => {
    const { id, secretId: old } = await bench.create()
    const { secretId } = await bench.rotate(id, { expireCurrentIn: 4 * 3600 })
    for (const ms of [3 * HOUR_MS, -2 * HOUR_MS, HOUR_MS, -1000, 1000]) {
      set(ms)
      assert.deepEqual(await bench.signing(), [secretId, old])
    }
    await server.restart()
    assert.deepEqual(await bench.signing(), [secretId, old])
  })

  test('what a rotation has put in force stays so when the clock is set back beyond it', async () => {
    const { id, secretId: first } = await bench.create()
    set(-5 * HOUR_MS)
    assert.deepEqual(await bench.signing(), [first], 'the secret of a new endpoint signs')
    const second = await bench.rotate(id, { expireCurrentIn: 7200 })
    assert.equal(second.rotation.status, 'overlapping')
    assert.deepEqual(await bench.signing(), [second.secretId, first])
    set(-HOUR_MS)
    assert.deepEqual(await bench.signing(), [second.secretId, first], 'newest first')
    await server.restart()
    assert.deepEqual(await bench.statuses(id), ['current', 'retiring'])
    const cut = await bench.rotate(id, { expireCurrentIn: 0, force: true })
    set(-HOUR_MS)
    assert.deepEqual(await bench.signing(), [cut.secretId])
    await server.restart()
    assert.deepEqual(await bench.signing(), [cut.secretId])
    await bench.rotate(id, {})
    const { revokedSecretIds } = await server.client.endpoints.revokePreviousSecret(
      bench.project(),
      id,
    )
    assert.deepEqual(revokedSecretIds, [cut.secretId], 'the older one, not the newer')
  })

  test('a staged secret follows the clock; after a staged cut the new one signs on', async () => {
    const overlapping = await bench.create()
    const inAnHour = new Date(server.clock.now() + HOUR_MS)
    const staged = await bench.rotate(overlapping.id, { activateAt: inAnHour })
    set(HOUR_MS)
    assert.deepEqual(await bench.signing(), [staged.secretId, overlapping.secretId])
    set(-HOUR_MS / 2)
    assert.deepEqual(await bench.signing(), [overlapping.secretId])
    await server.client.endpoints.delete(bench.project(), overlapping.id)

    const { id } = await bench.create()
    const activateAt = new Date(server.clock.now() + HOUR_MS)
    const cut = await bench.rotate(id, { activateAt, expireCurrentIn: 0 })
    set(HOUR_MS)
    await bench.publishAndRecord()
    set(-HOUR_MS / 2)
    assert.deepEqual(await bench.signing(), [cut.secretId])
    await server.restart()
    assert.deepEqual(await bench.signing(), [cut.secretId])
    assert.deepEqual(await bench.statuses(id), ['current', 'expired'])
  })
})

describe("a jump of the machine's wall clock", () => {
  let server: TestApp
  let settable: SettableClock
  let receiver: Receiver
  const bench = createBench(
    () => server,
    () => receiver,
  )
  beforeEach(async () => {
    settable = createSettableClock()
    server = await startTestApp({
      clock: settable.clock,
      environment: { COUNTERSIGN_RETRY_SCHEDULE: '2h' },
    })
    receiver = await startReceiver()
    await bench.open()
  })
  afterEach(async () => {
    await server.dispose()
    await receiver.close()
  })

  /** Sets the wall clock and waits until the server has found out. */
  const jump = async (ms: number) => {
    settable.setWallClock(ms)
    await until('the clock follows', () => Math.abs(settable.clock.wallDrift()) < 1_000)
  }
  const jumpsLogged = () => server.logLines.filter((line) => /wall clock jumped/.test(line))
  const jumpsNoted = async (id: string, rotationId: string) =>
    (await bench.rotation(id, rotationId)).timeline.filter(({ what }) => what === 'clock_jumped')

  test('of more than five seconds is logged, and noted on open rotations only', async () => {
    const { id } = await bench.create()
    const closed = await bench.rotate(id, { expireCurrentIn: 0 })
    const open = await bench.rotate(id, { expireCurrentIn: 2_592_000 })
    const { id: other } = await bench.create()
    const activateAt = new Date(server.clock.now() + 20 * 24 * HOUR_MS)
    const staged = await bench.rotate(other, { activateAt })
    await jump(2 * HOUR_MS)
    await jump(-3 * HOUR_MS)
    await until('both are noted', async () => {
      const noted = await jumpsNoted(id, open.rotation.id)
      return noted.length === 2
    })
    assert.equal(jumpsLogged().length, 2)
    for (const [endpoint, { rotation }] of [
      [id, open],
      [other, staged],
    ] as const) {
      await until('noted', async () => (await jumpsNoted(endpoint, rotation.id)).length === 2)
      const details = (await jumpsNoted(endpoint, rotation.id)).map(({ detail }) => detail).sort()
      assert.match(details[0] ?? '', /^The clock moved back by 10[78]\d\d seconds\.$/)
      assert.match(details[1] ?? '', /^The clock moved forward by 7(?:199|200) seconds\.$/)
    }
    assert.deepEqual(await jumpsNoted(id, closed.rotation.id), [])
  })

  test('of less is followed quietly', async () => {
    const { id } = await bench.create()
    const { rotation } = await bench.rotate(id, {})
    for (const ms of [4_000, -4_500]) {
      settable.setWallClock(ms)
      await until('the clock follows', () => Math.abs(settable.clock.wallDrift()) < 500)
    }
    assert.deepEqual(jumpsLogged(), [])
    assert.deepEqual(await jumpsNoted(id, rotation.id), [])
  })

  test('is followed by both threads: timestamps of deliveries are those of the wall clock', async () => {
    await bench.create()
    let aheadMs = 0
    for (const ms of [5 * HOUR_MS, -9 * HOUR_MS]) {
      aheadMs += ms
      await jump(ms)
      const { headers } = await bench.publish()
      const sentAt = Number(headers['webhook-timestamp']) * 1000
      assert.ok(Math.abs(sentAt - Date.now() - aheadMs) < 5_000)
    }
  })

  test('forward lets the announcer tell what has become due, with nothing else going on', async () => {
    const { id } = await bench.create()
    const { secretId, rotation } = await bench.rotate(id, { expireCurrentIn: 7200 })
    await jump(1.5 * HOUR_MS)
    await until('the last hour is told', async () =>
      (await bench.eventTypes()).includes('endpoint.secret.expiring'),
    )
    await jump(HOUR_MS)
    const ends = ['endpoint.secret.expired', 'endpoint.rotation.completed']
    await until('the end is told', async () => {
      const types = await bench.eventTypes()
      return ends.every((type) => types.includes(type))
    })
    await jump(-10 * HOUR_MS)
    await jump(12 * HOUR_MS)
    const { secretId: last } = await bench.rotate(id, { expireCurrentIn: 0 })
    const types = await bench.eventTypes()
    for (const type of ends.slice(0, 1)) {
      assert.equal(types.filter((told) => told === type).length, 1, `${type} is told once`)
    }
    assert.deepEqual(await bench.signing(), [last])
    assert.equal((await bench.rotation(id, rotation.id)).completedBy, 'expiry')
    assert.notEqual(secretId, last)
  })

  test('back does not revive what only the announcer has seen expired', async () => {
    const { id } = await bench.create()
    const { secretId } = await bench.rotate(id, { expireCurrentIn: 60 })
    await jump(HOUR_MS)
    await until('it is announced', async () =>
      (await bench.eventTypes()).includes('endpoint.secret.expired'),
    )
    await jump(-HOUR_MS)
    assert.deepEqual(await bench.signing(), [secretId])
    await server.restart()
    assert.deepEqual(await bench.signing(), [secretId])
    assert.deepEqual(await bench.statuses(id), ['current', 'expired'])
  })

  test('forward makes retries due that wait for their time', async () => {
    await bench.create()
    receiver.answer = () => ({ statusCode: 500 })
    const { id } = await bench.publish()
    receiver.answer = () => ({ statusCode: 204 })
    const attempts = () => receiver.received.filter((request) => request.id === id)
    await jump(3 * HOUR_MS)
    await until('the retry arrives', () => attempts().length === 2)
  })
})
