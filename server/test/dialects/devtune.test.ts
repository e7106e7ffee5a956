import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { idOfUuid, uuidOf } from '../../src/core/ids.ts'
import { createDevtuneWorld, type DevtuneWorld } from './devtune-world.ts'

const publishedTypes = [
  'search-tracking.completed',
  'visibility.changed',
  'action.created',
  'action.updated',
  'action.recommendation.created',
  'action.recommendation.updated',
]

describe('DevTune: webhooks', () => {
  test('every answer but that of DELETE is an envelope, and the secret is in it once', async () => {
    await using world = await createDevtuneWorld()
    const body = { url: 'https://rx.example/in', events: ['action.created'] }
    const created = await world.send('POST', world.path, { body })
    assert.equal(created.status, 201, created.text)
    const meta = { timestamp: '2026-11-01T10:00:00.000Z', projectId: uuidOf(world.project.id) }
    const { id, secret, ...rest } = created.body.data
    assert.deepEqual(created.body.meta, meta)
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/)
    assert.match(secret, /^[0-9a-f]{64}$/)
    assert.deepEqual(rest, {
      ...body,
      isActive: true,
      createdAt: meta.timestamp,
      updatedAt: meta.timestamp,
    })

    world.server.clock.advance(1_500)
    meta.timestamp = '2026-11-01T10:00:01.500Z'
    const list = await world.send('GET', world.path)
    assert.deepEqual(list.body, { data: { webhooks: [{ id, ...rest }] }, meta })
    const rotated = await world.rotate(id.toUpperCase())
    assert.deepEqual(Object.keys(rotated.body.data), ['secret'])
    assert.deepEqual(rotated.body.meta, meta)
    const deleted = await world.send('DELETE', `${world.path}/${id}`)
    assert.deepEqual([deleted.status, deleted.body], [200, { deleted: true }])
  })

  test('ignores fields and parameters that it does not know', async () => {
    await using world = await createDevtuneWorld()
    const created = await world.createWebhook({
      ...{ secret: 'mine', isActive: false, description: 7, format: 'standard', event_types: 7 },
    })
    assert.notEqual(created.secret, 'mine')
    assert.equal(created.isActive, true)
    assert.equal((await world.send('GET', `${world.path}?page=x&page=y&limit=1`)).status, 200)
    const rotated = await world.rotate(created.id, { body: { secret: 'mine', expire: 60 } })
    assert.match(rotated.body.data.secret, /^[0-9a-f]{64}$/)
  })

  test('names every field at fault at once', async () => {
    await using world = await createDevtuneWorld()
    for (const [body, names] of [
      [{}, ['url', 'events']],
      [{ url: 7, events: 'all' }, ['url', 'events']],
      [{ url: 'http://rx.example/', events: [] }, ['url', 'events']],
      [{ url: 'http://rx.example/', events: ['*', 'action.created', 'x.y'] }, [0, 2]],
      [{ url: 'http://rx.example/', events: [7, 'action.created', ''] }, [0, 2]],
    ] as const) {
      const reply = await world.send('POST', world.path, { body })
      assert.equal(reply.status, 400, reply.text)
      const found = [...reply.body.message.matchAll(/(?:^|\. )([\w.]+): /g)].map(([, name]) => name)
      const expected = names.map((name) => (typeof name === 'number' ? `events.${name}` : name))
      assert.deepEqual(found.sort(), [...new Set([...expected, 'url'])].sort(), reply.text)
    }
    assert.deepEqual(await world.listed(), [])
  })

  test('takes the published types and no others, and says which those are', async () => {
    await using world = await createDevtuneWorld()
    const many = Array.from({ length: 101 }, () => 'action.created')
    for (const events of [['order.paid'], ['endpoint.disabled'], ['countersign.probe'], many]) {
      const reply = await world.send('POST', world.path, {
        body: { url: 'https://rx.example/', events },
      })
      assert.equal(reply.status, 400, reply.text)
      if (events === many) assert.match(reply.body.message, /^events: .*100/)
      else for (const type of publishedTypes) assert.ok(reply.body.message.includes(type))
    }
  })

  test('takes the types of the project’s catalogue as well, but reserved ones never', async () => {
    await using world = await createDevtuneWorld()
    const define = (path: string) =>
      world.server.call('PUT', path, { body: { description: 'Ours.' } })
    assert.ok((await define(`${world.project.path}/event-types/order.paid`)).status < 300)
    assert.ok((await define('/v1/catalog/event-types/order.sent')).status < 300)
    const events = ['order.paid', 'order.sent', 'action.created']
    assert.deepEqual((await world.createWebhook({ events })).events, events)
    const reply = await world.send('POST', world.path, {
      body: { url: 'https://rx.example/', events: ['order.*'] },
    })
    assert.equal(reply.status, 400)
  })

  test('lists the active ones only, all of them, the newest first', async () => {
    await using world = await createDevtuneWorld()
    const made: string[] = []
    for (let count = 0; count < 120; count += 1) made.unshift((await world.createWebhook()).id)
    const ids = async () => (await world.listed()).map(({ id }) => id)
    assert.deepEqual(await ids(), made)
    const [disabled = '', deleted = '', ...rest] = made
    const path = `${world.project.path}/endpoints/${idOfUuid('ep', disabled)}`
    const disable = await world.server.call('PATCH', path, { body: { state: 'disabled' } })
    assert.equal(disable.status, 200, disable.text)
    assert.equal((await world.send('DELETE', `${world.path}/${deleted}`)).status, 200)
    assert.deepEqual(await ids(), rest)
    // It is not shown, but there: it can be rotated, and shows again once it is active.
    assert.equal((await world.rotate(disabled)).status, 200)
    await world.server.call('PATCH', path, { body: { state: 'active' } })
    assert.deepEqual(await ids(), [disabled, ...rest])
  })

  test('is deleted once, and then is nowhere', async () => {
    await using world = await createDevtuneWorld()
    const { id } = await world.createWebhook()
    assert.equal((await world.send('DELETE', `${world.path}/${id}`)).status, 200)
    assert.equal((await world.send('DELETE', `${world.path}/${id}`)).status, 404)
    assert.equal((await world.rotate(id)).status, 404)
    assert.deepEqual(await world.listed(), [])
  })

  test('a project has no more of them than the operator allows', async () => {
    await using world = await createDevtuneWorld({
      changeParts: ({ settings }) => ({ settings: { ...settings, endpointsPerProjectMax: 2 } }),
    })
    await world.createWebhook()
    await world.createWebhook()
    const body = { url: 'https://rx.example/', events: ['action.created'] }
    const reply = await world.send('POST', world.path, { body })
    assert.deepEqual([reply.status, reply.body.error], [409, 'conflict'])
    assert.match(reply.body.message, /2 endpoints/)
  })
})

describe('DevTune: one project, several APIs', () => {
  test('what is made here is an endpoint of the native API, in DevTune’s format', async () => {
    await using world = await createDevtuneWorld()
    const { id, events } = await world.createWebhook()
    const path = `${world.project.path}/endpoints/${idOfUuid('ep', id)}`
    const { body } = await world.server.call('GET', path)
    assert.deepEqual([body.format, body.event_types, body.state], ['devtune', events, 'active'])
    const stored = await world.server.storage.getEndpoint(world.project.id, body.id)
    assert.equal(stored?.dialect, 'devtune')
  })

  test('what is made elsewhere is listed, rotated and deleted here', async () => {
    await using world = await createDevtuneWorld()
    const native = await world.server.call('POST', `${world.project.path}/endpoints`, {
      body: { url: 'https://native.example/' },
    })
    const other = await world.server.send('POST', '/webhooks', {
      headers: { authorization: `Bearer ${world.project.key}` },
      body: { url: 'https://mobilerun.example/' },
    })
    assert.equal(other.status, 201, other.text)
    const ids = (await world.listed()).map(({ id }) => id)
    assert.deepEqual(ids, [other.body.data.id, uuidOf(native.body.id)])
    for (const id of ids) {
      const rotated = await world.rotate(id)
      assert.equal(rotated.status, 200, rotated.text)
      // In the shape of the format that the endpoint has, so its receiver can use it.
      assert.match(rotated.body.data.secret, /^whsec_/)
      assert.equal((await world.send('DELETE', `${world.path}/${id}`)).status, 200)
    }
  })

  test('shows a wildcard as the published types that it matches', async () => {
    await using world = await createDevtuneWorld()
    for (const [filter, shown] of [
      [undefined, publishedTypes],
      [['*'], publishedTypes],
      [
        ['action.recommendation.*', 'order.paid'],
        [...publishedTypes.slice(4), 'order.paid'],
      ],
      [['action.created', 'action.*'], publishedTypes.slice(2)],
      [['order.*', 'endpoint.*'], []],
    ] as const) {
      const { body } = await world.server.call('POST', `${world.project.path}/endpoints`, {
        body: { url: 'https://native.example/', event_types: filter },
      })
      const webhook = (await world.listed()).find(({ id }) => id === uuidOf(body.id))
      assert.deepEqual(webhook?.events, shown)
    }
  })

  test('the audit log says what was done through here, and by whom', async () => {
    await using world = await createDevtuneWorld()
    const { id } = await world.createWebhook()
    await world.rotate(id)
    await world.send('DELETE', `${world.path}/${id}`)
    const rows = await auditRows(world)
    assert.deepEqual(
      rows.slice(0, 3).map(({ action }) => action),
      ['endpoint.deleted', 'endpoint.secret.rotated', 'endpoint.created'],
    )
    for (const { target, actor } of rows.slice(0, 3)) {
      assert.equal(target.id, idOfUuid('ep', id))
      assert.deepEqual([actor.type, actor.name], ['key', 'DevTune'])
    }
  })
})

async function auditRows({ server, project }: DevtuneWorld) {
  const { body } = await server.call('GET', `${project.path}/audit-log`)
  return body.data as {
    action: string
    target: { id: string }
    actor: { type: string; name: string }
  }[]
}
