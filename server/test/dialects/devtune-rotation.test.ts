import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { idOfUuid } from '../../src/core/ids.ts'
import { addEd25519Twin } from '../support/add-ed25519-twin.ts'
import { createDevtuneWorld, rightFields } from './devtune-world.ts'

describe('DevTune: rotate', () => {
  test('answers a new secret, which alone is left', async () => {
    await using world = await createDevtuneWorld()
    const { id, secret: first } = await world.createWebhook()
    const reply = await world.rotate(id)
    assert.equal(reply.status, 200, reply.text)
    assert.match(reply.body.data.secret, /^[0-9a-f]{64}$/)
    assert.notEqual(reply.body.data.secret, first)
    assert.deepEqual(await world.secretStatuses(id), ['current', 'revoked'])
  })

  test('cuts an open window of another format, and every secret in it', async () => {
    await using world = await createDevtuneWorld()
    const native = await world.server.call('POST', `${world.project.path}/endpoints`, {
      body: { url: 'https://native.example/' },
    })
    const path = `${world.project.path}/endpoints/${native.body.id}/secret/rotate`
    for (const body of [{ expire_current_in: 3600 }, { expire_current_in: 60, force: true }]) {
      assert.equal((await world.server.call('POST', path, { body })).status, 200)
    }
    const [{ id } = { id: '' }] = await world.listed()
    assert.deepEqual(await world.secretStatuses(id), ['current', 'retiring', 'retiring'])
    assert.equal((await world.rotate(id)).status, 200)
    const statuses = await world.secretStatuses(id)
    assert.deepEqual(statuses, ['current', 'revoked', 'revoked', 'revoked'])
  })

  test('cuts a rotation that the native API has staged', async () => {
    await using world = await createDevtuneWorld()
    const { id } = await world.createWebhook()
    const path = `${world.project.path}/endpoints/${idOfUuid('ep', id)}/secret/rotate`
    const body = { activate_at: '2026-11-01T12:00:00Z' }
    const staged = await world.server.call('POST', path, { body })
    assert.equal(staged.status, 200, staged.text)
    assert.deepEqual(await world.secretStatuses(id), ['staged', 'current'])
    assert.equal((await world.rotate(id)).status, 200)
    world.server.clock.advance(3 * 3_600_000)
    assert.deepEqual((await world.secretStatuses(id)).sort(), ['current', 'revoked', 'revoked'])
  })

  test('under one Idempotency-Key there is one secret, however often it is sent', async () => {
    await using world = await createDevtuneWorld()
    const [{ id }, other] = [await world.createWebhook(), await world.createWebhook()]
    const headers = { 'idempotency-key': 'q4' }
    const first = await world.rotate(id, { headers })
    world.server.clock.advance(60_000)
    const again = await world.rotate(id, { headers })
    assert.equal(again.text, first.text)
    assert.equal(again.headers['idempotent-replayed'], 'true')
    assert.deepEqual(await world.secretStatuses(id), ['current', 'revoked'])
    const elsewhere = await world.rotate(other.id, { headers })
    assert.notEqual(elsewhere.body.data.secret, first.body.data.secret)
    const changed = await world.rotate(id, { headers, body: { reason: 'other' } })
    assert.deepEqual([changed.status, changed.body.error], [400, 'bad_request'])
    const later = await world.rotate(id, { headers: { 'idempotency-key': 'q1' } })
    assert.notEqual(later.body.data.secret, first.body.data.secret)
  })

  test('under one Idempotency-Key one webhook is made', async () => {
    await using world = await createDevtuneWorld()
    const options = { headers: { 'idempotency-key': 'once' }, body: rightFields }
    const made = await world.send('POST', world.path, options)
    assert.equal(made.status, 201, made.text)
    assert.equal((await world.send('POST', world.path, options)).text, made.text)
    assert.equal((await world.listed()).length, 1)
  })

  test('of many at once each is whole: a secret that was answered signs, or was cut', async () => {
    await using world = await createDevtuneWorld()
    const { id } = await world.createWebhook()
    const replies = await Promise.all(Array.from({ length: 8 }, () => world.rotate(id)))
    const won = replies.filter(({ status }) => status === 200)
    assert.equal(won.length, 1)
    for (const reply of replies.filter(({ status }) => status !== 200)) {
      assert.deepEqual([reply.status, reply.body.error], [409, 'conflict'])
    }
    const statuses = await world.secretStatuses(id)
    assert.deepEqual(statuses.sort(), ['current', ...won.map(() => 'revoked')])
  })

  test('a failure of the store is 500 in DevTune’s shape, and leaves the old secret in force', async () => {
    await using world = await createDevtuneWorld()
    const { id, secret } = await world.createWebhook()
    world.failNextSecret()
    const failed = await world.rotate(id)
    const { message, ...rest } = failed.body
    assert.deepEqual(rest, { error: 'internal_error', status: 500 })
    assert.doesNotMatch(message, /no room|sec_/)
    assert.deepEqual(await world.secretStatuses(id), ['current'])
    const next = await world.rotate(id)
    assert.equal(next.status, 200)
    assert.notEqual(next.body.data.secret, secret)
  })

  test('where the operator demands an overlap, cuts only what can do nothing else', async () => {
    await using world = await createDevtuneWorld({
      changeParts: ({ settings }) => ({ settings: { ...settings, expireCurrentInMinSeconds: 60 } }),
    })
    // Its format carries one signature, so an overlap is out of the question.
    const { id } = await world.createWebhook()
    assert.equal((await world.rotate(id)).status, 200)
    await world.server.call('POST', `${world.project.path}/endpoints`, {
      body: { url: 'https://native.example/' },
    })
    const [native = { id: '' }] = await world.listed()
    const refused = await world.rotate(native.id)
    assert.deepEqual([refused.status, refused.body.error], [400, 'bad_request'])
    assert.match(refused.body.message, /60/)
    assert.deepEqual(await world.secretStatuses(native.id), ['current'])
  })

  test('refuses an endpoint that signs with Ed25519, which is listed all the same', async () => {
    await using world = await createDevtuneWorld()
    const { storage } = world.server
    const { id } = await world.createWebhook()
    await addEd25519Twin(storage, world.project.id, idOfUuid('ep', id) ?? '')
    const [newest, ...rest] = await world.listed()
    assert.equal(rest.length, 1)
    const refused = await world.rotate(newest?.id ?? '')
    assert.deepEqual([refused.status, refused.body.error], [400, 'bad_request'])
    assert.match(refused.body.message, /ed25519/)
  })
})

test('DevTune: a secret is in no read, no refusal and no log', async () => {
  await using world = await createDevtuneWorld()
  const { id, secret: first } = await world.createWebhook()
  const second: string = (await world.rotate(id)).body.data.secret
  const list = await world.send('GET', world.path)
  assert.equal(list.status, 200)
  const refused = await world.send('POST', world.path, {
    body: { url: 7, events: [second], secret: first },
  })
  assert.equal(refused.status, 400)
  const lost = await world.rotate(second)
  assert.equal(lost.status, 404)
  const deleted = await world.send('DELETE', `${world.path}/${id}`)
  const audit = await world.server.call('GET', `${world.project.path}/audit-log`)
  const texts = [list, refused, lost, deleted, audit].map(({ text }) => text)
  texts.push(JSON.stringify(world.server.logged))
  for (const secret of [first, second]) {
    for (const text of texts) assert.ok(!text.includes(secret), text)
  }
})
