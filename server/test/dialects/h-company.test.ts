import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { idOfUuid } from '../../src/core/ids.ts'
import { createHCompanyWorld, type HCompanyWorld, webhooksPath } from './h-company-world.ts'

describe('H Company: webhooks', () => {
  test('shows a webhook the same way in every answer, and its secret once', async () => {
    await using world = await createHCompanyWorld()
    const { secret, ...shown } = await world.createWebhook({ description: 'Production listener' })
    assert.match(secret, /^whsec_[A-Za-z0-9_-]{43}$/)
    const { id, ...rest } = shown
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/)
    assert.deepEqual(rest, {
      url: 'https://rx.example/in',
      enabled_events: ['*'],
      description: 'Production listener',
      disabled: false,
      created_at: '2026-11-01T10:00:00.000Z',
      updated_at: '2026-11-01T10:00:00.000Z',
      last_delivery_status: null,
      last_delivery_error: null,
      last_delivery_at: null,
      last_success_at: null,
      consecutive_failures: 0,
    })
    assert.deepEqual(await world.readWebhook(id.toUpperCase()), shown)
    const list = await world.send('GET', webhooksPath)
    assert.deepEqual(list.body, { items: [shown], total: 1, page: 1 })
    const change = await world.send('PATCH', `${webhooksPath}/${id}`, { body: {} })
    assert.deepEqual(change.body, shown)
  })

  test('ignores fields and parameters that it does not know', async () => {
    await using world = await createHCompanyWorld()
    const { id, ...created } = await world.createWebhook({
      secret: `whsec_${'m'.repeat(43)}`,
      disabled: true,
      event_types: ['order.paid'],
    })
    assert.notEqual(created.secret, `whsec_${'m'.repeat(43)}`)
    assert.deepEqual([created.disabled, created.enabled_events], [false, ['*']])
    const body = { description: 'changed', secret: 'mine', state: 'disabled', id: 'other' }
    const changed = await world.send('PATCH', `${webhooksPath}/${id}`, { body })
    assert.deepEqual(
      [changed.status, changed.body.id, changed.body.disabled, changed.body.description],
      [200, id, false, 'changed'],
    )
    assert.equal((await world.send('GET', `${webhooksPath}?limit=0&cursor=x`)).status, 200)
  })

  test('names every field at fault at once, and repeats nothing that was sent', async () => {
    await using world = await createHCompanyWorld()
    const sent = `whsec_${'s'.repeat(43)}`
    for (const [body, places] of [
      [
        { url: sent, enabled_events: ['*', sent, 'ping'] },
        ['url', 'enabled_events', 'enabled_events'],
      ],
      [
        { url: 7, enabled_events: [], description: sent.repeat(9) },
        ['url', 'enabled_events', 'description'],
      ],
      [{ url: sent, description: 7 }, ['url', 'description']],
    ] as const) {
      const reply = await world.send('POST', webhooksPath, { body })
      assert.equal(reply.status, 422, reply.text)
      const fields = reply.body.detail.map(({ loc }: { loc: string[] }) => loc[1])
      assert.deepEqual(fields.sort(), [...places].sort())
      assert.ok(!reply.text.includes(sent.slice(0, 20)), reply.text)
    }
  })

  test('enables the types of the project’s catalogue too, but never a ping', async () => {
    await using world = await createHCompanyWorld()
    for (const name of ['session.archived', 'ping']) {
      const path = `${world.project.path}/event-types/${name}`
      const reply = await world.server.call('PUT', path, { body: {} })
      assert.ok(reply.status < 300, reply.text)
    }
    const listed = (await world.send('GET', `${webhooksPath}/events`)).body
    const names = listed.map(({ type }: { type: string }) => type)
    assert.ok(names.includes('session.archived') && !names.includes('ping'), names.join())
    const events = ['session.archived', 'session.idle']
    assert.deepEqual((await world.createWebhook({ enabled_events: events })).enabled_events, events)
    const body = { url: 'https://rx.example/in', enabled_events: ['ping', 'session.archived'] }
    const reply = await world.send('POST', webhooksPath, { body })
    assert.deepEqual(
      reply.body.detail.map(({ loc }: { loc: unknown }) => loc),
      [['body', 'enabled_events', 0]],
    )
  })

  test('refuses a URL that leads to a private address', async () => {
    await using world = await createHCompanyWorld({
      changeParts: ({ urlPolicy }) => ({
        urlPolicy: {
          ...urlPolicy,
          addressProblemOf: async (url) => (url.includes('inside') ? 'Is not public.' : null),
        },
      }),
    })
    const { id } = await world.createWebhook()
    for (const [method, path] of [
      ['POST', webhooksPath],
      ['PATCH', `${webhooksPath}/${id}`],
    ] as const) {
      const reply = await world.send(method, path, { body: { url: 'https://inside.example/' } })
      assert.equal(reply.status, 422)
      const [{ loc, msg }] = reply.body.detail
      assert.deepEqual([loc, msg], [['body', 'url'], 'Is not public.'])
    }
  })

  test('tells how deliveries go: the last one, the last success and failures in a row', async () => {
    await using world = await createHCompanyWorld()
    const { id } = await world.createWebhook()
    const told = async () => {
      const { body } = await world.send('GET', webhooksPath)
      const webhook = await world.readWebhook(id)
      assert.deepEqual(body.items, [webhook])
      return [
        webhook.last_delivery_status,
        webhook.last_delivery_error,
        webhook.last_delivery_at,
        webhook.last_success_at,
        webhook.consecutive_failures,
      ]
    }
    const [first, second, third, fourth] = [0, 1, 2, 3].map(
      (seconds) => `2026-11-01T10:00:0${seconds}.000Z`,
    )
    await world.publish()
    assert.deepEqual(await told(), [null, null, null, null, 0], 'before the first attempt')
    await world.attemptAll(null)
    assert.deepEqual(await told(), ['succeeded', null, first, first, 0])
    for (const [failure, text, at, count] of [
      [{ error: 'http_status', statusCode: 503 }, 'The receiver answered 503.', second, 1],
      [{ error: 'timeout', statusCode: null }, 'The attempt failed: timeout.', third, 2],
    ] as const) {
      world.server.clock.advance(1_000)
      await world.publish()
      await world.attemptAll(failure)
      assert.deepEqual(await told(), ['failed', text, at, first, count])
    }
    await world.send('POST', `${webhooksPath}/${id}/ping`)
    await world.publish()
    const waiting = await told()
    assert.deepEqual(waiting, ['failed', 'The attempt failed: timeout.', third, first, 2])
    world.server.clock.advance(1_000)
    await world.attemptAll(null)
    assert.deepEqual(await told(), ['succeeded', null, fourth, fourth, 0])
  })

  test('says that the last attempt failed where its delivery is not among the newest', async () => {
    await using world = await createHCompanyWorld()
    const { id } = await world.createWebhook()
    await world.publish()
    await world.attemptAll({ error: 'connect', statusCode: null })
    for (let count = 0; count < 10; count += 1) await world.publish()
    const { last_delivery_status, last_delivery_error } = await world.readWebhook(id)
    assert.equal(last_delivery_status, 'failed')
    assert.equal(last_delivery_error, 'The last attempt failed.')
    const { body } = await world.send('POST', `${webhooksPath}/${id}/rotate`)
    assert.deepEqual(
      [body.last_delivery_status, body.last_delivery_error, body.consecutive_failures],
      ['failed', 'The last attempt failed.', 1],
    )
  })

  test('"disabled": false switches on what was blocked, and counts failures anew', async () => {
    await using world = await createHCompanyWorld()
    const { id } = await world.createWebhook()
    await world.publish()
    await world.attemptAll({ error: 'http_status', statusCode: 500 })
    await block(world, id)
    const blocked = await world.readWebhook(id)
    assert.deepEqual([blocked.disabled, blocked.consecutive_failures], [true, 1])
    const body = { disabled: false }
    const { body: on } = await world.send('PATCH', `${webhooksPath}/${id}`, { body })
    assert.deepEqual([on.disabled, on.consecutive_failures], [false, 0])
    assert.equal(on.last_delivery_status, 'failed', 'nothing has succeeded since')
    assert.deepEqual(await world.readWebhook(id), on)
  })

  test('ten made here are the most; those made elsewhere do not count, deleted ones neither', async () => {
    await using world = await createHCompanyWorld()
    await world.createNative()
    const made: string[] = []
    for (let count = 0; count < 10; count += 1) made.push((await world.createWebhook()).id)
    const body = { url: 'https://rx.example/in' }
    const refused = await world.send('POST', webhooksPath, { body })
    assert.deepEqual([refused.status, Object.keys(refused.body)], [400, ['detail']])
    assert.match(refused.body.detail, /10/)
    await world.createNative()
    assert.equal((await world.send('POST', webhooksPath, { body })).status, 400)
    await world.send('DELETE', `${webhooksPath}/${made[0]}`)
    assert.equal((await world.send('POST', webhooksPath, { body })).status, 201)
  })

  test('is deleted once, and then is nowhere', async () => {
    await using world = await createHCompanyWorld()
    const { id } = await world.createWebhook()
    assert.equal((await world.send('DELETE', `${webhooksPath}/${id}`)).status, 204)
    assert.equal((await world.send('DELETE', `${webhooksPath}/${id}`)).status, 404)
    assert.equal((await world.send('GET', `${webhooksPath}/${id}`)).status, 404)
    assert.deepEqual((await world.send('GET', webhooksPath)).body, { items: [], total: 0, page: 1 })
  })

  test('lists the types that can be enabled, and each can', async () => {
    await using world = await createHCompanyWorld()
    const { body } = await world.send('GET', `${webhooksPath}/events`)
    const types = body.map(({ type }: { type: string }) => type)
    assert.deepEqual(types, [
      'session.status_updated',
      'session.awaiting_tool_results',
      'session.completed',
      'session.failed',
      'session.idle',
      'session.timed_out',
    ])
    assert.deepEqual((await world.createWebhook({ enabled_events: types })).enabled_events, types)
  })
})

describe('H Company: pages', () => {
  test('hold every webhook once, newest first or oldest first', async () => {
    await using world = await createHCompanyWorld()
    const made: string[] = []
    for (let count = 0; count < 5; count += 1) made.push((await world.createWebhook()).id)
    for (const [sort, expected] of [
      ['created_at', made],
      ['-created_at', made.toReversed()],
    ] as const) {
      const listed: string[] = []
      for (const page of [1, 2, 3, 4]) {
        const query = `page=${page}&size=2&sort=${sort}`
        const { body } = await world.send('GET', `${webhooksPath}?${query}`)
        assert.deepEqual([body.total, body.page], [5, page])
        listed.push(...body.items.map(({ id }: { id: string }) => id))
      }
      assert.deepEqual(listed, expected)
    }
    const last = await world.send('GET', `${webhooksPath}?page=1000000&size=1000`)
    assert.deepEqual(last.body, { items: [], total: 5, page: 1_000_000 })
  })
})

describe('H Company: one project, several APIs', () => {
  test('what is made here is an endpoint of the native API, in H Company’s format', async () => {
    await using world = await createHCompanyWorld()
    const { id } = await world.createWebhook()
    const path = `${world.project.path}/endpoints/${idOfUuid('ep', id)}`
    const { body } = await world.server.call('GET', path)
    assert.deepEqual([body.format, body.event_types, body.state], ['h-company', ['*'], 'active'])
    const stored = await world.server.storage.getEndpoint(world.project.id, body.id)
    assert.equal(stored?.dialect, 'h-company')
  })

  test('what is made natively is listed, read, changed, rotated, pinged and deleted here', async () => {
    await using world = await createHCompanyWorld()
    const id = await world.createNative({ event_types: ['order.paid'], uid: 'n' })
    assert.deepEqual((await world.readWebhook(id)).enabled_events, ['order.paid'])
    const path = `${webhooksPath}/${id}`
    assert.equal((await world.send('POST', `${path}/rotate`)).status, 200)
    assert.deepEqual((await world.send('POST', `${path}/ping`)).body, { response_status: 204 })
    const changed = await world.send('PATCH', path, { body: { description: 'seen' } })
    assert.equal(changed.body.description, 'seen')
    const read = await world.server.call('GET', `${world.project.path}/endpoints/n`)
    assert.deepEqual(
      [read.body.format, read.body.description, read.body.event_types],
      ['standard', 'seen', ['order.paid']],
    )
    assert.equal((await world.send('DELETE', path)).status, 204)
  })

  test('shows the filters of others in words that are known here, where there are any', async () => {
    await using world = await createHCompanyWorld()
    const all = (await world.send('GET', `${webhooksPath}/events`)).body
    const types = all.map(({ type }: { type: string }) => type)
    for (const [filter, shown] of [
      [['*'], ['*']],
      [['session.*'], types],
      [
        ['session.idle', 'session.*', 'order.paid'],
        ['session.idle', ...without('session.idle'), 'order.paid'],
      ],
      [['order.*'], ['order.*']],
      [
        ['*', 'endpoint.*'],
        ['*', 'endpoint.*'],
      ],
    ] as const) {
      const id = await world.createNative({ event_types: filter })
      assert.deepEqual((await world.readWebhook(id)).enabled_events, shown)
    }
    function without(type: string): string[] {
      return types.filter((each: string) => each !== type)
    }
  })

  test('the audit log says what was done through here, and by whom', async () => {
    await using world = await createHCompanyWorld()
    const { id } = await world.createWebhook()
    await world.send('PATCH', `${webhooksPath}/${id}`, { body: { disabled: true } })
    await world.send('POST', `${webhooksPath}/${id}/rotate`)
    await world.send('DELETE', `${webhooksPath}/${id}`)
    const path = `${world.project.path}/audit-log`
    const { body } = await world.server.call('GET', path)
    const rows = body.data as { action: string; actor: { name: string }; target: { id: string } }[]
    const own = rows.filter(({ target }) => target.id === idOfUuid('ep', id))
    assert.deepEqual(
      own.map(({ action }) => action),
      ['endpoint.deleted', 'endpoint.secret.rotated', 'endpoint.updated', 'endpoint.created'],
    )
    assert.ok(own.every(({ actor }) => actor.name === 'H Company'))
  })
})

/** As sustained failure does. */
async function block({ server, project }: HCompanyWorld, uuid: string): Promise<void> {
  const { storage, clock } = server
  const endpoint = await storage.getEndpoint(project.id, idOfUuid('ep', uuid) ?? '')
  assert.ok(endpoint)
  await storage.transact(async (tx) => {
    const blockedReason = 'Nothing was delivered for 5 days.'
    const at = clock.now()
    await tx.updateEndpoint({ ...endpoint, state: 'disabled', blockedAt: at, blockedReason })
    await tx.updateEndpointHealth(endpoint.id, { ...endpoint, health: 'blocked' })
  })
}
