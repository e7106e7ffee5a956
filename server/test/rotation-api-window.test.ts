import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { assertRefused, createRotationSubject } from './support/rotation-subject.ts'
import { createTestApi, type TestApi } from './support/test-api.ts'

const HOUR_MS = 3_600_000

describe('the window of an open rotation (rotation.md section 4)', () => {
  let api: TestApi
  before(async () => {
    api = await createTestApi()
  })
  after(() => api[Symbol.asyncDispose]())

  const time = (aheadMs: number) => new Date(api.clock.now() + aheadMs).toISOString()

  test('is extended and shortened from now, or to a time, and the secrets follow', async () => {
    const subject = await createRotationSubject(api)
    const { rotation } = await subject.rotated({ expire_current_in: 3600 })
    api.clock.advance(HOUR_MS / 2)
    const steps: [body: object, expiresAt: string, what: string][] = [
      [{ expire_current_in: 7200 }, time(2 * HOUR_MS), 'extended'],
      [{ expire_current_in: 60 }, time(60_000), 'shortened'],
      [{ previous_secret_expires_at: time(3 * HOUR_MS) }, time(3 * HOUR_MS), 'extended'],
      [{ expire_current_in: 5400, complete_when: 'expiry' }, time(1.5 * HOUR_MS), 'shortened'],
      [{ expire_current_in: 2_592_000 }, time(720 * HOUR_MS), 'extended'],
    ]
    for (const [body, expiresAt, what] of steps) {
      const reply = await subject.patch(rotation.id, body)
      assert.equal(reply.status, 200, reply.text)
      assert.equal(reply.body.status, 'overlapping')
      assert.equal(reply.body.previous_secret_expires_at, expiresAt)
      assert.equal(reply.body.timeline.at(-1).what, what)
      assert.deepEqual(await subject.rotation(rotation.id), reply.body)
      const [, previous] = await subject.secrets()
      assert.deepEqual([previous.status, previous.expires_at], ['retiring', expiresAt])
    }
    api.clock.advance(720 * HOUR_MS)
    const [, previous] = await subject.secrets()
    assert.equal(previous.status, 'expired')
  })

  test('ends at once where that is asked for, also beside what completes it', async () => {
    for (const made of [{}, { complete_when: 'verified' }]) {
      const subject = await createRotationSubject(api)
      const { rotation } = await subject.rotated(made)
      const body = { expire_current_in: 0, complete_when: 'expiry' }
      const reply = await subject.patch(rotation.id, body)
      assert.equal(reply.status, 200, reply.text)
      assert.deepEqual([reply.body.status, reply.body.completed_by], ['completed', 'expiry'])
      const [, previous] = await subject.secrets()
      assert.equal(previous.status, 'expired')
    }
  })

  test('of a staged rotation counts from its activation', async () => {
    const subject = await createRotationSubject(api)
    const activatesAt = time(HOUR_MS)
    const { rotation } = await subject.rotated({ activate_at: activatesAt })
    api.clock.advance(HOUR_MS / 2)
    const reply = await subject.patch(rotation.id, { expire_current_in: 60 })
    assert.equal(reply.body.status, 'staged')
    assert.equal(reply.body.activates_at, activatesAt)
    assert.equal(reply.body.previous_secret_expires_at, time(HOUR_MS / 2 + 60_000))
    for (const body of [
      { previous_secret_expires_at: time(HOUR_MS / 2 - 1) },
      { previous_secret_expires_at: time(HOUR_MS / 2 + 2_592_000_001) },
    ]) {
      const params = ['previous_secret_expires_at']
      const refused = await subject.patch(rotation.id, body)
      assertRefused(refused, { status: 422, code: 'validation_failed', params })
    }
    const cut = await subject.patch(rotation.id, { expire_current_in: 0 })
    assert.equal(cut.body.previous_secret_expires_at, activatesAt)
  })

  test('shortened to nothing ends at once, by expiry, and is closed for good', async () => {
    const subject = await createRotationSubject(api)
    const { rotation } = await subject.rotated()
    const reply = await subject.patch(rotation.id, { expire_current_in: 0 })
    assert.deepEqual([reply.body.status, reply.body.completed_by], ['completed', 'expiry'])
    assert.equal(reply.body.closed_at, time(0))
    const [, previous] = await subject.secrets()
    assert.equal(previous.status, 'expired')
    const again = await subject.patch(rotation.id, { expire_current_in: 60 })
    assertRefused(again, { status: 409, code: 'rotation_closed' })
  })

  test('is left alone by complete_when: expiry', async () => {
    const subject = await createRotationSubject(api)
    const { rotation } = await subject.rotated()
    const before = await subject.everything()
    const reply = await subject.patch(rotation.id, { complete_when: 'expiry' })
    assert.deepEqual([reply.status, reply.body], [200, rotation])
    assert.deepEqual(await subject.everything(), before)
  })

  test('refuses what is wrong with the fields at fault, and changes nothing', async () => {
    const subject = await createRotationSubject(api)
    const { rotation } = await subject.rotated()
    const before = await subject.everything()
    const refused: [body: object, code: string, ...params: string[]][] = [
      [{}, 'validation_failed', 'body'],
      [{ expire_current_in: -1 }, 'validation_failed', 'expire_current_in'],
      [{ expire_current_in: 2_592_001 }, 'validation_failed', 'expire_current_in'],
      [{ expire_current_in: 0.5 }, 'validation_failed', 'expire_current_in'],
      [{ previous_secret_expires_at: time(-1) }, 'validation_failed', 'previous_secret_expires_at'],
      [
        { previous_secret_expires_at: time(2_592_000_001) },
        'validation_failed',
        'previous_secret_expires_at',
      ],
      [{ previous_secret_expires_at: 'soon' }, 'validation_failed', 'previous_secret_expires_at'],
      [{ previous_secret_expires_at: null }, 'validation_failed', 'previous_secret_expires_at'],
      [
        { expire_current_in: 60, previous_secret_expires_at: time(60_000) },
        'validation_failed',
        ...['expire_current_in', 'previous_secret_expires_at'],
      ],
      [{ complete_when: 'later' }, 'validation_failed', 'complete_when'],
      [
        { complete_when: 'verified', expire_current_in: 0 },
        'validation_failed',
        'expire_current_in',
      ],
      [
        { status: 'completed', activates_at: time(0) },
        'validation_failed',
        'status',
        'activates_at',
      ],
    ]
    for (const [body, code, ...params] of refused) {
      const reply = await subject.patch(rotation.id, body)
      assertRefused(reply, { status: 422, code, params, what: JSON.stringify(body) })
    }
    assert.deepEqual(await subject.everything(), before)
  })

  test('never revives what has expired', async () => {
    const subject = await createRotationSubject(api)
    const { rotation } = await subject.rotated({ expire_current_in: 60 })
    api.clock.advance(60_000)
    for (const body of [
      { expire_current_in: 3600 },
      { previous_secret_expires_at: time(HOUR_MS) },
      { complete_when: 'expiry' },
    ]) {
      const reply = await subject.patch(rotation.id, body)
      assertRefused(reply, { status: 409, code: 'rotation_closed' })
    }
    const cancel = await subject.verb('cancel', rotation.id, { force: true })
    assertRefused(cancel, { status: 409, code: 'rotation_closed' })
    const [, previous] = await subject.secrets()
    assert.equal(previous.status, 'expired')
  })

  test('cancel gives the predecessor back without an expiry', async () => {
    const subject = await createRotationSubject(api)
    const { rotation } = await subject.rotated({ expire_current_in: 60 })
    const reply = await subject.verb('cancel', rotation.id, { reason: 'the wrong endpoint' })
    assert.equal(reply.body.status, 'cancelled')
    assert.equal(reply.body.closed_at, time(0))
    const [discarded, previous] = await subject.secrets()
    assert.deepEqual([discarded.status, discarded.revoked_at], ['revoked', time(0)])
    assert.deepEqual([previous.status, previous.expires_at], ['current', null])
    api.clock.advance(1_000 * HOUR_MS)
    assert.equal((await subject.secrets())[1].status, 'current')
  })
})
