import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { assertRefused, createRotationSubject } from './support/rotation-subject.ts'
import { createTestApi, type TestApi } from './support/test-api.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** A secret of so many bytes, new each time. */
const secretOf = (bytes: number) =>
  `whsec_${Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('base64')}`

describe('what rotate takes (rotation.md section 3)', () => {
  let api: TestApi
  before(async () => {
    api = await createTestApi()
  })
  after(() => api[Symbol.asyncDispose]())

  const time = (aheadMs: number) => new Date(api.clock.now() + aheadMs).toISOString()

  test('the answer holds the new secret, when the old one stops, and the rotation', async () => {
    const subject = await createRotationSubject(api)
    const answer = await subject.rotated({ reason: 'yearly' })
    assert.deepEqual(Object.keys(answer).sort(), [
      'endpoint_id',
      'previous_secret_expires_at',
      'rotation',
      'secret',
      'secret_id',
    ])
    assert.equal(answer.endpoint_id, subject.endpointId)
    assert.match(answer.secret, /^whsec_[A-Za-z0-9+/]{43}=$/, '32 random bytes in base64')
    assert.match(answer.secret_id, /^sec_[0-9a-f]{32}$/)
    assert.notEqual(answer.secret, subject.secret)
    assert.deepEqual(answer.rotation, {
      id: answer.rotation.id,
      endpoint_id: subject.endpointId,
      status: 'overlapping',
      completed_by: null,
      previous_secret_id: subject.secretId,
      new_secret_id: answer.secret_id,
      activates_at: time(0),
      previous_secret_expires_at: answer.previous_secret_expires_at,
      complete_when: 'expiry',
      window_ends_at: answer.previous_secret_expires_at,
      cap_at: null,
      held_at: null,
      unclaimed: false,
      attention: null,
      dropped_secret_ids: [],
      campaign_id: null,
      reason: 'yearly',
      actor: { type: 'root', id: null, name: null },
      evidence: null,
      timeline: [
        { at: time(0), what: 'created', actor: answer.rotation.actor, detail: 'yearly' },
        { at: time(0), what: 'activated', actor: null, detail: null },
      ],
      created_at: time(0),
      closed_at: null,
    })
    assert.match(answer.rotation.id, /^rot_[0-9a-f]{32}$/)
  })

  const taken: [what: string, body: () => object | undefined, expiresInMs: number | null][] = [
    ['no body at all: a day', () => undefined, DAY_MS],
    ['an empty body: a day', () => ({}), DAY_MS],
    ['the least overlap', () => ({ expire_current_in: 1 }), 1_000],
    ['the longest overlap', () => ({ expire_current_in: 2_592_000 }), 30 * DAY_MS],
    ['a cut', () => ({ expire_current_in: 0 }), null],
    ['what the defaults are', () => ({ complete_when: 'expiry', force: false }), DAY_MS],
    ['the present algorithm', () => ({ algorithm: 'hmac-sha256' }), DAY_MS],
    ['no reason', () => ({ reason: null }), DAY_MS],
    ['the longest reason', () => ({ reason: 'r'.repeat(500) }), DAY_MS],
    ['the nearest activation', () => ({ activate_at: time(1) }), DAY_MS + 1],
    ['the farthest activation', () => ({ activate_at: time(30 * DAY_MS) }), 31 * DAY_MS],
    [
      'a window that counts from activation',
      () => ({ activate_at: time(HOUR_MS), expire_current_in: 60 }),
      HOUR_MS + 60_000,
    ],
    ['a cut at activation', () => ({ activate_at: time(HOUR_MS), expire_current_in: 0 }), HOUR_MS],
    [
      'an activation in another time zone',
      () => ({ activate_at: zoned(time(HOUR_MS)) }),
      25 * HOUR_MS,
    ],
    ['force where nothing is open', () => ({ force: true }), DAY_MS],
  ]
  for (const [what, body, expiresInMs] of taken) {
    test(`takes ${what}`, async () => {
      const subject = await createRotationSubject(api)
      const given = body()
      const answer = await subject.rotated(given)
      const expiresAt = expiresInMs === null ? null : time(expiresInMs)
      assert.equal(answer.previous_secret_expires_at, expiresAt)
      assert.equal(answer.rotation.previous_secret_expires_at, expiresAt)
      const isStaged = given !== undefined && 'activate_at' in given
      const status = isStaged ? 'staged' : expiresInMs === null ? 'completed' : 'overlapping'
      assert.equal(answer.rotation.status, status)
      assert.equal(answer.rotation.completed_by, status === 'completed' ? 'cut' : null)
      const [first, second] = await subject.secrets()
      assert.equal(second.expires_at, expiresAt)
      const statuses = isStaged
        ? ['staged', 'current']
        : ['current', expiresInMs === null ? 'revoked' : 'retiring']
      assert.deepEqual([first.status, second.status], statuses)
      assert.deepEqual(await subject.rotation(answer.rotation.id), answer.rotation)
    })
  }

  const refused: [body: () => object, code: string, ...params: string[]][] = [
    [() => ({ expire_current_in: -1 }), 'validation_failed', 'expire_current_in'],
    [() => ({ expire_current_in: 2_592_001 }), 'validation_failed', 'expire_current_in'],
    [() => ({ expire_current_in: 1.5 }), 'validation_failed', 'expire_current_in'],
    [() => ({ expire_current_in: '60' }), 'validation_failed', 'expire_current_in'],
    [() => ({ expire_current_in: null }), 'validation_failed', 'expire_current_in'],
    [() => ({ secret: secretOf(23) }), 'validation_failed', 'secret'],
    [() => ({ secret: secretOf(65) }), 'validation_failed', 'secret'],
    [() => ({ secret: secretOf(32).slice(6) }), 'validation_failed', 'secret'],
    [() => ({ secret: 'whsec_' }), 'validation_failed', 'secret'],
    [() => ({ secret: `whsec_${'-'.repeat(44)}` }), 'validation_failed', 'secret'],
    [() => ({ secret: 7 }), 'validation_failed', 'secret'],
    [() => ({ activate_at: time(0) }), 'validation_failed', 'activate_at'],
    [() => ({ activate_at: time(-1) }), 'validation_failed', 'activate_at'],
    [() => ({ activate_at: time(30 * DAY_MS + 1) }), 'validation_failed', 'activate_at'],
    [() => ({ activate_at: 'tomorrow' }), 'validation_failed', 'activate_at'],
    [() => ({ activate_at: api.clock.now() + HOUR_MS }), 'validation_failed', 'activate_at'],
    [() => ({ complete_when: 'later' }), 'validation_failed', 'complete_when'],
    [() => ({ algorithm: 'rsa' }), 'validation_failed', 'algorithm'],
    [() => ({ deliver: 'by_pigeon' }), 'validation_failed', 'deliver'],
    [() => ({ force: 'yes' }), 'validation_failed', 'force'],
    [() => ({ reason: 'r'.repeat(501) }), 'validation_failed', 'reason'],
    [() => ({ expire_curent_in: 0 }), 'validation_failed', 'expire_curent_in'],
    [
      () => ({ complete_when: 'verified', expire_current_in: 0 }),
      'validation_failed',
      'expire_current_in',
    ],
    [() => ({ algorithm: 'ed25519', expire_current_in: 0 }), 'validation_failed', 'activate_at'],
    [
      () => ({ algorithm: 'ed25519', activate_at: time(10 * MINUTE_MS - 1) }),
      'validation_failed',
      'activate_at',
    ],
    [() => ({ algorithm: 'ed25519', secret: secretOf(64) }), 'validation_failed', 'secret'],
    [
      () => ({ expire_current_in: -1, force: 1, reason: 2, activate_at: 'x', typo: true }),
      'validation_failed',
      ...['expire_current_in', 'force', 'reason', 'activate_at', 'typo'],
    ],
  ]
  test('refuses every wrong input with the fields at fault, and changes nothing', async () => {
    const subject = await createRotationSubject(api)
    const before = await subject.everything()
    for (const [body, code, ...params] of refused) {
      const given = body()
      const what = JSON.stringify(given)
      assertRefused(await subject.rotate(given), { status: 422, code, params, what })
    }
    assertRefused(await subject.rotate({ expected_current_secret_id: 'sec_other' }), {
      status: 409,
      code: 'secret_changed',
    })
    assert.deepEqual(await subject.everything(), before)
  })

  test('names every field whose value does not fit, also while a rotation is open', async () => {
    const settings = { rotation_bounds: { expire_current_in_max: 3600 } }
    const subject = await createRotationSubject(api, { settings })
    const body = { secret: 'whsec_c2hvcnQ=', activate_at: time(-1), expire_current_in: 7200 }
    const params = ['secret', 'activate_at', 'expire_current_in']
    for (const what of ['before', 'in between']) {
      const reply = await subject.rotate(body)
      assertRefused(reply, { status: 422, code: 'validation_failed', params, what })
      if (what === 'before') await subject.rotated()
    }
  })

  test('takes a supplied secret of 24 to 64 bytes, and answers it as it came', async () => {
    for (const bytes of [24, 32, 64]) {
      const subject = await createRotationSubject(api)
      const secret = secretOf(bytes)
      const answer = await subject.rotated({ secret })
      assert.equal(answer.secret, secret)
      const [{ hint }] = await subject.secrets()
      assert.equal(hint, secret.slice(-4))
    }
  })

  test('refuses a secret that the endpoint has had before, in whatever state it is', async () => {
    const first = secretOf(32)
    const second = secretOf(32)
    const subject = await createRotationSubject(api, { endpoint: { secret: first } })
    assert.equal(subject.secret, first)
    const reused = async (secret: string, what: string) => {
      const reply = await subject.rotate({ secret, force: true })
      assertRefused(reply, { status: 422, code: 'secret_reused', what })
      assert.ok(!reply.text.includes(secret.slice(6)), 'a refusal does not repeat the secret')
    }
    await reused(first, 'the current one')
    const { rotation } = await subject.rotated({ secret: second, activate_at: time(HOUR_MS) })
    await reused(second, 'a staged one')
    await subject.verb('cancel', rotation.id)
    await reused(second, 'a cancelled one')
    await subject.rotated({ expire_current_in: 60 })
    await reused(first, 'a retiring one')
    api.clock.advance(60_000)
    await reused(first, 'an expired one')
    const other = await createRotationSubject(api)
    assert.equal((await other.rotate({ secret: first })).status, 200, 'another endpoint may')
  })

  test('with expected_current_secret_id it rotates only what the caller has seen', async () => {
    const subject = await createRotationSubject(api)
    const first = await subject.rotated({
      expire_current_in: 0,
      expected_current_secret_id: subject.secretId,
    })
    const reply = await subject.rotate({ expected_current_secret_id: subject.secretId })
    assertRefused(reply, { status: 409, code: 'secret_changed' })
    assert.equal(reply.body.current_secret_id, first.secret_id)
    await subject.rotated({ expected_current_secret_id: first.secret_id })
  })

  test('the bounds of the operator hold, for the default too, and a project narrows them', async () => {
    await using bounded = await createTestApi({
      changeParts: ({ settings }) => ({
        settings: { ...settings, expireCurrentInMinSeconds: 600, expireCurrentInMaxSeconds: 7200 },
      }),
    })
    const cases: [settings: object, min: number, max: number][] = [
      [{}, 600, 7200],
      [{ rotation_bounds: { expire_current_in_min: 900, expire_current_in_max: 3600 } }, 900, 3600],
      [{ rotation_bounds: { expire_current_in_min: 0, expire_current_in_max: 9000 } }, 600, 7200],
      [{ rotation_bounds: { expire_current_in_max: 1000 } }, 600, 1000],
    ]
    for (const [settings, min, max] of cases) {
      const subject = await createRotationSubject(bounded, { settings })
      const what = JSON.stringify(settings)
      for (const seconds of [0, min - 1, max + 1]) {
        const reply = await subject.rotate({ expire_current_in: seconds })
        const params = ['expire_current_in']
        assertRefused(reply, { status: 422, code: 'validation_failed', params, what })
      }
      const answer = await subject.rotated()
      const windowMs = Date.parse(answer.previous_secret_expires_at) - bounded.clock.now()
      assert.equal(windowMs, max * 1000, `the default is cut to fit ${what}`)
      for (const [seconds, status] of [
        [min, 200],
        [max, 200],
        [min - 1, 422],
        [max + 1, 422],
      ]) {
        const reply = await subject.patch(answer.rotation.id, { expire_current_in: seconds })
        assert.equal(reply.status, status, `window of ${seconds} s with ${what}`)
      }
    }
  })

  test('a floor above a day raises the default', async () => {
    const settings = { rotation_bounds: { expire_current_in_min: 172_800 } }
    const subject = await createRotationSubject(api, { settings })
    const answer = await subject.rotated()
    assert.equal(answer.previous_secret_expires_at, time(2 * DAY_MS))
  })
})

/** The same instant, written with an offset of two hours. */
function zoned(time: string): string {
  const shifted = new Date(Date.parse(time) + 2 * HOUR_MS).toISOString()
  return shifted.replace('Z', '+02:00')
}
