import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { assertRefused, createRotationSubject } from './support/rotation-subject.ts'
import { createTestApi, type Reply, type TestApi } from './support/test-api.ts'

const HOUR_MS = 3_600_000

describe('rotating again: with force, at once, and under an Idempotency-Key', () => {
  let api: TestApi
  before(async () => {
    api = await createTestApi()
  })
  after(() => api[Symbol.asyncDispose]())

  const time = (aheadMs: number) => new Date(api.clock.now() + aheadMs).toISOString()
  const keyed = (key: string) => ({ 'idempotency-key': key })
  const isReplayed = (reply: Reply) => reply.headers['idempotent-replayed'] === 'true'

  test('force closes the open rotation; what it retires keeps its own expiry', async () => {
    const subject = await createRotationSubject(api)
    const first = await subject.rotated({ expire_current_in: 7200 })
    const second = await subject.rotated({ expire_current_in: 3600, force: true })
    assert.deepEqual(second.rotation.dropped_secret_ids, [])
    const closed = await subject.rotation(first.rotation.id)
    assert.deepEqual([closed.status, closed.completed_by], ['completed', 'force'])
    assert.equal(closed.closed_at, time(0))
    const secrets = await subject.secrets()
    assert.deepEqual(
      secrets.map(({ id, status, expires_at }) => [id, status, expires_at]),
      [
        [second.secret_id, 'current', null],
        [first.secret_id, 'retiring', time(HOUR_MS)],
        [subject.secretId, 'retiring', time(2 * HOUR_MS)],
      ],
    )
  })

  test('at most three secrets are live: the oldest goes first, and the answer names it', async () => {
    const subject = await createRotationSubject(api)
    const ids = [subject.secretId]
    for (let n = 1; n <= 5; n++) {
      const answer = await subject.rotated({ force: true, expire_current_in: 3600 })
      const dropped = n < 3 ? [] : [ids[n - 3]]
      assert.deepEqual(answer.rotation.dropped_secret_ids, dropped)
      ids.push(answer.secret_id)
    }
    const statuses = (await subject.secrets()).map(({ status }) => status)
    assert.deepEqual(statuses, ['current', 'retiring', 'retiring', 'revoked', 'revoked', 'revoked'])
  })

  test('a forced cut stops every earlier secret, retiring and staged ones included', async () => {
    const subject = await createRotationSubject(api)
    await subject.rotated({ expire_current_in: 7200 })
    const staged = await subject.rotated({ force: true, activate_at: time(HOUR_MS) })
    const refused = await subject.rotate({ expire_current_in: 0 })
    assertRefused(refused, { status: 409, code: 'rotation_in_progress' })
    assert.equal(refused.body.rotation_id, staged.rotation.id)
    const cut = await subject.rotated({ expire_current_in: 0, force: true })
    assert.equal(cut.previous_secret_expires_at, null)
    const statuses = (await subject.secrets()).map(({ id, status }) => [id, status])
    assert.equal(statuses.filter(([, status]) => status === 'revoked').length, 3)
    assert.deepEqual(
      statuses.find(([, status]) => status === 'current'),
      [cut.secret_id, 'current'],
    )
    api.clock.advance(2 * HOUR_MS)
    const later = (await subject.secrets()).find(({ id }) => id === staged.secret_id)
    assert.equal(later.status, 'revoked', 'the staged one does not come up')
  })

  test('a forced rotation discards the staged secret and starts anew', async () => {
    const subject = await createRotationSubject(api)
    const staged = await subject.rotated({ activate_at: time(HOUR_MS) })
    const forced = await subject.rotated({ force: true, expire_current_in: 60 })
    assert.deepEqual(forced.rotation.dropped_secret_ids, [staged.secret_id])
    assert.equal(forced.rotation.previous_secret_id, subject.secretId)
    assert.equal(forced.previous_secret_expires_at, time(60_000))
    assert.equal((await subject.rotation(staged.rotation.id)).completed_by, 'force')
  })

  test('of calls at once one succeeds, and its secret is the current one', async () => {
    for (const body of [{}, { force: true }, { expire_current_in: 0 }, { activate_at: time(60) }]) {
      const subject = await createRotationSubject(api)
      const replies = await Promise.all(Array.from({ length: 20 }, () => subject.rotate(body)))
      const won = replies.filter(({ status }) => status === 200)
      assert.equal(won.length, 1, JSON.stringify(body))
      for (const { status, body: problem } of replies) {
        if (status === 200) continue
        assert.equal(status, 409)
        assert.match(problem.code, /^(rotation_in_progress|secret_changed)$/)
        assert.equal(problem.rotation_id, won[0]?.body.rotation.id)
      }
      const secrets = await subject.secrets()
      assert.equal(secrets.length, 2)
      assert.equal(secrets[0].id, won[0]?.body.secret_id)
    }
  })

  test('a call that came in before another was answered is not after it, however late it is read', async () => {
    for (const body of [{ force: true }, { expire_current_in: 0 }]) {
      const held = Promise.withResolvers<void>()
      let heldOnce = false
      await using slow = await createTestApi({
        // The store shows the second call what there is only when the first has been answered.
        wrapStorage: (storage) => ({
          ...storage,
          async latestRotation(endpointId) {
            const isFirst = !heldOnce
            heldOnce = true
            if (isFirst) await held.promise
            return storage.latestRotation(endpointId)
          },
        }),
      })
      const subject = await createRotationSubject(slow)
      const second = subject.rotate(body)
      while (!heldOnce) await new Promise(setImmediate)
      const first = await subject.rotated(body)
      held.resolve()
      const refused = await second
      assertRefused(refused, { status: 409, code: 'secret_changed' })
      assert.equal(refused.body.rotation_id, first.rotation.id)
      const after = await subject.rotate({ ...body, force: true })
      assert.equal(after.status, 200, 'what comes in after the answer is later')
    }
  })

  test('the same key and body are answered with the same secret, for 24 hours', async () => {
    const subject = await createRotationSubject(api)
    const first = await subject.rotate({ expire_current_in: 60 }, keyed('a'))
    assert.ok(!isReplayed(first))
    api.clock.advance(24 * HOUR_MS - 1)
    const second = await subject.rotate({ expire_current_in: 60 }, keyed('a'))
    assert.deepEqual([second.status, second.text], [200, first.text], 'to the byte')
    assert.ok(isReplayed(second))
    api.clock.advance(1)
    const third = await subject.rotate({ expire_current_in: 60 }, keyed('a'))
    assert.ok(!isReplayed(third))
    assert.notEqual(third.body.secret, first.body.secret)
  })

  test('the same key with another body is refused, down to a space', async () => {
    const subject = await createRotationSubject(api)
    const rotate = (rawBody: string) =>
      api.call('POST', `${subject.path}/secret/rotate`, { rawBody, headers: keyed('b') })
    await rotate('{"expire_current_in":60}')
    for (const other of ['{"expire_current_in": 60}', '{"expire_current_in":61}', '{}']) {
      const reply = await rotate(other)
      assertRefused(reply, { status: 422, code: 'idempotency_key_reused' })
      assert.ok(!reply.text.includes('whsec_'))
    }
  })

  test('a key belongs to one path and one caller', async () => {
    const { id: project, key } = await api.addProject()
    const subject = await createRotationSubject(api, { project })
    const other = await createRotationSubject(api, { project })
    const first = await subject.rotated()
    const mine = await subject.rotate({ force: true }, keyed('c'))
    const elsewhere = await other.rotate({ force: true }, keyed('c'))
    assert.notEqual(elsewhere.body.secret, mine.body.secret)
    const another = await api.call('POST', `${subject.path}/secret/rotate`, {
      key,
      body: { force: true },
      headers: keyed('c'),
    })
    assert.ok(!isReplayed(another), 'nobody gets the secret of another caller')
    assert.notEqual(another.body.secret, mine.body.secret)
    assert.notEqual(first.secret, mine.body.secret)
  })

  test('twins at once are answered alike, and rotate once', async () => {
    const subject = await createRotationSubject(api)
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => subject.rotate({}, keyed('twins'))),
    )
    const secrets = new Set(replies.map(({ body }) => body.secret))
    assert.deepEqual([secrets.size, replies.filter(isReplayed).length], [1, 19])
    assert.equal((await subject.secrets()).length, 2)
  })

  test('a refusal by the state of things is kept too; one for a bad body is not', async () => {
    const subject = await createRotationSubject(api)
    const { rotation } = await subject.rotated()
    const refused = await subject.rotate({}, keyed('d'))
    assertRefused(refused, { status: 409, code: 'rotation_in_progress' })
    await subject.verb('complete', rotation.id)
    const again = await subject.rotate({}, keyed('d'))
    assert.ok(isReplayed(again))
    assert.equal(again.text, refused.text)
    assert.equal((await subject.rotate({}, keyed('e'))).status, 200)
  })

  test('every POST of a rotation may be repeated under its key, with one effect', async () => {
    const subject = await createRotationSubject(api)
    const { rotation } = await subject.rotated()
    const post = (path: string) =>
      api.call('POST', `${subject.path}${path}`, { body: {}, headers: keyed('f') })
    for (const path of [`/rotations/${rotation.id}/complete`, '/secret/revoke-previous']) {
      const first = await post(path)
      const before = await subject.everything()
      const second = await post(path)
      assert.deepEqual([second.status, second.text], [first.status, first.text])
      assert.ok(isReplayed(second))
      assert.deepEqual(await subject.everything(), before)
    }
    const cancelled = await createRotationSubject(api)
    const { rotation: other } = await cancelled.rotated()
    const path = `${cancelled.path}/rotations/${other.id}/cancel`
    const first = await api.call('POST', path, { headers: keyed('g') })
    const second = await api.call('POST', path, { headers: keyed('g') })
    assert.equal(second.text, first.text)
    assert.ok(isReplayed(second))
  })

  test('a cut may be repeated; each call without a key makes another secret', async () => {
    const subject = await createRotationSubject(api)
    const first = await subject.rotated({ expire_current_in: 0 })
    const second = await subject.rotated({ expire_current_in: 0 })
    assert.notEqual(first.secret, second.secret)
    assert.equal(second.rotation.previous_secret_id, first.secret_id)
  })

  test('rotating and its verbs need the scope secrets.rotate, of this project', async () => {
    const { id: project, key } = await api.addProject({ scopes: ['secrets.rotate'] })
    const { key: reader } = await api.addProject()
    const own = await api.call('POST', `/v1/projects/${project}/api-keys`, {
      body: { name: 'all but rotate', scopes: ['webhooks.read', 'webhooks.write', 'audit.read'] },
    })
    const subject = await createRotationSubject(api, { project, key })
    const { rotation } = await subject.rotated()
    assert.equal(rotation.actor.type, 'key')
    assert.equal(rotation.actor.name, 'A key')
    for (const other of [own.body.key, reader]) {
      const stranger = { ...subject, ...verbsOf(api, subject.path, other) }
      for (const reply of [
        await stranger.rotate(),
        await stranger.revoke(),
        await stranger.end('complete', rotation.id),
        await stranger.end('cancel', rotation.id),
        await stranger.change(rotation.id),
      ]) {
        assertRefused(reply, { status: 403, code: 'forbidden' })
      }
    }
    assert.equal((await subject.rotation(rotation.id)).status, 'overlapping')
    assert.equal((await subject.verb('complete', rotation.id)).status, 200)
  })
})

function verbsOf(api: TestApi, path: string, key: string) {
  const post = (suffix: string) => api.call('POST', `${path}${suffix}`, { key, body: {} })
  return {
    rotate: () => post('/secret/rotate'),
    revoke: () => post('/secret/revoke-previous'),
    end: (name: string, id: string) => post(`/rotations/${id}/${name}`),
    change: (id: string) =>
      api.call('PATCH', `${path}/rotations/${id}`, { key, body: { expire_current_in: 1 } }),
  }
}
