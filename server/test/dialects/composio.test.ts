import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { dialectApis } from '../../src/dialects/registry.ts'
import {
  assertRefused,
  type ComposioWorld,
  createComposioWorld,
  nativePath,
  triggerMessage,
  v3,
  v31,
} from './composio-world.ts'

const published = [
  triggerMessage,
  'composio.connected_account.expired',
  'composio.trigger.disabled',
]

const right = { webhook_url: 'https://rx.example/c', enabled_events: [triggerMessage] }

describe('Composio: a subscription', () => {
  test('is an endpoint of the project, in the format of its version', async () => {
    await using world = await createComposioWorld()
    const formats = { V1: 'composio-v1', V2: 'composio-v2', V3: 'composio' }
    for (const [version, format] of Object.entries(formats)) {
      const made = await world.createSubscription({ version, enabled_events: published })
      assert.match(made.id, /^ws_[0-9a-f]{32}$/)
      assert.match(made.secret, /^[0-9a-f]{64}$/)
      assert.equal(made.created_at, '2026-11-01T10:00:00.000Z')
      const { body } = await world.server.call('GET', nativePath(world, made.id))
      assert.deepEqual(
        [body.url, body.event_types, body.format, body.algorithm],
        [made.webhook_url, published, format, 'hmac-sha256'],
      )
      await world.send('DELETE', `${v31}/${made.id}`)
    }
  })

  test('is the same in both versions of the API', async () => {
    await using world = await createComposioWorld()
    const { secret, ...made } = await world.createSubscription()
    for (const path of [v3, v31]) {
      const { secret: shown, ...read } = (await world.send('GET', `${path}/${made.id}`)).body
      assert.deepEqual(read, made)
      assert.equal(shown, `****${secret.slice(-4)}`)
    }
  })

  test('there is one: a second is refused, until the first is deleted', async () => {
    await using world = await createComposioWorld()
    await world.createEndpoint({ format: 'composio' })
    const { id } = await world.createSubscription()
    for (const path of [v3, v31]) {
      const refused = await world.send('POST', path, { body: right })
      assertRefused(refused, 409)
      assert.equal(refused.headers['x-should-retry'], 'false')
      assert.match(refused.body.error.suggested_fix, /delete/)
    }
    assert.deepEqual((await world.send('DELETE', `${v3}/${id}`)).body, { success: true })
    assertRefused(await world.send('DELETE', `${v3}/${id}`), 404)
    assertRefused(await world.send('GET', `${v31}/${id}`), 404)
    assert.notEqual((await world.createSubscription()).id, id)
  })

  test('a refusal that is answered again still forbids to repeat it', async () => {
    await using world = await createComposioWorld()
    await world.createSubscription()
    const create = () =>
      world.send('POST', v31, { headers: { 'idempotency-key': 'once' }, body: right })
    const first = await create()
    const again = await create()
    assertRefused(first, 409)
    assert.equal(again.text, first.text)
    assert.equal(again.headers['idempotent-replayed'], 'true')
    assert.equal(again.headers['x-should-retry'], 'false')
  })

  test('of several creates at once one wins', async () => {
    await using world = await createComposioWorld()
    const replies = await Promise.all(
      Array.from({ length: 5 }, () => world.send('POST', v31, { body: right })),
    )
    const statuses = replies.map(({ status }) => status).sort()
    assert.deepEqual(statuses, [201, 409, 409, 409, 409])
  })

  test('a change leaves what it does not name', async () => {
    await using world = await createComposioWorld()
    const { id, secret: _, ...made } = await world.createSubscription()
    world.server.clock.advance(60_000)
    const steps = [
      { webhook_url: 'https://rx.example/other' },
      { enabled_events: published },
      { version: 'V1' },
    ]
    let expected = made
    for (const body of steps) {
      const reply = await world.send('PATCH', `${v31}/${id}`, { body: { ...body, unknown: 1 } })
      expected = { ...expected, ...body, updated_at: '2026-11-01T10:01:00.000Z' }
      const { id: shownId, secret, ...shown } = reply.body
      assert.deepEqual(shown, expected)
      assert.equal(shownId, id)
      assert.match(secret, /^\*{4}/)
    }
    for (const body of [{}, { unknown: 1 }, undefined]) {
      const options = body === undefined ? {} : { body }
      assertRefused(await world.send('PATCH', `${v31}/${id}`, options), 400, /at least one/)
    }
  })

  test('takes the types of the catalogue beside the published ones', async () => {
    await using world = await createComposioWorld()
    const { id } = await world.createSubscription()
    const body = { enabled_events: ['order.paid', triggerMessage] }
    assertRefused(await world.send('PATCH', `${v31}/${id}`, { body }), 400, /order|catalogue/)
    const defined = await world.server.call('PUT', `${world.project.path}/event-types/order.paid`, {
      body: { description: 'Paid.' },
    })
    assert.ok(defined.status < 300, defined.text)
    const reply = await world.send('PATCH', `${v31}/${id}`, { body })
    assert.deepEqual(reply.body.enabled_events, body.enabled_events)
  })

  test('all faults of a body are told at once', async () => {
    await using world = await createComposioWorld()
    const errorsOf = async (body: object) =>
      ((await world.send('POST', v31, { body })).body.error.errors as string[]).map(
        (text) => text.split(':', 1)[0],
      )
    const type = { webhook_url: 'rx', enabled_events: [7], version: 'V9' }
    assert.deepEqual((await errorsOf(type)).sort(), ['enabled_events.0', 'version', 'webhook_url'])
    const value = { webhook_url: 'rx', enabled_events: ['a', triggerMessage, 'b'] }
    assert.deepEqual(await errorsOf(value), ['webhook_url', 'enabled_events.0', 'enabled_events.2'])
    assert.deepEqual(await errorsOf({}), ['webhook_url', 'enabled_events'])
  })
})

describe('Composio: endpoints that were made elsewhere', () => {
  test('are listed, read, changed, rotated and deleted here', async () => {
    await using world = await createComposioWorld()
    const id = await world.createEndpoint({ event_types: [triggerMessage] })
    assert.deepEqual((await listed(world, v31)).ids, [id])
    const changed = await world.send('PATCH', `${v31}/${id}`, {
      body: { webhook_url: 'https://rx.example/' },
    })
    assert.equal(changed.body.webhook_url, 'https://rx.example/')
    const rotated = await world.send('POST', `${v3}/${id}/rotate_secret`)
    assert.match(rotated.body.secret, /^whsec_/, 'the shape of its own format')
    assert.deepEqual((await world.send('DELETE', `${v31}/${id}`)).body, { success: true })
    const gone = await world.server.call('GET', nativePath(world, id))
    assert.equal(gone.status, 404)
  })

  test('show their wildcards as the published types that they match', async () => {
    await using world = await createComposioWorld()
    const shown = async (event_types: string[]) => {
      const id = await world.createEndpoint({ event_types })
      return (await world.send('GET', `${v31}/${id}`)).body.enabled_events
    }
    assert.deepEqual(await shown(['*']), published)
    assert.deepEqual(await shown(['composio.trigger.*']), [published[0], published[2]])
    assert.deepEqual(await shown(['order.*']), [])
    const mixed = ['order.paid', 'composio.trigger.*', triggerMessage]
    assert.deepEqual(await shown(mixed), ['order.paid', published[0], published[2]])
  })

  test('show as V3, and keep their format when that is sent back', async () => {
    await using world = await createComposioWorld()
    const id = await world.createEndpoint({ event_types: [triggerMessage] })
    const formatOf = async () => (await world.server.call('GET', nativePath(world, id))).body.format
    const { version, enabled_events } = (await world.send('GET', `${v31}/${id}`)).body
    const same = await world.send('PATCH', `${v31}/${id}`, { body: { version, enabled_events } })
    assert.deepEqual([same.body.version, await formatOf()], ['V3', 'standard'])
    await world.send('PATCH', `${v31}/${id}`, { body: { version: 'V2' } })
    assert.equal(await formatOf(), 'composio-v2')
    await world.send('PATCH', `${v31}/${id}`, { body: { version } })
    assert.equal(await formatOf(), 'composio')
  })

  test('and those made here are seen by the others', {
    skip: dialectApis(['mobilerun']).length > 0 ? false : 'Mobilerun is not served yet',
  }, async () => {
    await using world = await createComposioWorld()
    const { id, webhook_url } = await world.createSubscription()
    const headers = { authorization: `Bearer ${world.project.key}` }
    const { body } = await world.server.send('GET', '/v1/webhooks', { headers })
    assert.equal(body.items.length, 1)
    assert.equal(body.items[0].id.replaceAll('-', ''), id.slice(3))
    assert.equal(body.items[0].url, webhook_url)
  })
})

describe('Composio: the list', () => {
  test('has those made by Composio first, then the others, newest first', async () => {
    await using world = await createComposioWorld()
    const older = await world.createEndpoint()
    const { id } = await world.createSubscription()
    const newer = await world.createEndpoint()
    for (const path of [v3, v31]) {
      assert.deepEqual((await listed(world, path)).ids, [id, newer, older])
    }
  })

  test('of one has only what Composio made, so that nobody else is overwritten', async () => {
    await using world = await createComposioWorld()
    await world.createEndpoint()
    const none = await world.send('GET', `${v31}?limit=1`)
    assert.deepEqual(none.body, {
      items: [],
      next_cursor: null,
      total_pages: 0,
      current_page: 1,
      total_items: 0,
    })
    const { id } = await world.createSubscription()
    await world.createEndpoint()
    const one = await world.send('GET', `${v31}?limit=1`)
    assert.deepEqual([one.body.items.length, one.body.items[0].id], [1, id])
    assert.deepEqual([one.body.total_items, one.body.next_cursor], [1, null])
  })

  test('goes on page by page until everything was shown once', async () => {
    await using world = await createComposioWorld()
    const expected = []
    for (let count = 0; count < 5; count += 1) expected.unshift(await world.createEndpoint())
    expected.unshift((await world.createSubscription()).id)
    for (const limit of [2, 3, 4, 5, 6, 7]) {
      const ids: string[] = []
      let query = `limit=${limit}`
      for (let page = 1; query !== ''; page += 1) {
        const { body, ids: shown } = await listed(world, `${v31}?${query}`)
        ids.push(...shown)
        assert.deepEqual(
          [body.current_page, body.total_pages, body.total_items],
          [page, Math.ceil(6 / limit), 6],
        )
        query = body.next_cursor === null ? '' : `limit=${limit}&cursor=${body.next_cursor}`
      }
      assert.deepEqual(ids, expected, `limit ${limit}`)
    }
  })

  test('a page beyond the last is empty', async () => {
    await using world = await createComposioWorld()
    await world.createEndpoint()
    const { body } = await listed(world, `${v31}?cursor=${cursorOf({ page: 9, limit: 20 })}`)
    assert.deepEqual([body.items, body.next_cursor, body.current_page], [[], null, 9])
  })

  test('a cursor that is none of this list is refused', async () => {
    await using world = await createComposioWorld()
    const texts = [
      'x',
      'e30=',
      Buffer.from('{"page":2,"limit":20} ').toString('base64'),
      cursorOf({ page: 20, limit: 20 }).replace('==', ''),
      cursorOf({ limit: 20, page: 2 }),
      cursorOf({ page: 0, limit: 20 }),
      cursorOf({ page: -1, limit: 20 }),
      cursorOf({ page: 1.5, limit: 20 }),
      cursorOf({ page: '2', limit: 20 }),
      cursorOf({ page: 2, limit: 0 }),
      cursorOf({ page: 2, limit: 1001 }),
      cursorOf({ page: 1_000_000, limit: 50 }),
      cursorOf({ page: Number.MAX_SAFE_INTEGER, limit: 20 }),
      'A'.repeat(5_000),
    ]
    for (const path of [v3, v31]) {
      for (const text of texts) {
        const reply = await world.send('GET', `${path}?cursor=${encodeURIComponent(text)}`)
        assertRefused(reply, 400, /^cursor: /)
      }
    }
    const large = cursorOf({ page: 2, limit: 1000 })
    assert.equal((await world.send('GET', `${v3}?cursor=${large}`)).status, 200)
    assertRefused(await world.send('GET', `${v31}?cursor=${large}`), 400, /^cursor: /)
  })

  test('shows nothing of other projects', async () => {
    await using world = await createComposioWorld()
    await world.createSubscription()
    const other = await world.server.addProject()
    const { body } = await world.send('GET', v31, { key: other.key })
    assert.deepEqual([body.items, body.total_items], [[], 0])
    const made = await world.send('POST', v31, { key: other.key, body: right })
    assert.equal(made.status, 201, 'each project has one')
  })
})

test('Composio: the event types are those that it publishes, with their versions', async () => {
  await using world = await createComposioWorld()
  const { body } = await world.send('GET', `${v31}/event_types`)
  assert.deepEqual(
    body.items.map(({ event_type, supported_versions }: Record<string, unknown>) => [
      event_type,
      supported_versions,
    ]),
    [
      [published[0], ['V1', 'V2', 'V3']],
      [published[1], ['V3']],
      [published[2], ['V3']],
    ],
  )
})

test('Composio: the event types of the catalogue stand beside them', async () => {
  await using world = await createComposioWorld()
  const path = `${world.project.path}/event-types/order.paid`
  await world.server.call('PUT', path, { body: { description: 'Money came in.' } })
  const { body } = await world.send('GET', `${v31}/event_types`)
  assert.deepEqual(body.items.at(-1), {
    event_type: 'order.paid',
    description: 'Money came in.',
    supported_versions: ['V1', 'V2', 'V3'],
  })
})

function cursorOf(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64')
}

async function listed({ send }: ComposioWorld, path: string) {
  const { status, text, body } = await send('GET', path)
  assert.equal(status, 200, text)
  return { body, ids: body.items.map(({ id }: { id: string }) => id) as string[] }
}
