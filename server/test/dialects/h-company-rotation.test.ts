import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { idOfUuid } from '../../src/core/ids.ts'
import { addEd25519Twin } from '../support/add-ed25519-twin.ts'
import type { Reply } from '../support/test-api.ts'
import {
  createHCompanyWorld,
  type HCompanyOptions,
  type HCompanyWorld,
  webhooksPath,
} from './h-company-world.ts'

describe('H Company: rotate', () => {
  test('answers the whole webhook with a new secret, which alone is left', async () => {
    await using world = await createHCompanyWorld()
    const { secret: first, ...shown } = await world.createWebhook()
    const reply = await rotate(world, shown.id)
    const { secret, ...webhook } = reply.body
    assert.deepEqual(webhook, shown)
    assert.match(secret, /^whsec_[A-Za-z0-9_-]{43}$/)
    assert.notEqual(secret, first)
    assert.deepEqual(await world.secretStatuses(shown.id), ['current', 'revoked'])
  })

  test('cuts an open window of the native API, and every secret in it', async () => {
    await using world = await createHCompanyWorld()
    const id = await world.createNative()
    const native = `${world.project.path}/endpoints/${idOfUuid('ep', id)}/secret/rotate`
    for (const body of [{ expire_current_in: 3600 }, { expire_current_in: 60, force: true }]) {
      assert.equal((await world.server.call('POST', native, { body })).status, 200)
    }
    assert.deepEqual(await world.secretStatuses(id), ['current', 'retiring', 'retiring'])
    assert.equal((await rotate(world, id)).status, 200)
    const expected = ['current', 'revoked', 'revoked', 'revoked']
    assert.deepEqual(await world.secretStatuses(id), expected)
  })

  test('under one Idempotency-Key there is one secret, however often it is sent', async () => {
    await using world = await createHCompanyWorld()
    const [{ id }, other] = [await world.createWebhook(), await world.createWebhook()]
    const headers = { 'idempotency-key': 'q4' }
    const first = await rotate(world, id, { headers })
    const again = await rotate(world, id, { headers })
    assert.equal(again.text, first.text)
    assert.equal(again.headers['idempotent-replayed'], 'true')
    assert.equal((await world.secretStatuses(id)).length, 2)
    const elsewhere = await rotate(world, other.id, { headers })
    assert.notEqual(elsewhere.body.secret, first.body.secret)
    const later = await rotate(world, id, { headers: { 'idempotency-key': 'q1' } })
    assert.notEqual(later.body.secret, first.body.secret)
  })

  test('says of an Idempotency-Key that is no good what is wrong with it', async () => {
    await using world = await createHCompanyWorld()
    const { id } = await world.createWebhook()
    const headers = { 'idempotency-key': 'q4' }
    await rotate(world, id, { headers })
    const changed = await rotate(world, id, { headers, body: { reason: 'other' } })
    const long = await rotate(world, id, { headers: { 'idempotency-key': 'k'.repeat(256) } })
    assert.deepEqual([changed.status, long.status], [422, 422])
    const [reused] = changed.body.detail
    assert.deepEqual([reused.loc, reused.type], [['body'], 'idempotency_key_reused'])
    assert.deepEqual(long.body.detail[0].loc, ['header', 'Idempotency-Key'])
    assert.equal((await world.secretStatuses(id)).length, 2)
  })

  test('under one Idempotency-Key one webhook is made, and one ping sent', async () => {
    let sent = 0
    await using world = await createHCompanyWorld({
      changeParts: () => ({
        async attemptNow() {
          sent += 1
          return { succeeded: true, statusCode: 204, error: null, durationMs: 1 }
        },
      }),
    })
    const headers = { 'idempotency-key': 'once' }
    const body = { url: 'https://rx.example/in' }
    const made = await world.send('POST', webhooksPath, { headers, body })
    assert.equal((await world.send('POST', webhooksPath, { headers, body })).text, made.text)
    assert.equal((await world.send('GET', webhooksPath)).body.total, 1)
    const path = `${webhooksPath}/${made.body.id}/ping`
    const pinged = await world.send('POST', path, { headers })
    assert.equal((await world.send('POST', path, { headers })).text, pinged.text)
    assert.equal(sent, 1)
  })

  test('of many at once each is whole: a secret that was answered signs, or was cut', async () => {
    await using world = await createHCompanyWorld()
    const { id } = await world.createWebhook()
    const replies = await Promise.all(Array.from({ length: 8 }, () => rotate(world, id)))
    const won = replies.filter(({ status }) => status === 200)
    assert.equal(won.length, 1)
    for (const reply of replies.filter(({ status }) => status !== 200)) {
      // Not 409, which its clients may send again by themselves: that would cut off the winner.
      assert.equal(reply.status, 400, reply.text)
      assert.equal(typeof reply.body.detail, 'string')
    }
    const statuses = await world.secretStatuses(id)
    assert.deepEqual(statuses.sort(), ['current', ...won.map(() => 'revoked')])
  })

  test('a failure of the store leaves the old secret in force', async () => {
    await using world = await createHCompanyWorld()
    const { id, secret } = await world.createWebhook()
    world.failNextSecret()
    const failed = await rotate(world, id)
    assert.deepEqual([failed.status, Object.keys(failed.body)], [500, ['detail']])
    assert.doesNotMatch(failed.text, /no room|sec_/)
    assert.deepEqual(await world.secretStatuses(id), ['current'])
    const next = await rotate(world, id)
    assert.equal(next.status, 200)
    assert.notEqual(next.body.secret, secret)
  })

  test('refuses an endpoint that signs with Ed25519, which is listed all the same', async () => {
    await using world = await createHCompanyWorld()
    const { storage } = world.server
    const ownId = idOfUuid('ep', (await world.createWebhook()).id) ?? ''
    await addEd25519Twin(storage, world.project.id, ownId)
    const { items } = (await world.send('GET', webhooksPath)).body
    assert.equal(items.length, 2)
    const refused = await rotate(world, items[0].id)
    assert.equal(refused.status, 422, refused.text)
    assert.match(refused.body.detail[0].msg, /ed25519/)
  })

  test('refuses to cut off a format of two signatures where an overlap is demanded', async () => {
    await using world = await createHCompanyWorld({
      changeParts: ({ settings }) => ({ settings: { ...settings, expireCurrentInMinSeconds: 60 } }),
    })
    const native = await world.createNative()
    const refused = await rotate(world, native)
    assert.equal(refused.status, 422, refused.text)
    assert.match(refused.body.detail[0].msg, /60/)
    assert.deepEqual(await world.secretStatuses(native), ['current'])
    const own = await world.createWebhook()
    assert.equal((await rotate(world, own.id)).status, 200, 'its format can do nothing but cut')
  })
})

test('H Company: a secret is in no read, no refusal and no log', async () => {
  await using world = await createHCompanyWorld()
  const { id, secret: first } = await world.createWebhook()
  const { secret: second } = (await rotate(world, id)).body
  await world.publish()
  await world.attemptAll({ error: 'http_status', statusCode: 500 })
  const path = `${webhooksPath}/${id}`
  const replies = [
    await world.send('GET', webhooksPath),
    await world.send('GET', path),
    await world.send('GET', `${webhooksPath}/events`),
    await world.send('PATCH', path, { body: { disabled: true } }),
    await world.send('PATCH', path, { body: { url: second, enabled_events: [second, first] } }),
    await world.send('GET', `${webhooksPath}?sort=${second}&page=${first}`),
    await world.send('GET', `${webhooksPath}/${second}`),
    await world.send('POST', `${path}/ping`),
    await world.server.call('GET', `${world.project.path}/audit-log`),
  ]
  const texts = [...replies.map(({ text }) => text), JSON.stringify(world.server.logged)]
  assert.deepEqual(
    replies.map(({ status }) => status),
    [200, 200, 200, 200, 422, 422, 422, 200, 200],
  )
  for (const secret of [first, second]) {
    const value = secret.slice('whsec_'.length)
    for (const text of texts) assert.ok(!text.includes(value), text)
  }
})

function rotate({ send }: HCompanyWorld, id: string, options?: HCompanyOptions): Promise<Reply> {
  return send('POST', `${webhooksPath}/${id}/rotate`, options)
}
