import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { idOfUuid } from '../../src/core/ids.ts'
import { createMobilerunWorld, type MobilerunWorld } from './mobilerun-world.ts'

describe('Mobilerun: webhooks', () => {
  test('shows a webhook the same way in every answer, and its secret once', async () => {
    await using world = await createMobilerunWorld()
    const { secret, ...shown } = await world.createWebhook({
      eventTypes: ['task.run.completed'],
      description: 'ops',
    })
    assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
    const { id, createdBy, ...rest } = shown
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/)
    assert.match(String(createdBy), /^key_/)
    assert.deepEqual(rest, {
      url: 'https://rx.example/in',
      eventTypes: ['task.run.completed'],
      state: 'ACTIVE',
      health: 'healthy',
      blockedAt: null,
      blockedReason: null,
      signingEnabled: true,
      description: 'ops',
      createdAt: '2026-11-01T10:00:00.000Z',
      updatedAt: '2026-11-01T10:00:00.000Z',
    })
    const read = await world.send('GET', `/v1/webhooks/${id.toUpperCase()}`)
    assert.deepEqual(read.body, { data: shown })
    const list = await world.send('GET', '/v1/webhooks')
    assert.deepEqual(list.body.items, [shown])
  })

  test('answers at the root and under /v1 alike', async () => {
    await using world = await createMobilerunWorld()
    const body = { url: 'https://rx.example/v1' }
    const created = await world.send('POST', '/v1/webhooks', { body })
    assert.equal(created.status, 201, created.text)
    const { id } = created.body.data
    for (const path of [
      '/webhooks',
      `/webhooks/${id}`,
      '/event-types',
      '/webhooks/deliveries',
      '/webhooks/deliveries/stats',
      `/webhooks/${id}/deliveries`,
    ]) {
      const [atRoot, underV1] = [
        await world.send('GET', path),
        await world.send('GET', `/v1${path}`),
      ]
      assert.equal(atRoot.status, 200, atRoot.text)
      assert.deepEqual(underV1.body, atRoot.body, path)
    }
  })

  test('ignores fields and parameters that it does not know', async () => {
    await using world = await createMobilerunWorld()
    const { id, ...created } = await world.createWebhook({ kind: 'http', signingEnabled: false })
    assert.equal(created.signingEnabled, true)
    const changed = await world.send('PATCH', `/webhooks/${id}`, {
      body: { url: 'https://elsewhere.example/', state: 'ACTIVE', secret: 'mine' },
    })
    assert.equal(changed.status, 200, changed.text)
    assert.equal(changed.body.data.url, 'https://rx.example/in')
    assert.equal((await world.send('GET', '/webhooks?kind=http&kind=other')).status, 200)
    const rotated = await world.send('POST', `/webhooks/${id}/rotate-secret`, {
      body: { secret: 'mine', expire_current_in: 60 },
    })
    assert.notEqual(rotated.body.data.secret, 'mine')
  })

  test('a change needs something that can be changed', async () => {
    await using world = await createMobilerunWorld()
    const { id } = await world.createWebhook()
    for (const body of [undefined, {}, { url: 'https://elsewhere.example/' }]) {
      const reply = await world.send('PATCH', `/webhooks/${id}`, { body })
      assert.equal(reply.status, 422, reply.text)
      assert.match(reply.body.error, /at least one of: eventTypes, state, description/)
    }
  })

  test('takes no types, an empty list and "*" for every type', async () => {
    await using world = await createMobilerunWorld()
    for (const fields of [{}, { eventTypes: [] }, { eventTypes: ['*'] }]) {
      const { id, eventTypes } = await world.createWebhook(fields)
      assert.deepEqual(eventTypes, ['*'])
      const back = await world.send('PATCH', `/webhooks/${id}`, { body: { eventTypes } })
      assert.deepEqual(back.body.data.eventTypes, ['*'])
    }
    await world.publish('anything.at_all')
    const { body } = await world.send('GET', '/webhooks/deliveries')
    assert.equal(body.pagination.total, 3)
  })

  test('refuses reserved types, and names every field at fault at once', async () => {
    await using world = await createMobilerunWorld()
    const { id } = await world.createWebhook()
    const eventTypes = ['task.*', 'endpoint.secret.rotated', 'countersign.*', 'a b']
    const create = await world.send('POST', '/webhooks', { body: { url: 7, eventTypes } })
    assert.equal(create.status, 422)
    for (const place of ['url', 'eventTypes.1', 'eventTypes.2', 'eventTypes.3']) {
      assert.match(create.body.error, new RegExp(`(?:^|\\. )${place}: `))
    }
    assert.doesNotMatch(create.body.error, /eventTypes\.0|event_types/)
    for (const [method, path] of [
      ['POST', '/webhooks'],
      ['PATCH', `/webhooks/${id}`],
    ] as const) {
      const body = { url: 'http://rx.example/', eventTypes: ['endpoint.*'] }
      const reply = await world.send(method, path, { body })
      assert.equal(reply.status, 422)
      assert.match(reply.body.error, /eventTypes\.0: .* reserved\./)
      assert.equal(/url: /.test(reply.body.error), method === 'POST')
    }
  })

  test('a blocked webhook says since when and why, and ACTIVE unblocks it', async () => {
    await using world = await createMobilerunWorld()
    await world.createWebhook()
    const { id } = await world.createWebhook()
    await block(world, id)
    const path = `/webhooks/${id}`
    const blocked = (await world.send('GET', path)).body.data
    assert.deepEqual(
      [blocked.state, blocked.health, blocked.blockedAt, blocked.blockedReason],
      ['DISABLED', 'blocked', '2026-11-01T10:00:00.000Z', 'Nothing was delivered for 5 days.'],
    )
    const list = (await world.send('GET', '/webhooks?status=blocked')).body
    assert.deepEqual(list.items, [blocked])
    assert.equal(list.pagination.total, 1)
    assert.deepEqual(list.counts, { total: 2, active: 1, failing: 0, blocked: 1, disabled: 0 })

    const change = await world.send('PATCH', path, { body: { state: 'ACTIVE' } })
    assert.equal(change.status, 200, change.text)
    const { data } = change.body
    assert.deepEqual(
      [data.state, data.health, data.blockedAt, data.blockedReason],
      ['ACTIVE', 'failing', null, null],
    )
    assert.deepEqual((await world.send('GET', path)).body, { data })
    const counts = (await world.send('GET', '/webhooks?status=disabled')).body.counts
    assert.deepEqual(counts, { total: 2, active: 1, failing: 1, blocked: 0, disabled: 0 })
  })

  test('numbers its pages, and goes no deeper than it says', async () => {
    await using world = await createMobilerunWorld()
    const made: string[] = []
    for (let count = 0; count < 5; count += 1) made.unshift((await world.createWebhook()).id)
    const pages = await Promise.all(
      [1, 2, 3, 4].map(async (page) => {
        const { body } = await world.send('GET', `/webhooks?page=${page}&pageSize=2`)
        return body
      }),
    )
    assert.deepEqual(
      pages.flatMap(({ items }) => items.map(({ id }: { id: string }) => id)),
      made,
    )
    const facts = { pages: 3, pageSize: 2, total: 5 }
    assert.deepEqual(
      pages.map(({ pagination }) => pagination),
      [
        { hasNext: true, hasPrev: false, page: 1, ...facts },
        { hasNext: true, hasPrev: true, page: 2, ...facts },
        { hasNext: false, hasPrev: true, page: 3, ...facts },
        { hasNext: false, hasPrev: true, page: 4, ...facts },
      ],
    )
    const standard = (await world.send('GET', '/webhooks')).body.pagination
    assert.deepEqual(standard, {
      hasNext: false,
      hasPrev: false,
      page: 1,
      pages: 1,
      pageSize: 20,
      total: 5,
    })
    for (const list of ['/webhooks', '/webhooks/deliveries', `/webhooks/${made[0]}/deliveries`]) {
      const deepest = await world.send('GET', `${list}?page=1001&pageSize=100`)
      assert.equal(deepest.status, 200, deepest.text)
      const deeper = await world.send('GET', `${list}?page=1002&pageSize=100`)
      assert.equal(deeper.status, 422)
      assert.match(deeper.body.error, /^page: Must be at most 1001 at 100 items a page/)
      const absurd = await world.send('GET', `${list}?page=${'9'.repeat(30)}`)
      assert.equal(absurd.status, 422)
    }
  })

  test('is deleted once, and then is nowhere', async () => {
    await using world = await createMobilerunWorld()
    const { id } = await world.createWebhook()
    const path = `/webhooks/${id}`
    assert.equal((await world.send('DELETE', path)).status, 204)
    assert.equal((await world.send('DELETE', path)).status, 404)
    assert.equal((await world.send('GET', path)).status, 404)
    const { items, counts } = (await world.send('GET', '/webhooks')).body
    assert.deepEqual([items, counts.total], [[], 0])
  })
})

describe('Mobilerun: one project, several APIs', () => {
  test('what is made here is an endpoint of the native API, in Mobilerun’s format', async () => {
    await using world = await createMobilerunWorld()
    const { id } = await world.createWebhook()
    const path = `${world.project.path}/endpoints/${idOfUuid('ep', id)}`
    const { body } = await world.server.call('GET', path)
    assert.deepEqual([body.format, body.event_types, body.state], ['mobilerun', ['*'], 'active'])
    const stored = await world.server.storage.getEndpoint(world.project.id, body.id)
    assert.equal(stored?.dialect, 'mobilerun')
  })

  test('what is made natively is listed, read, changed, rotated and deleted here', async () => {
    await using world = await createMobilerunWorld()
    const native = await world.server.call('POST', `${world.project.path}/endpoints`, {
      body: { url: 'https://native.example/', event_types: ['order.*', 'endpoint.*'], uid: 'n' },
    })
    const { items } = (await world.send('GET', '/webhooks')).body
    const [webhook] = items
    assert.deepEqual(webhook.eventTypes, ['order.*', 'endpoint.*'])
    assert.equal(webhook.createdBy, null, 'the root key has no id')
    assert.equal(idOfUuid('ep', webhook.id), native.body.id)
    const path = `/webhooks/${webhook.id}`
    const rotated = await world.send('POST', `${path}/rotate-secret`)
    assert.equal(rotated.status, 200, rotated.text)
    const changed = await world.send('PATCH', path, { body: { description: 'seen' } })
    assert.equal(changed.body.data.description, 'seen')
    const read = await world.server.call('GET', `${world.project.path}/endpoints/n`)
    assert.deepEqual([read.body.format, read.body.description], ['standard', 'seen'])
    assert.equal((await world.send('DELETE', path)).status, 204)
  })

  test('the audit log says what was done through here, and by whom', async () => {
    await using world = await createMobilerunWorld()
    const { id, createdBy } = await world.createWebhook()
    await world.send('PATCH', `/webhooks/${id}`, { body: { state: 'DISABLED' } })
    await world.send('POST', `/webhooks/${id}/rotate-secret`)
    await world.send('DELETE', `/webhooks/${id}`)
    const path = `${world.project.path}/audit-log?actor=${createdBy}`
    const { body } = await world.server.call('GET', path)
    const rows = body.data as { action: string; target: { id: string } }[]
    assert.deepEqual(
      rows.map(({ action }) => action),
      ['endpoint.deleted', 'endpoint.secret.rotated', 'endpoint.updated', 'endpoint.created'],
    )
    assert.ok(rows.every(({ target }) => target.id === idOfUuid('ep', id)))
  })

  test('a key of Mobilerun’s shape is a key like any other', async () => {
    await using world = await createMobilerunWorld()
    const made = await world.server.call('POST', `${world.project.path}/api-keys`, {
      body: { name: 'Mobilerun', dialect: 'mobilerun' },
    })
    assert.equal(made.status, 201, made.text)
    assert.match(made.body.key, /^dr_sk_/)
    assert.equal((await world.send('GET', '/webhooks', { key: made.body.key })).status, 200)
  })
})

/** As sustained failure does. */
async function block({ server, project }: MobilerunWorld, uuid: string): Promise<void> {
  const { storage, clock } = server
  const endpoint = await storage.getEndpoint(project.id, idOfUuid('ep', uuid) ?? '')
  assert.ok(endpoint)
  await storage.transact(async (tx) => {
    const blockedReason = 'Nothing was delivered for 5 days.'
    await tx.updateEndpoint({
      ...endpoint,
      state: 'disabled',
      blockedAt: clock.now(),
      blockedReason,
    })
    await tx.updateEndpointHealth(endpoint.id, { ...endpoint, health: 'blocked' })
  })
}
