import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import {
  assertRefused,
  createRotationSubject,
  type RotationSubject,
} from './support/rotation-subject.ts'
import { createTestApi, type TestApi } from './support/test-api.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

describe('claim links (rotation.md section 7)', () => {
  let api: TestApi
  let subject: RotationSubject
  let caller = 0

  before(async () => {
    api = await createTestApi({ trustedProxies: ['127.0.0.1/32'] })
  })
  beforeEach(async () => {
    subject = await createRotationSubject(api)
  })
  after(() => api[Symbol.asyncDispose]())

  const time = (aheadMs: number) => new Date(api.clock.now() + aheadMs).toISOString()
  /** Each from an address of its own, as the limit counts addresses. */
  const anonymous = (path: string, body: object) =>
    api.call('POST', path, {
      key: null,
      body,
      headers: { 'x-forwarded-for': `198.51.${Math.floor(++caller / 250)}.${caller % 250}` },
    })
  const claim = (token: string) => anonymous('/v1/claims', { token })
  const dispute = (token: string) => anonymous('/v1/claims/dispute', { token })
  const rotated = async (body: object = {}) => {
    const answer = await subject.rotated({ deliver: 'claim_link', ...body })
    return { ...answer, token: tokenOf(answer.claim_url) }
  }
  const tokenOf = (url: string) => {
    assert.match(url, /^https:\/\/hooks\.example\/claim#ccl_[\w-]{43}$/)
    return url.slice(url.indexOf('#') + 1)
  }

  test('the operator gets a link and no secret; the engineer gets the secret, once', async () => {
    const { token, secret, rotation, secret_id } = await rotated({ expire_current_in: 3600 })
    assert.equal(secret, undefined)
    assert.equal(rotation.unclaimed, true)
    api.clock.advance(5 * HOUR_MS)
    const claimed = await claim(token)
    assert.equal(claimed.status, 200, claimed.text)
    assert.match(claimed.body.secret, /^whsec_/)
    assert.deepEqual(
      [claimed.body.secret_id, claimed.body.endpoint_id, claimed.body.rotation_id],
      [secret_id, subject.endpointId, rotation.id],
    )
    assert.equal(claimed.headers['cache-control'], 'no-store')
    const again = await claim(token)
    assertRefused(again, { status: 409, code: 'claim_used' })
    assert.equal(again.body.claimed_at, time(0))
    assert.ok(!again.text.includes(claimed.body.secret))
  })

  test('the overlap counts from the claim; unclaimed it stays open to the cap', async () => {
    const { token, rotation, previous_secret_expires_at } = await rotated({
      expire_current_in: 3600,
    })
    assert.equal(previous_secret_expires_at, time(30 * DAY_MS))
    assert.equal(rotation.cap_at, time(30 * DAY_MS))
    assert.equal(rotation.window_ends_at, null)
    api.clock.advance(7 * DAY_MS)
    assert.equal((await subject.rotation(rotation.id)).status, 'overlapping')
    await claim(token)
    const open = await subject.rotation(rotation.id)
    assert.deepEqual(
      [open.previous_secret_expires_at, open.window_ends_at, open.cap_at, open.unclaimed],
      [time(HOUR_MS), time(HOUR_MS), null, false],
    )
    assert.ok(open.timeline.some(({ what }: { what: string }) => what === 'claimed'))
    api.clock.advance(HOUR_MS)
    assert.equal((await subject.rotation(rotation.id)).completed_by, 'expiry')

    const other = await rotated()
    api.clock.advance(30 * DAY_MS)
    assert.equal((await subject.rotation(other.rotation.id)).completed_by, 'cap')
    assertRefused(await claim(other.token), { status: 409, code: 'rotation_closed' })
  })

  test('of 100 openings at once exactly one gets the secret', async () => {
    const { token } = await rotated()
    const replies = await Promise.all(Array.from({ length: 100 }, () => claim(token)))
    const secrets = replies.filter(({ status }) => status === 200)
    assert.equal(secrets.length, 1)
    const refused = replies.filter(({ body }) => body.code === 'claim_used')
    assert.equal(refused.length, 99)
  })

  test('opening the page uses nothing up, and the page is the same for everyone', async () => {
    const { token } = await rotated()
    const get = (headers: Record<string, string> = {}) => api.send('GET', '/claim', { headers })
    const [first, second] = [await get(), await get({ 'user-agent': 'link preview' })]
    assert.equal(first.status, 200)
    assert.equal(first.text, second.text)
    assert.match(String(first.headers['content-type']), /^text\/html/)
    assert.equal(first.headers['referrer-policy'], 'no-referrer')
    const policy = String(first.headers['content-security-policy'])
    for (const part of ["default-src 'none'", "frame-ancestors 'none'", "connect-src 'self'"]) {
      assert.ok(policy.includes(part), part)
    }
    assert.doesNotMatch(policy, /script-src[^;]*unsafe/)
    assert.equal((await claim(token)).status, 200, 'it still works')
  })

  test('“this was not me” flags the rotation, once, and only after a use', async () => {
    const { token, rotation } = await rotated()
    assertRefused(await dispute(token), { status: 409, code: 'claim_not_used' })
    await claim(token)
    const disputed = await dispute(token)
    assert.equal(disputed.status, 200)
    api.clock.advance(1000)
    assert.deepEqual((await dispute(token)).body, disputed.body)
    assert.equal((await subject.rotation(rotation.id)).attention, 'claim_disputed')
    const { audit, events } = (await subject.everything()) as {
      audit: { data: { action: string }[] }
      events: { data: { type: string }[] }
    }
    const flagged = audit.data.filter(({ action }) => action === 'endpoint.rotation.attention')
    assert.equal(flagged.length, 1)
    const told = events.data.filter(({ type }) => type === 'endpoint.rotation.attention')
    assert.equal(told.length, 1)
    assert.equal((await claim(token)).body.disputed_at, disputed.body.disputed_at)
  })

  test('a new link takes the place of one that nobody used', async () => {
    const { token, rotation } = await rotated()
    const path = `${subject.path}/rotations/${rotation.id}/claim-link`
    const reissued = await api.call('POST', path)
    assert.equal(reissued.status, 200)
    const fresh = tokenOf(reissued.body.claim_url)
    assert.notEqual(fresh, token)
    assertRefused(await claim(token), { status: 404, code: 'not_found' })
    assert.equal((await claim(fresh)).status, 200)
    assertRefused(await api.call('POST', path), { status: 409, code: 'claim_used' })
    const plain = await createRotationSubject(api)
    const { rotation: other } = await plain.rotated()
    const none = await api.call('POST', `${plain.path}/rotations/${other.id}/claim-link`)
    assertRefused(none, { status: 404, code: 'not_found' })
  })

  test('the same answer with the same link under the same Idempotency-Key', async () => {
    const body = { deliver: 'claim_link' }
    const headers = { 'idempotency-key': 'k-1' }
    const first = await subject.rotate(body, headers)
    const second = await subject.rotate(body, headers)
    assert.equal(second.body.claim_url, first.body.claim_url)
    assert.equal((await claim(tokenOf(first.body.claim_url))).status, 200)
  })

  test('a link of a rotation that was cancelled or forced away gives nothing out', async () => {
    const first = await rotated()
    await subject.verb('cancel', first.rotation.id)
    assertRefused(await claim(first.token), { status: 409, code: 'rotation_closed' })
    const second = await rotated()
    await subject.rotated({ force: true })
    assertRefused(await claim(second.token), { status: 409, code: 'rotation_closed' })
  })

  test('what cannot go by link is refused with its field', async () => {
    const cases: [object, object, string][] = [
      [{}, { expire_current_in: 0 }, 'expire_current_in'],
      [{ format: 'github' }, { expire_current_in: 0 }, 'activate_at'],
      [{}, { algorithm: 'ed25519' }, 'deliver'],
    ]
    for (const [endpoint, body, param] of cases) {
      const other = await createRotationSubject(api, { endpoint })
      const refused = await other.rotate({ deliver: 'claim_link', ...body })
      assertRefused(refused, { status: 422, code: 'validation_failed', params: [param] })
    }
    const github = await createRotationSubject(api, { endpoint: { format: 'github' } })
    const staged = await github.rotated({ deliver: 'claim_link', activate_at: time(DAY_MS) })
    const claimed = await claim(tokenOf(staged.claim_url))
    assert.equal(claimed.body.previous_secret_expires_at, time(DAY_MS))
  })

  test('an unclaimed window cannot be changed into one that ends with the claim', async () => {
    const { token, rotation } = await rotated()
    const refused = await subject.patch(rotation.id, { expire_current_in: 0 })
    const params = ['expire_current_in']
    assertRefused(refused, { status: 422, code: 'validation_failed', params })
    assert.equal((await subject.patch(rotation.id, { expire_current_in: 7200 })).status, 200)
    assert.equal((await claim(token)).body.previous_secret_expires_at, time(2 * HOUR_MS))
    const ended = await subject.patch(rotation.id, { expire_current_in: 0 })
    assert.equal(ended.body.status, 'completed', 'once it is claimed the operator may cut')
  })

  test('guessing is limited for each address', async () => {
    const guess = () =>
      api.call('POST', '/v1/claims', {
        key: null,
        body: { token: 'ccl_guess' },
        headers: { 'x-forwarded-for': '203.0.113.9' },
      })
    const replies = []
    for (let count = 0; count < 40; count++) replies.push(await guess())
    const limited = replies.filter(({ status }) => status === 429)
    assert.equal(limited.length, 20)
    assert.ok(Number(limited[0]?.headers['retry-after']) >= 1)
    assert.equal(replies[0]?.status, 404)
  })

  test('the token is in no log, no audit row and no read', async () => {
    const { token, rotation } = await rotated()
    await claim(token)
    await dispute(token)
    const read = JSON.stringify([await subject.everything(), await subject.rotation(rotation.id)])
    assert.ok(!read.includes(token))
    assert.ok(!JSON.stringify(api.logged).includes(token))
  })
})

test('without a public address there are no links, and nothing is rotated', async () => {
  await using api = await createTestApi({
    changeParts: ({ settings }) => ({ settings: { ...settings, publicUrl: null } }),
  })
  const subject = await createRotationSubject(api)
  const before = await subject.everything()
  const refused = await subject.rotate({ deliver: 'claim_link' })
  assertRefused(refused, { status: 422, code: 'public_url_missing' })
  assert.deepEqual(await subject.everything(), before)
})
