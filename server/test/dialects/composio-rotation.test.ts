import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { addEd25519Twin } from '../support/add-ed25519-twin.ts'
import {
  assertRefused,
  type ComposioOptions,
  type ComposioWorld,
  createComposioWorld,
  nativePath,
  secretStatuses,
  setReveal,
  triggerMessage,
  v3,
  v31,
} from './composio-world.ts'

describe('Composio: rotate', () => {
  test('answers the id and a new secret alone, which is all that is left', async () => {
    await using world = await createComposioWorld()
    const { id, secret: first } = await world.createSubscription()
    for (const path of [v3, v31]) {
      const reply = await rotate(world, id, { path })
      assert.deepEqual(Object.keys(reply.body), ['id', 'secret'])
      assert.equal(reply.body.id, id)
      assert.match(reply.body.secret, /^[0-9a-f]{64}$/)
      assert.notEqual(reply.body.secret, first)
    }
    assert.deepEqual(await secretStatuses(world, id), ['current', 'revoked', 'revoked'])
  })

  test('cuts an open window of the native API, and every secret in it', async () => {
    await using world = await createComposioWorld()
    const { id } = await world.createSubscription()
    for (const body of [{ expire_current_in: 3600 }, { expire_current_in: 60, force: true }]) {
      const path = `${nativePath(world, id)}/secret/rotate`
      assert.equal((await world.server.call('POST', path, { body })).status, 200)
    }
    assert.deepEqual(await secretStatuses(world, id), ['current', 'retiring', 'retiring'])
    assert.equal((await rotate(world, id)).status, 200)
    assert.deepEqual(await secretStatuses(world, id), ['current', 'revoked', 'revoked', 'revoked'])
  })

  test('under one Idempotency-Key there is one secret, however often it is sent', async () => {
    await using world = await createComposioWorld()
    const { id } = await world.createSubscription()
    const headers = { 'idempotency-key': 'q4' }
    const first = await rotate(world, id, { headers })
    const again = await rotate(world, id, { headers })
    assert.equal(again.text, first.text)
    assert.equal(again.headers['idempotent-replayed'], 'true')
    assert.equal((await secretStatuses(world, id)).length, 2)
    const changed = await rotate(world, id, { headers, body: { reason: 'other' } })
    assertRefused(changed, 400)
    const later = await rotate(world, id, { headers: { 'idempotency-key': 'q1' } })
    assert.notEqual(later.body.secret, first.body.secret)
  })

  test('under one Idempotency-Key one subscription is made, with one secret', async () => {
    await using world = await createComposioWorld()
    const headers = { 'idempotency-key': 'once' }
    const body = { webhook_url: 'https://rx.example/', enabled_events: [triggerMessage] }
    const made = await world.send('POST', v31, { headers, body })
    assert.equal(made.status, 201)
    assert.equal((await world.send('POST', v31, { headers, body })).text, made.text)
  })

  test('of many at once each is whole: a secret that was answered signs, or was cut', async () => {
    await using world = await createComposioWorld()
    const { id } = await world.createSubscription()
    const replies = await Promise.all(Array.from({ length: 8 }, () => rotate(world, id)))
    const won = replies.filter(({ status }) => status === 200)
    assert.equal(won.length, 1)
    for (const reply of replies.filter(({ status }) => status !== 200)) {
      assertRefused(reply, 409)
      // Composio's clients would send it again by themselves, and cut off the one that won.
      assert.equal(reply.headers['x-should-retry'], 'false')
    }
    const statuses = await secretStatuses(world, id)
    assert.deepEqual(statuses.sort(), ['current', ...won.map(() => 'revoked')])
  })

  test('a failure of the store leaves the old secret in force', async () => {
    await using world = await createComposioWorld()
    const { id, secret } = await world.createSubscription()
    for (const member of ['insertSecret', 'insertAuditRow', 'insertRotation']) {
      world.failNext(member)
      assertRefused(await rotate(world, id), 500)
      assert.deepEqual(await secretStatuses(world, id), ['current'])
    }
    const next = await rotate(world, id)
    assert.equal(next.status, 200)
    assert.notEqual(next.body.secret, secret)
  })

  test('refuses to cut where the operator demands an overlap', async () => {
    await using world = await createComposioWorld({
      changeParts: ({ settings }) => ({ settings: { ...settings, expireCurrentInMinSeconds: 60 } }),
    })
    const { id } = await world.createSubscription()
    assertRefused(await rotate(world, id), 400, /60/)
    assert.deepEqual(await secretStatuses(world, id), ['current'])
  })

  test('refuses an endpoint that signs with Ed25519, which is listed and never revealed', async () => {
    await using world = await createComposioWorld()
    await setReveal(world, true)
    const { id, secret } = await world.createSubscription()
    const { server, project } = world
    const twinId = await addEd25519Twin(server.storage, project.id, id.replace('ws_', 'ep_'))
    const other = twinId.replace('ep_', 'ws_')
    const { items } = (await world.send('GET', v31)).body
    const shown = items.map((item: { id: string; secret: string }) => [item.id, item.secret])
    const masked = `****${secret.slice(-4)}`
    assert.deepEqual(
      shown.sort(),
      [
        [id, secret],
        [other, masked],
      ].sort(),
    )
    assertRefused(await rotate(world, other), 400, /ed25519/)
  })
})

describe('Composio: who sees a secret', () => {
  test('create and rotate show it in both versions; nothing else does', async () => {
    await using world = await createComposioWorld()
    for (const path of [v3, v31]) {
      const body = { webhook_url: 'https://rx.example/', enabled_events: [triggerMessage] }
      const made = (await world.send('POST', path, { body })).body
      const rotated = (await rotate(world, made.id, { path })).body
      const reads = await readAll(world, made.id)
      for (const { shown } of reads) assert.equal(shown, `****${rotated.secret.slice(-4)}`)
      const refused = await world.send('PATCH', `${path}/${made.id}`, {
        body: { enabled_events: [rotated.secret] },
      })
      const audit = await world.server.call('GET', `${world.project.path}/audit-log`)
      const texts = [...reads.map(({ text }) => text), refused.text, audit.text]
      texts.push(JSON.stringify(world.server.logged))
      for (const text of texts) {
        assert.ok(!text.includes(made.secret) && !text.includes(rotated.secret), text)
      }
      await world.send('DELETE', `${path}/${made.id}`)
    }
  })

  test('reads of v3.1 show it where the project says so, each with an audit row', async () => {
    await using world = await createComposioWorld()
    const { id, secret } = await world.createSubscription()
    await setReveal(world, true)
    const reads = await readAll(world, id)
    for (const { path, shown } of reads) {
      const expected = path.startsWith(v31) ? secret : `****${secret.slice(-4)}`
      assert.equal(shown, expected, path)
    }
    const rows = await auditRows(world, 'endpoint.secret.revealed')
    assert.equal(rows.length, 3, 'list, read and change')
    for (const { actor, target, details } of rows) {
      assert.equal(actor.type, 'key')
      assert.deepEqual(target, { type: 'endpoint', id: id.replace('ws_', 'ep_') })
      assert.match(details.secret_id, /^sec_/)
    }
    await setReveal(world, false)
    for (const { shown } of await readAll(world, id)) assert.match(shown, /^\*{4}/)
    assert.equal((await auditRows(world, 'endpoint.secret.revealed')).length, 3)
  })

  test('a key that may not rotate sees it masked all the same', async () => {
    await using world = await createComposioWorld()
    const { id, secret } = await world.createSubscription()
    await setReveal(world, true)
    const path = `${v31}/${id}`
    const readOnly = await world.keyWith(['webhooks.read'])
    const writeOnly = await world.keyWith(['webhooks.write', 'secrets.rotate'])
    const replies = [
      await world.send('GET', path, { key: readOnly }),
      await world.send('PATCH', path, { key: writeOnly, body: { version: 'V2' } }),
    ]
    for (const reply of replies) assert.equal(reply.body.secret, `****${secret.slice(-4)}`)
    assert.deepEqual(await auditRows(world, 'endpoint.secret.revealed'), [])
  })

  test('the secret that signs is shown, not one that waits or that retires', async () => {
    await using world = await createComposioWorld()
    const { id, secret } = await world.createSubscription()
    await setReveal(world, true)
    const rotateNatively = (body: object) =>
      world.server.call('POST', `${nativePath(world, id)}/secret/rotate`, { body })
    const shown = async () => (await world.send('GET', `${v31}/${id}`)).body.secret
    const staged = await rotateNatively({ activate_at: '2026-11-01T10:10:00Z' })
    assert.equal(staged.status, 200, staged.text)
    assert.equal(await shown(), secret)
    world.server.clock.advance(600_000)
    assert.equal(await shown(), staged.body.secret)
  })

  test('a secret is not revealed where the audit log cannot be written', async () => {
    await using world = await createComposioWorld()
    const { id, secret } = await world.createSubscription()
    await setReveal(world, true)
    world.failNext('insertAuditRow')
    const reply = await world.send('GET', `${v31}/${id}`)
    assertRefused(reply, 500)
    assert.ok(!reply.text.includes(secret))
  })

  test('a subscription that is deleted while it is listed is no error', async () => {
    let world: ComposioWorld | null = null
    let toDelete: string | null = null
    await using made = await createComposioWorld({
      changeParts: ({ storage }) => ({
        storage: {
          ...storage,
          async listEndpointsAt(...parameters) {
            const endpoints = await storage.listEndpointsAt(...parameters)
            if (toDelete !== null) await world?.send('DELETE', `${v31}/${toDelete}`)
            return endpoints
          },
        },
      }),
    })
    world = made
    const { id } = await made.createSubscription()
    await setReveal(made, true)
    toDelete = id
    const reply = await made.send('GET', `${v31}?limit=1`)
    assert.equal(reply.status, 200, reply.text)
    assert.match(reply.body.items[0].secret, /^\*{4}/)
    assert.deepEqual(await auditRows(made, 'endpoint.secret.revealed'), [])
  })
})

test('Composio: every change is in the audit log, with the key that made it', async () => {
  await using world = await createComposioWorld()
  const { id } = await world.createSubscription()
  await world.send('PATCH', `${v31}/${id}`, { body: { version: 'V2' } })
  await rotate(world, id)
  await world.send('DELETE', `${v31}/${id}`)
  const expected = ['endpoint.created', 'endpoint.updated', 'endpoint.secret.rotated']
  for (const action of [...expected, 'endpoint.deleted']) {
    const [row, ...more] = await auditRows(world, action)
    assert.deepEqual(more, [])
    assert.deepEqual([row?.actor.type, row?.target.id], ['key', id.replace('ws_', 'ep_')], action)
  }
})

interface AuditRow {
  actor: { type: string }
  target: { type: string; id: string }
  details: { secret_id: string }
}

async function auditRows({ server, project }: ComposioWorld, action: string): Promise<AuditRow[]> {
  const { body } = await server.call('GET', `${project.path}/audit-log?action=${action}`)
  return body.data
}

function rotate(
  { send }: ComposioWorld,
  id: string,
  { path = v31, ...options }: ComposioOptions & { path?: string } = {},
) {
  return send('POST', `${path}/${id}/rotate_secret`, options)
}

/** Every answer that shows a subscription that was made earlier, in both versions. */
async function readAll({ send }: ComposioWorld, id: string) {
  const reads: { path: string; text: string; shown: string }[] = []
  for (const path of [v3, v31]) {
    const list = await send('GET', path)
    const one = await send('GET', `${path}/${id}`)
    const changed = await send('PATCH', `${path}/${id}`, { body: { version: 'V3' } })
    reads.push({ path, text: list.text, shown: list.body.items[0].secret })
    for (const { text, body } of [one, changed]) reads.push({ path, text, shown: body.secret })
  }
  return reads
}
