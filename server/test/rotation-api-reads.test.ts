import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { createRotationSubject, type RotationSubject } from './support/rotation-subject.ts'
import { createTestApi, type TestApi } from './support/test-api.ts'

const HOUR_MS = 3_600_000

describe('what reads tell of secrets and rotations', () => {
  let api: TestApi
  before(async () => {
    api = await createTestApi()
  })
  after(() => api[Symbol.asyncDispose]())

  const time = (aheadMs: number) => new Date(api.clock.now() + aheadMs).toISOString()
  const get = async (path: string) => (await api.call('GET', path)).body

  test('a version of a secret has these fields and no value', async () => {
    const subject = await createRotationSubject(api)
    const [secret] = await subject.secrets()
    const keyBytes = Buffer.from(subject.secret.slice('whsec_'.length), 'base64')
    assert.deepEqual(secret, {
      id: subject.secretId,
      algorithm: 'hmac-sha256',
      status: 'current',
      created_at: time(0),
      activates_at: time(0),
      expires_at: null,
      revoked_at: null,
      public_key: null,
      hint: subject.secret.slice(-4),
      fingerprint: createHash('sha256').update(keyBytes).digest('hex').slice(0, 16),
      last_signed_at: null,
    })
  })

  test('the status follows from the clock alone, at the very millisecond', async () => {
    const subject = await createRotationSubject(api)
    await subject.rotated({ activate_at: time(HOUR_MS), expire_current_in: 60 })
    const statuses = async () => (await subject.secrets()).map(({ status }) => status)
    const steps: [aheadMs: number, statuses: string[], rotation: [string, string | null]][] = [
      [0, ['staged', 'current'], ['staged', null]],
      [HOUR_MS - 1, ['staged', 'current'], ['staged', null]],
      [1, ['current', 'retiring'], ['overlapping', null]],
      [59_999, ['current', 'retiring'], ['overlapping', null]],
      [1, ['current', 'expired'], ['completed', 'expiry']],
      [1_000 * HOUR_MS, ['current', 'expired'], ['completed', 'expiry']],
    ]
    for (const [aheadMs, expected, [status, completedBy]] of steps) {
      api.clock.advance(aheadMs)
      assert.deepEqual(await statuses(), expected)
      const [rotation] = (await get(`${subject.path}/rotations`)).data
      assert.deepEqual([rotation.status, rotation.completed_by], [status, completedBy])
      const { rotation: open } = await get(subject.path)
      assert.deepEqual(open, status === 'completed' ? null : rotation, 'the endpoint shows it')
    }
  })

  test('versions come newest first, by pages, every status among them', async () => {
    const subject = await createRotationSubject(api)
    const ids = [subject.secretId]
    const remember = ({ secret_id }: { secret_id: string }) => void ids.unshift(secret_id)
    remember(await subject.rotated({ expire_current_in: 0 }))
    remember(await subject.rotated({ expire_current_in: 1 }))
    api.clock.advance(1_000)
    remember(await subject.rotated({ expire_current_in: 3600 }))
    remember(await subject.rotated({ activate_at: time(HOUR_MS), force: true }))
    const secrets = await subject.secrets()
    assert.deepEqual(
      secrets.map(({ id, status }) => [id, status]),
      [
        [ids[0], 'staged'],
        [ids[1], 'current'],
        [ids[2], 'retiring'],
        [ids[3], 'expired'],
        [ids[4], 'revoked'],
      ],
    )
    const paged = []
    let cursor = ''
    do {
      const page = await get(`${subject.path}/secrets?limit=2${cursor}`)
      assert.ok(page.data.length <= 2)
      paged.push(...page.data)
      cursor = page.next_cursor === null ? '' : `&cursor=${page.next_cursor}`
    } while (cursor !== '')
    assert.deepEqual(paged, secrets)
  })

  test('rotations come newest first, by pages', async () => {
    const subject = await createRotationSubject(api)
    const ids: string[] = []
    for (let n = 0; n < 5; n++) {
      ids.unshift((await subject.rotated({ expire_current_in: 0 })).rotation.id)
      api.clock.advance(1)
    }
    const first = await get(`${subject.path}/rotations?limit=3`)
    const second = await get(`${subject.path}/rotations?limit=3&cursor=${first.next_cursor}`)
    const listed = [...first.data, ...second.data].map(({ id }) => id)
    assert.deepEqual(listed, ids)
    assert.deepEqual([first.has_more, second.has_more, second.next_cursor], [true, false, null])
  })

  test('the timeline tells acts with their actor and reason, and what time brought', async () => {
    const { id: project, key } = await api.addProject()
    const subject = await createRotationSubject(api, { project, key })
    const startedAt = api.clock.now()
    const { rotation } = await subject.rotated({
      activate_at: time(HOUR_MS),
      expire_current_in: 60,
      reason: 'new hands',
    })
    await subject.patch(rotation.id, { expire_current_in: 7200 })
    api.clock.advance(2 * HOUR_MS)
    await subject.patch(rotation.id, { expire_current_in: 600 })
    api.clock.advance(HOUR_MS)
    const told = await subject.rotation(rotation.id)
    const after = (ms: number) => new Date(startedAt + ms).toISOString()
    assert.deepEqual(
      told.timeline.map(({ at, what, actor }: { at: string; what: string; actor: unknown }) => [
        at,
        what,
        actor === null ? 'time' : 'key',
      ]),
      [
        [after(0), 'created', 'key'],
        [after(0), 'extended', 'key'],
        [after(HOUR_MS), 'activated', 'time'],
        [after(2 * HOUR_MS), 'shortened', 'key'],
        [after(2 * HOUR_MS + 600_000), 'completed', 'time'],
      ],
    )
    assert.equal(told.timeline[0].detail, 'new hands')
    assert.equal(told.reason, 'new hands')
    assert.equal(told.closed_at, after(2 * HOUR_MS + 600_000))
    assert.deepEqual(told.actor, told.timeline[0].actor)
    assert.equal(told.actor.name, 'A key')
  })

  const endings: [
    what: string,
    end: (subject: RotationSubject) => Promise<unknown>,
    steps: string[],
  ][] = [
    ['a cut', (subject) => subject.rotated({ expire_current_in: 0 }), ['cut', 'activated']],
    [
      'complete',
      async (subject) => subject.verb('complete', (await subject.rotated()).rotation.id),
      ['created', 'activated', 'completed'],
    ],
    [
      'revoke-previous',
      async (subject) => {
        await subject.rotated()
        await subject.revokePrevious()
      },
      ['created', 'activated', 'completed'],
    ],
    [
      'cancel',
      async (subject) => subject.verb('cancel', (await subject.rotated()).rotation.id),
      ['created', 'activated', 'cancelled'],
    ],
  ]
  for (const [what, end, steps] of endings) {
    test(`the timeline ends with ${what}`, async () => {
      const subject = await createRotationSubject(api)
      await end(subject)
      const [rotation] = (await get(`${subject.path}/rotations`)).data
      const told = rotation.timeline.map((step: { what: string }) => step.what)
      assert.deepEqual(told, steps)
    })
  }

  test('no read ever holds a secret, whatever was done before', async () => {
    const { id: project, key } = await api.addProject()
    const subject = await createRotationSubject(api, {
      project,
      endpoint: { headers: { 'x-token': 'a-value-of-the-caller' } },
    })
    const secrets = [subject.secret]
    for (const body of [{ force: true }, { force: true }, { expire_current_in: 0, force: true }]) {
      secrets.push((await subject.rotated(body)).secret)
    }
    const { rotation, secret } = await subject.rotated({ activate_at: time(HOUR_MS) })
    secrets.push(secret, key, 'a-value-of-the-caller')
    const base = `/v1/projects/${project}`
    for (const path of [
      `${subject.path}/secrets`,
      `${subject.path}/rotations`,
      `${subject.path}/rotations/${rotation.id}`,
      subject.path,
      `${base}/endpoints`,
      `${base}/api-keys`,
      `${base}/audit-log?limit=100`,
      `${base}/events`,
      `${base}/deliveries`,
      base,
      '/v1/projects',
    ]) {
      const { status, text } = await api.call('GET', path)
      assert.equal(status, 200, path)
      for (const value of secrets) {
        assert.ok(!text.includes(value.replace('whsec_', '')), `${path} tells a secret`)
      }
    }
  })
})
