import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { idOfUuid } from '../../src/core/ids.ts'
import { addEd25519Twin } from '../support/add-ed25519-twin.ts'
import { createMobilerunWorld, type MobilerunWorld } from './mobilerun-world.ts'

describe('Mobilerun: rotate', () => {
  test('answers the whole webhook with a new secret, which alone is left', async () => {
    await using world = await createMobilerunWorld()
    const { secret: first, ...shown } = await world.createWebhook()
    const reply = await rotate(world, shown.id)
    const { secret, ...data } = reply.body.data
    assert.deepEqual(data, shown)
    assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
    assert.notEqual(secret, first)
    assert.deepEqual(await secretStatuses(world, shown.id), ['current', 'revoked'])
  })

  test('cuts an open window of the native API, and every secret in it', async () => {
    await using world = await createMobilerunWorld()
    const { id } = await world.createWebhook()
    const native = `${world.project.path}/endpoints/${idOfUuid('ep', id)}/secret/rotate`
    for (const body of [{ expire_current_in: 3600 }, { expire_current_in: 60, force: true }]) {
      assert.equal((await world.server.call('POST', native, { body })).status, 200)
    }
    assert.deepEqual(await secretStatuses(world, id), ['current', 'retiring', 'retiring'])
    assert.equal((await rotate(world, id)).status, 200)
    assert.deepEqual(await secretStatuses(world, id), ['current', 'revoked', 'revoked', 'revoked'])
  })

  test('under one Idempotency-Key there is one secret, however often it is sent', async () => {
    await using world = await createMobilerunWorld()
    const [{ id }, other] = [await world.createWebhook(), await world.createWebhook()]
    const headers = { 'idempotency-key': 'q4' }
    const first = await rotate(world, id, { headers })
    const again = await rotate(world, id, { headers })
    assert.equal(again.text, first.text)
    assert.equal(again.headers['idempotent-replayed'], 'true')
    assert.equal((await secretStatuses(world, id)).length, 2)
    const elsewhere = await rotate(world, other.id, { headers })
    assert.notEqual(elsewhere.body.data.secret, first.body.data.secret)
    const changed = await rotate(world, id, { headers, body: { reason: 'other' } })
    assert.equal(changed.status, 422)
    assert.deepEqual(Object.keys(changed.body), ['error'])
    const later = await rotate(world, id, { headers: { 'idempotency-key': 'q1' } })
    assert.notEqual(later.body.data.secret, first.body.data.secret)
  })

  test('under one Idempotency-Key one webhook is made, and one test sent', async () => {
    let sent = 0
    await using world = await createMobilerunWorld({
      changeParts: () => ({
        async attemptNow() {
          sent += 1
          return { succeeded: true, statusCode: 204, error: null, durationMs: 1 }
        },
      }),
    })
    const headers = { 'idempotency-key': 'once' }
    const body = { url: 'https://rx.example/in' }
    const made = await world.send('POST', '/webhooks', { headers, body })
    assert.equal((await world.send('POST', '/webhooks', { headers, body })).text, made.text)
    assert.equal((await world.send('GET', '/webhooks')).body.pagination.total, 1)
    const path = `/webhooks/${made.body.data.id}/test`
    const tested = await world.send('POST', path, { headers })
    assert.equal((await world.send('POST', path, { headers })).text, tested.text)
    assert.equal(sent, 1)
  })

  test('of many at once each is whole: a secret that was answered signs, or was cut', async () => {
    await using world = await createMobilerunWorld()
    const { id } = await world.createWebhook()
    const replies = await Promise.all(Array.from({ length: 8 }, () => rotate(world, id)))
    const won = replies.filter(({ status }) => status === 200)
    const lost = replies.filter(({ status }) => status !== 200)
    assert.equal(won.length, 1)
    for (const reply of lost) {
      assert.equal(reply.status, 409, reply.text)
      assert.deepEqual(Object.keys(reply.body), ['error'])
      // Mobilerun's clients would send it again by themselves, and cut off the one that won.
      assert.equal(reply.headers['x-should-retry'], 'false')
    }
    const statuses = await secretStatuses(world, id)
    assert.deepEqual(statuses.sort(), ['current', ...won.map(() => 'revoked')])
  })

  test('a failure of the store leaves the old secret in force', async () => {
    await using world = await createMobilerunWorld()
    const { id, secret } = await world.createWebhook()
    world.failNextSecret()
    const failed = await rotate(world, id)
    assert.equal(failed.status, 500)
    assert.doesNotMatch(failed.text, /no room|sec_/)
    assert.deepEqual(await secretStatuses(world, id), ['current'])
    const next = await rotate(world, id)
    assert.equal(next.status, 200)
    assert.notEqual(next.body.data.secret, secret)
  })

  test('refuses to cut where the operator demands an overlap', async () => {
    await using world = await createMobilerunWorld({
      changeParts: ({ settings }) => ({ settings: { ...settings, expireCurrentInMinSeconds: 60 } }),
    })
    const { id } = await world.createWebhook()
    const refused = await rotate(world, id)
    assert.equal(refused.status, 422, refused.text)
    assert.match(refused.body.error, /60/)
    assert.deepEqual(await secretStatuses(world, id), ['current'])
  })

  test('refuses an endpoint that signs with Ed25519, which is listed all the same', async () => {
    await using world = await createMobilerunWorld()
    const { storage } = world.server
    const { id } = await world.createWebhook()
    await addEd25519Twin(storage, world.project.id, idOfUuid('ep', id) ?? '')
    const { items } = (await world.send('GET', '/webhooks')).body
    assert.equal(items.length, 2)
    const refused = await rotate(world, items[0].id)
    assert.equal(refused.status, 422, refused.text)
    assert.match(refused.body.error, /ed25519/)
  })
})

test('Mobilerun: a secret is in no read, no refusal and no log', async () => {
  await using world = await createMobilerunWorld()
  const { id, secret: first } = await world.createWebhook()
  const { secret: second } = (await rotate(world, id)).body.data
  await world.publish()
  await world.attemptAll('failed')
  const deliveries = (await world.send('GET', `/webhooks/${id}/deliveries`)).body.items
  const texts: string[] = []
  for (const path of [
    '/webhooks',
    `/webhooks/${id}`,
    '/event-types',
    '/webhooks/deliveries',
    '/webhooks/deliveries/stats',
    `/webhooks/${id}/deliveries`,
    `/webhooks/${id}/deliveries/${deliveries[0].id}`,
  ]) {
    const reply = await world.send('GET', path)
    assert.equal(reply.status, 200, reply.text)
    texts.push(reply.text)
  }
  const changed = await world.send('PATCH', `/webhooks/${id}`, { body: { state: 'DISABLED' } })
  const tested = await world.send('POST', `/webhooks/${id}/test`)
  const refused = await world.send('PATCH', `/webhooks/${id}`, { body: { eventTypes: [second] } })
  assert.equal(refused.status, 422)
  const audit = await world.server.call('GET', `${world.project.path}/audit-log`)
  texts.push(changed.text, tested.text, refused.text, audit.text)
  texts.push(JSON.stringify(world.server.logged))
  for (const secret of [first, second]) {
    const value = secret.slice('whsec_'.length)
    for (const text of texts) assert.ok(!text.includes(value), text)
  }
})

function rotate(
  { send }: MobilerunWorld,
  id: string,
  options?: Parameters<MobilerunWorld['send']>[2],
) {
  return send('POST', `/webhooks/${id}/rotate-secret`, options)
}

/** Newest first. */
async function secretStatuses({ server, project }: MobilerunWorld, uuid: string) {
  const path = `${project.path}/endpoints/${idOfUuid('ep', uuid)}/secrets`
  const { body } = await server.call('GET', path)
  return body.data.map(({ status }: { status: string }) => status) as string[]
}
