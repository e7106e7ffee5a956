import assert from 'node:assert/strict'
import type { Method } from '../support/test-api.ts'
import { parameterKey, type Scenarios, testContract } from './contract.ts'
import { mobilerunContract } from './mobilerun-contract.ts'
import { createMobilerunWorld, type MobilerunWorld } from './mobilerun-world.ts'

type World = MobilerunWorld

const unknownId = '550e8400-e29b-41d4-a716-446655440000'

const webhookAnswers: Scenarios<World>['answers'] = {
  'create webhook → 201': ({ send }) =>
    send('POST', '/webhooks', {
      body: { url: 'https://rx.example/in', eventTypes: ['task.run.completed'] },
    }),
  'create webhook → 401': ({ send }) =>
    send('POST', '/webhooks', { body: { url: 'https://rx.example/in' }, key: 'dr_sk_wrong' }),
  'list webhooks → 200': async ({ send, createWebhook }) => {
    await createWebhook({ description: 'ops' })
    await createWebhook()
    return send('GET', '/webhooks')
  },
  'list webhooks → 401': ({ send }) => send('GET', '/webhooks', { key: null }),
  'read webhook → 200': async ({ send, createWebhook }) =>
    send('GET', `/webhooks/${(await createWebhook()).id}`),
  'read webhook → 401': async ({ send, createWebhook }) =>
    send('GET', `/webhooks/${(await createWebhook()).id}`, { key: 'dr_sk_wrong' }),
  'read webhook → 404': ({ send }) => send('GET', `/webhooks/${unknownId}`),
  'change webhook → 200': async ({ send, createWebhook }) =>
    send('PATCH', `/webhooks/${(await createWebhook()).id}`, { body: { state: 'DISABLED' } }),
  'change webhook → 404': ({ send }) =>
    send('PATCH', `/webhooks/${unknownId}`, { body: { state: 'DISABLED' } }),
  'delete webhook → 204': async ({ send, createWebhook }) =>
    send('DELETE', `/webhooks/${(await createWebhook()).id}`),
  'delete webhook → 404': ({ send }) => send('DELETE', `/webhooks/${unknownId}`),
  'rotate secret → 200': async ({ send, createWebhook }) =>
    send('POST', `/webhooks/${(await createWebhook()).id}/rotate-secret`),
  'rotate secret → 401': async ({ send, createWebhook }) =>
    send('POST', `/webhooks/${(await createWebhook()).id}/rotate-secret`, { key: null }),
  'rotate secret → 404': ({ send }) => send('POST', `/webhooks/${unknownId}/rotate-secret`),
  'rotate secret → 500': async ({ send, createWebhook, failNextSecret }) => {
    const { id } = await createWebhook()
    failNextSecret()
    return send('POST', `/webhooks/${id}/rotate-secret`)
  },
  'test webhook → 200': async ({ send, createWebhook }) =>
    send('POST', `/webhooks/${(await createWebhook()).id}/test`),
  'test webhook → 404': ({ send }) => send('POST', `/webhooks/${unknownId}/test`),
  'list event types → 200': ({ send }) => send('GET', '/event-types'),
  'list event types → 401': ({ send }) => send('GET', '/event-types', { key: null }),
}

const deliveryAnswers: Scenarios<World>['answers'] = {
  'list deliveries → 200': async (world) => {
    await addDeliveries(world)
    return world.send('GET', '/webhooks/deliveries')
  },
  'count deliveries → 200': async (world) => {
    await addDeliveries(world)
    return world.send('GET', '/webhooks/deliveries/stats')
  },
  'list deliveries of webhook → 200': async (world) => {
    const { id } = await addDeliveries(world)
    return world.send('GET', `/webhooks/${id}/deliveries`)
  },
  'list deliveries of webhook → 404': ({ send }) =>
    send('GET', `/webhooks/${unknownId}/deliveries`),
  'read delivery → 200': async (world) => {
    const { id, deliveries } = await addDeliveries(world)
    return world.send('GET', `/webhooks/${id}/deliveries/${deliveries.dead}`)
  },
  'read delivery → 404': async ({ send, createWebhook }) =>
    send('GET', `/webhooks/${(await createWebhook()).id}/deliveries/${unknownId}`),
}

const webhookParameters: Scenarios<World>['parameters'] = {
  'create webhook ← body url': async ({ send, createWebhook }) => {
    const longest = `https://rx.example/${'a'.repeat(2029)}`
    assert.equal((await createWebhook({ url: longest })).url, longest)
    for (const url of [undefined, 7, '', 'rx.example', `${longest}a`]) {
      await refused(send('POST', '/webhooks', { body: { url } }), /^url: /)
    }
  },
  'create webhook ← body eventTypes': async ({ send, createWebhook }) => {
    const many = Array.from({ length: 100 }, (_, index) => `task.t${index}`)
    assert.deepEqual((await createWebhook({ eventTypes: many })).eventTypes, many)
    assert.deepEqual((await createWebhook({})).eventTypes, ['*'])
    const longest = 'a'.repeat(256)
    assert.deepEqual((await createWebhook({ eventTypes: [longest] })).eventTypes, [longest])
    for (const eventTypes of [[...many, 'task.more'], 'task', null, [''], [`${longest}a`], [7]]) {
      const body = { url: 'https://rx.example/in', eventTypes }
      await refused(send('POST', '/webhooks', { body }), /^eventTypes(?:\.0)?: /)
    }
  },
  'create webhook ← body description': async ({ send, createWebhook }) => {
    const longest = 'ö'.repeat(500)
    assert.equal((await createWebhook({ description: longest })).description, longest)
    assert.equal((await createWebhook({})).description, null)
    const body = { url: 'https://rx.example/in', description: `${longest}o` }
    await refused(send('POST', '/webhooks', { body }), /^description: /)
  },
  'list webhooks ← query page': async (world) => {
    const older = await world.createWebhook()
    await world.createWebhook()
    assert.deepEqual(await listed(world, 'page=2&pageSize=1'), [older.id])
    for (const page of ['0', '-1', 'two', '1.5']) {
      await refused(world.send('GET', `/webhooks?page=${page}`), /^page: /)
    }
  },
  'list webhooks ← query pageSize': async (world) => {
    await world.createWebhook()
    const newer = await world.createWebhook()
    assert.deepEqual(await listed(world, 'pageSize=1'), [newer.id])
    assert.equal((await listed(world, 'pageSize=100')).length, 2)
    for (const pageSize of ['0', '101', 'all']) {
      await refused(world.send('GET', `/webhooks?pageSize=${pageSize}`), /^pageSize: /)
    }
  },
  'list webhooks ← query status': async (world) => {
    const active = await world.createWebhook()
    const disabled = await world.createWebhook()
    await world.send('PATCH', `/webhooks/${disabled.id}`, { body: { state: 'DISABLED' } })
    assert.deepEqual(await listed(world, 'status=active'), [active.id])
    assert.deepEqual(await listed(world, 'status=disabled'), [disabled.id])
    assert.deepEqual(await listed(world, 'status=failing'), [])
    assert.deepEqual(await listed(world, 'status=blocked'), [])
    await refused(world.send('GET', '/webhooks?status=ACTIVE'), /^status: /)
  },
  'list webhooks ← query search': async (world) => {
    const byUrl = await world.createWebhook({ url: 'https://rx.example/Billing' })
    await world.createWebhook({ url: 'https://rx.example/other' })
    const byText = await world.createWebhook({ description: 'for BILLING' })
    assert.deepEqual(await listed(world, 'search=billing'), [byText.id, byUrl.id])
    assert.equal((await listed(world, 'search=')).length, 3)
    await refused(world.send('GET', `/webhooks?search=${'a'.repeat(201)}`), /^search: /)
  },
  'list webhooks ← query mine': async (world) => {
    await addNativeEndpoint(world)
    const mine = await world.createWebhook()
    assert.deepEqual(await listed(world, 'mine=true'), [mine.id])
    assert.equal((await listed(world, 'mine=false')).length, 2)
    await refused(world.send('GET', '/webhooks?mine=yes'), /^mine: /)
  },
  'list webhooks ← query createdBy': async (world) => {
    await addNativeEndpoint(world)
    const { id, createdBy } = await world.createWebhook()
    assert.deepEqual(await listed(world, `createdBy=${createdBy}`), [id])
    assert.deepEqual(await listed(world, 'createdBy=somebody'), [])
    for (const mine of ['true', 'false']) {
      const reply = world.send('GET', `/webhooks?mine=${mine}&createdBy=${createdBy}`)
      await refused(reply, /createdBy: .*mine/)
    }
  },
  'change webhook ← body eventTypes': async (world) => {
    const { id } = await world.createWebhook()
    const eventTypes = ['task.run.failed', 'app.*']
    assert.deepEqual((await changed(world, id, { eventTypes })).eventTypes, eventTypes)
    assert.deepEqual((await changed(world, id, { eventTypes: [] })).eventTypes, ['*'])
    const body = { eventTypes: ['task run'] }
    await refused(world.send('PATCH', `/webhooks/${id}`, { body }), /^eventTypes\.0: /)
  },
  'change webhook ← body state': async (world) => {
    const { id } = await world.createWebhook()
    assert.equal((await changed(world, id, { state: 'DISABLED' })).state, 'DISABLED')
    assert.equal((await changed(world, id, { state: 'ACTIVE' })).state, 'ACTIVE')
    for (const state of ['DELETED', 'active', null]) {
      await refused(world.send('PATCH', `/webhooks/${id}`, { body: { state } }), /^state: /)
    }
  },
  'change webhook ← body description': async (world) => {
    const { id } = await world.createWebhook()
    assert.equal((await changed(world, id, { description: 'ops' })).description, 'ops')
    assert.equal((await changed(world, id, { description: null })).description, null)
    const body = { description: 'o'.repeat(501) }
    await refused(world.send('PATCH', `/webhooks/${id}`, { body }), /^description: /)
  },
}

const deliveryParameters: Scenarios<World>['parameters'] = {
  ...deliveryPages('list deliveries', () => '/webhooks/deliveries'),
  ...deliveryPages('list deliveries of webhook', (id) => `/webhooks/${id}/deliveries`),
  'list deliveries ← query status': async (world) => {
    const { deliveries } = await addDeliveries(world)
    for (const [status, id] of Object.entries(deliveries)) {
      const { body } = await world.send('GET', `/webhooks/deliveries?status=${status}`)
      assert.deepEqual(idsOf(body), [id])
      assert.equal(body.pagination.total, 1)
      assert.equal(body.items[0].status, status)
    }
    await refused(world.send('GET', '/webhooks/deliveries?status=delivered'), /^status: /)
  },
  'list deliveries ← query since': async (world) => {
    const { deliveries, secondMinute } = await addDeliveries(world)
    const { body } = await world.send('GET', `/webhooks/deliveries?since=${secondMinute}`)
    assert.deepEqual(idsOf(body), [deliveries.pending])
    for (const since of ['yesterday', '2026-11-01', '1700000000']) {
      await refused(world.send('GET', `/webhooks/deliveries?since=${since}`), /^since: /)
    }
  },
  'count deliveries ← query since': async (world) => {
    const { secondMinute } = await addDeliveries(world)
    const { body } = await world.send('GET', `/webhooks/deliveries/stats?since=${secondMinute}`)
    const byStatus = { pending: 1, success: 0, skipped: 0, dead: 0 }
    assert.deepEqual(body, { data: { total: 1, byStatus, successRate: null } })
    await refused(world.send('GET', '/webhooks/deliveries/stats?since=today'), /^since: /)
  },
  'read delivery ← path deliveryId': async (world) => {
    const { id, deliveries } = await addDeliveries(world)
    for (const [status, deliveryId] of Object.entries(deliveries)) {
      const { body } = await world.send('GET', `/webhooks/${id}/deliveries/${deliveryId}`)
      assert.deepEqual([body.data.id, body.data.status], [deliveryId, status])
    }
    await notFound(world.send('GET', `/webhooks/${id}/deliveries/latest`))
  },
}

/** One delivery of each status to one webhook; the pending one a minute after the others. */
async function addDeliveries(world: World) {
  const { id } = await world.createWebhook()
  for (const outcome of ['delivered', 'failed', 'skipped'] as const) {
    await world.publish()
    await world.attemptAll(outcome)
  }
  world.server.clock.advance(60_000)
  const eventId = await world.publish('task.run.failed')
  const { body } = await world.send('GET', '/webhooks/deliveries')
  const [pending, skipped, dead, success] = idsOf(body)
  const secondMinute = '2026-11-01T10:01:00Z'
  return { id, eventId, secondMinute, deliveries: { pending, skipped, dead, success } }
}

/** What both lists of deliveries take. */
function deliveryPages(
  operation: string,
  pathOf: (webhookId: string) => string,
): Scenarios<World>['parameters'] {
  return {
    [`${operation} ← query page`]: async (world) => {
      const { id, deliveries } = await addDeliveries(world)
      const { body } = await world.send('GET', `${pathOf(id)}?page=2&pageSize=3`)
      assert.deepEqual(idsOf(body), [deliveries.success])
      assert.deepEqual(body.pagination, {
        hasNext: false,
        hasPrev: true,
        page: 2,
        pages: 2,
        pageSize: 3,
        total: 4,
      })
      await refused(world.send('GET', `${pathOf(id)}?page=0`), /^page: /)
    },
    [`${operation} ← query pageSize`]: async (world) => {
      const { id, deliveries } = await addDeliveries(world)
      const { body } = await world.send('GET', `${pathOf(id)}?pageSize=1`)
      assert.deepEqual(idsOf(body), [deliveries.pending])
      await refused(world.send('GET', `${pathOf(id)}?pageSize=101`), /^pageSize: /)
    },
    [`${operation} ← query eventId`]: async (world) => {
      const { id, eventId, deliveries } = await addDeliveries(world)
      const { body } = await world.send('GET', `${pathOf(id)}?eventId=${eventId}`)
      assert.deepEqual(idsOf(body), [deliveries.pending])
      assert.equal(body.pagination.total, 1)
      const none = await world.send('GET', `${pathOf(id)}?eventId=${eventId.slice(0, -1)}`)
      assert.deepEqual(none.body.items, [])
    },
  }
}

/** In every operation: the key decides, and an id finds what it names or nothing. */
const everywhere: Scenarios<World>['parameters'] = Object.fromEntries(
  mobilerunContract.operations.flatMap((operation) => {
    const { method, path, parameters } = operation
    const call = (world: World, id: string, deliveryId = unknownId, key = world.project.key) =>
      world.send(method as Method, path.replace('{id}', id).replace('{deliveryId}', deliveryId), {
        key,
        ...(method === 'PATCH' ? { body: { state: 'DISABLED' } } : {}),
        ...(operation.name === 'create webhook' ? { body: { url: 'https://rx.example/' } } : {}),
      })
    const tests: Record<string, (world: World) => Promise<void>> = {
      async authorization(world) {
        const { id, deliveries } = await addDeliveries(world)
        const refusal = await call(world, id, deliveries.dead, 'dr_sk_wrong')
        assert.equal(refusal.status, 401)
        const reply = await call(world, id, deliveries.dead)
        assert.ok(reply.status < 300, reply.text)
      },
      async id(world) {
        const { id, deliveries } = await addDeliveries(world)
        await world.createWebhook()
        await notFound(call(world, unknownId, deliveries.dead))
        await notFound(call(world, 'ep_1', deliveries.dead))
        const reply = await call(world, id, deliveries.dead)
        assert.ok(reply.status < 300, reply.text)
        const shown = reply.body.data?.endpointId ?? reply.body.data?.id ?? id
        assert.equal(shown, id)
      },
    }
    return parameters.flatMap((parameter) => {
      const run = parameter.in === 'body' || parameter.in === 'query' ? null : tests[parameter.name]
      return run ? [[parameterKey(operation, parameter), run]] : []
    })
  }),
)

testContract(mobilerunContract, createMobilerunWorld, {
  answers: { ...webhookAnswers, ...deliveryAnswers },
  parameters: { ...everywhere, ...webhookParameters, ...deliveryParameters },
})

async function addNativeEndpoint({ server, project }: World): Promise<void> {
  const body = { url: 'https://native.example/' }
  const reply = await server.call('POST', `${project.path}/endpoints`, { body })
  assert.equal(reply.status, 201, reply.text)
}

async function listed({ send }: World, query: string): Promise<string[]> {
  const reply = await send('GET', `/webhooks?${query}`)
  assert.equal(reply.status, 200, reply.text)
  return idsOf(reply.body)
}

async function changed({ send }: World, id: string, body: object) {
  const reply = await send('PATCH', `/webhooks/${id}`, { body })
  assert.equal(reply.status, 200, reply.text)
  return reply.body.data
}

function idsOf({ items }: { items: { id: string }[] }): string[] {
  return items.map(({ id }) => id)
}

async function refused(reply: Promise<{ status: number; text: string }>, text: RegExp) {
  const { status, text: body } = await reply
  assert.equal(status, 422, body)
  assert.match(JSON.parse(body).error, text)
}

async function notFound(reply: Promise<{ status: number; text: string }>) {
  const { status, text } = await reply
  assert.equal(status, 404, text)
  assert.deepEqual(Object.keys(JSON.parse(text)), ['error'])
}
