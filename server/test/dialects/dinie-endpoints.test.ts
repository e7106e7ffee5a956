import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createDinieWorld, type DinieWorld, formHeaders, nativeIdOf } from './dinie-world.ts'

const list = '/v3/webhooks/endpoints'

describe('Dinie: webhook endpoints', () => {
  test('are shown the same way in every answer, the secret once', async () => {
    await using world = await createDinieWorld()
    world.server.clock.advance(999)
    const { secret, ...shown } = await world.createEndpoint({
      events: ['loan.*', 'customer.created'],
      description: 'ops',
    })
    assert.match(secret, /^whsec_[A-Za-z0-9+/]{40}$/)
    const { id, ...rest } = shown
    assert.match(id, /^we_[0-9a-f]{32}$/)
    assert.deepEqual(rest, {
      url: 'https://rx.example/in',
      events: ['loan.*', 'customer.created'],
      description: 'ops',
      status: 'active',
      created_at: '2026-11-01T10:00:00Z',
      updated_at: '2026-11-01T10:00:00Z',
    })
    const seconds = Date.UTC(2026, 10, 1, 10) / 1000
    const numbered = { ...shown, created_at: seconds, updated_at: seconds }
    for (const [prefix, expected] of [
      ['', shown],
      ['/v3', shown],
      ['/api/v3', numbered],
    ] as const) {
      const path = `${prefix}/webhooks/endpoints`
      assert.deepEqual((await world.send('GET', `${path}/${id}`)).body, expected)
      const { body } = await world.send('GET', path)
      assert.deepEqual(body, { object: 'list', data: [expected], has_more: false })
    }
    world.server.clock.advance(60_000)
    const changed = await world.send('PATCH', `${list}/${id}`, { body: { status: 'disabled' } })
    const updated_at = '2026-11-01T10:01:00Z'
    assert.deepEqual(changed.body, { ...shown, status: 'disabled', updated_at })
  })

  test('are deleted once, and then are nowhere', async () => {
    await using world = await createDinieWorld()
    const { id } = await world.createEndpoint()
    const statuses: number[] = []
    for (const method of ['DELETE', 'DELETE', 'GET'] as const) {
      statuses.push((await world.send(method, `${list}/${id}`)).status)
    }
    assert.deepEqual(statuses, [204, 404, 404])
    assert.deepEqual((await world.send('GET', list)).body.data, [])
  })

  test('what is not known is ignored: in bodies, in queries, in forms', async () => {
    await using world = await createDinieWorld()
    const { id, secret } = await world.createEndpoint({
      secret: 'mine',
      livemode: true,
      id: 'we_1',
    })
    assert.notEqual(secret, 'mine')
    const unknown = { object: 'webhook_endpoint', created_at: 7 }
    const changed = await world.send('PATCH', `${list}/${id}`, { body: unknown })
    assert.deepEqual([changed.status, changed.body.id], [200, id])
    assert.equal((await world.send('GET', `${list}?expand=data&ending_before=x`)).status, 200)
    const form = await world.server.send('POST', '/auth/token', {
      rawBody: 'grant_type=client_credentials&audience=all&scope=webhooks',
      headers: { ...formHeaders, authorization: basicOfWorld(world) },
    })
    assert.equal(form.status, 200, form.text)
  })

  test('wildcards reach the types that they name, reserved ones never', async () => {
    await using world = await createDinieWorld()
    const { id: loans } = await world.createEndpoint({ events: ['loan.*'] })
    const { id: all } = await world.createEndpoint()
    for (const [type, endpoints] of [
      ['loan.active', [loans, all]],
      ['customer.active', [all]],
      ['order.paid', [all]],
    ] as const) {
      assert.deepEqual(await reached(world, type), [...endpoints].map(nativeIdOf).sort())
    }
    for (const events of [['endpoint.*'], ['countersign.test'], ['endpoint.secret.rotated']]) {
      const refused = await world.send('PATCH', `${list}/${all}`, { body: { events } })
      assert.equal(refused.status, 422, refused.text)
      assert.equal(refused.body.errors[0].param, 'events.0')
    }
  })

  test('every field at fault is named at once, types that are not known included', async () => {
    await using world = await createDinieWorld()
    const body = { url: 'http://rx.example/', events: ['loan.*', 'loan.unknown'] }
    const refused = await world.send('POST', list, { body })
    assert.equal(refused.status, 422)
    assert.deepEqual(
      refused.body.errors.map(({ param }: { param: string }) => param),
      ['url', 'events.1'],
    )
    assert.doesNotMatch(refused.text, /event_types/)
  })
})

describe('Dinie: the list', () => {
  test('goes on after the last id, whatever comes and goes meanwhile', async () => {
    await using world = await createDinieWorld()
    const made: string[] = []
    for (let count = 0; count < 5; count += 1) made.unshift((await world.createEndpoint()).id)
    const first = await page(world, 'limit=2')
    assert.deepEqual([first.ids, first.hasMore], [made.slice(0, 2), true])
    const newer = (await world.createEndpoint()).id
    const last = first.ids.at(-1)
    await world.send('DELETE', `${list}/${last}`)
    const second = await page(world, `limit=2&starting_after=${last}`)
    assert.deepEqual([second.ids, second.hasMore], [made.slice(2, 4), true])
    const third = await page(world, `limit=2&starting_after=${second.ids.at(-1)}`)
    assert.deepEqual([third.ids, third.hasMore], [made.slice(4), false])
    assert.deepEqual((await page(world, `starting_after=${third.ids[0]}`)).ids, [])
    assert.equal((await page(world, 'limit=1')).ids[0], newer)
  })

  test('has 25 where nobody says how many', async () => {
    await using world = await createDinieWorld()
    for (let count = 0; count < 26; count += 1) await world.createEndpoint()
    const { ids, hasMore } = await page(world, '')
    assert.deepEqual([ids.length, hasMore], [25, true])
    assert.deepEqual((await page(world, 'limit=26')).hasMore, false)
  })

  test('after an id of another project there is nothing', async () => {
    await using world = await createDinieWorld()
    const { id } = await world.createEndpoint()
    const other = await world.server.addProject()
    const foreign = await world.createEndpoint({}, other.key)
    assert.deepEqual((await page(world, '')).ids, [id])
    assert.deepEqual((await page(world, `starting_after=${foreign.id}`)).ids, [])
  })
})

function basicOfWorld({ credentials: { clientId, clientSecret } }: DinieWorld): string {
  const encode = (text: string) => text.replaceAll('_', '%5F')
  return `basic ${btoa(`${encode(clientId)}:${encode(clientSecret)}`)}`
}

async function page({ send }: DinieWorld, query: string) {
  const reply = await send('GET', `${list}?${query}`)
  assert.equal(reply.status, 200, reply.text)
  const ids = reply.body.data.map(({ id }: { id: string }) => id) as string[]
  return { ids, hasMore: reply.body.has_more as boolean }
}

/** The native ids of the endpoints that an event of this type is for. */
async function reached({ server, project }: DinieWorld, type: string): Promise<string[]> {
  const { body } = await server.call('POST', `${project.path}/events`, { body: { type, data: {} } })
  const deliveries = await server.call('GET', `${project.path}/deliveries?event=${body.id}`)
  const ids = deliveries.body.data.map((each: { endpoint_id: string }) => each.endpoint_id)
  return ids.sort()
}
