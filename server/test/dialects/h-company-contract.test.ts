import assert from 'node:assert/strict'
import type { Scope } from '../../src/core/authorization.ts'
import type { Reply } from '../support/test-api.ts'
import {
  answerKey,
  type Operation,
  parameterKey,
  type Scenarios,
  testContract,
} from './contract.ts'
import { hCompanyContract } from './h-company-contract.ts'
import {
  createHCompanyWorld,
  type HCompanyWorld,
  unknownId,
  type Webhook,
  webhooksPath,
} from './h-company-world.ts'

type World = HCompanyWorld

const answers: Scenarios<World>['answers'] = {
  'create webhook → 201': ({ send }) =>
    send('POST', webhooksPath, {
      body: { url: 'https://rx.example/in', enabled_events: ['session.completed'] },
    }),
  'create webhook → 400': async ({ send, createWebhook }) => {
    for (let count = 0; count < 10; count += 1) await createWebhook()
    return send('POST', webhooksPath, { body: { url: 'https://rx.example/in' } })
  },
  'create webhook → 422': ({ send }) =>
    send('POST', webhooksPath, {
      body: { url: 'http://rx.example/in', enabled_events: ['session.started'] },
    }),
  'list webhooks → 200': async (world) => {
    await addFailed(world)
    await world.createWebhook({ description: 'ops' })
    return world.send('GET', webhooksPath)
  },
  'list webhooks → 422': ({ send }) => send('GET', `${webhooksPath}?page=0`),
  'list event types → 200': ({ send }) => send('GET', `${webhooksPath}/events`),
  'read webhook → 200': async (world) =>
    world.send('GET', `${webhooksPath}/${(await addFailed(world)).id}`),
  'change webhook → 200': async (world) =>
    world.send('PATCH', `${webhooksPath}/${(await addFailed(world)).id}`, {
      body: { disabled: true },
    }),
  'change webhook → 422': async ({ send, createWebhook }) =>
    send('PATCH', `${webhooksPath}/${(await createWebhook()).id}`, { body: { disabled: 'no' } }),
  'read webhook → 422': ({ send }) => send('GET', `${webhooksPath}/none`),
  'delete webhook → 204': async ({ send, createWebhook }) =>
    send('DELETE', `${webhooksPath}/${(await createWebhook()).id}`),
  'rotate secret → 200': async ({ send, createWebhook }) =>
    send('POST', `${webhooksPath}/${(await createWebhook()).id}/rotate`),
  'rotate secret → 404': ({ send }) => send('POST', `${webhooksPath}/${unknownId}/rotate`),
  'ping webhook → 200': async ({ send, createWebhook }) =>
    send('POST', `${webhooksPath}/${(await createWebhook()).id}/ping`),
  'ping webhook → 400': () => pingThatFails('refused_address'),
  'ping webhook → 502': () => pingThatFails('timeout'),
}

/** Every operation that may be refused for its key or its id is refused alike. */
const refusals: Scenarios<World>['answers'] = Object.fromEntries(
  hCompanyContract.operations.flatMap((operation) => {
    const runs: Record<number, (world: World) => Promise<Reply>> = {
      401: async (world) =>
        world.call(operation, (await world.createWebhook()).id, { key: 'hk-wrong' }),
      403: async (world) => {
        const key = await world.addKey(['events.write'])
        return world.call(operation, (await world.createWebhook()).id, { key })
      },
      404: (world) => world.call(operation, unknownId),
    }
    return operation.answers.flatMap((answer) => {
      const run = runs[answer.status]
      return run ? [[answerKey(operation, answer), run]] : []
    })
  }),
)

const bodyParameters: Scenarios<World>['parameters'] = {
  'create webhook ← body url': async ({ send, createWebhook }) => {
    const longest = `https://rx.example/${'a'.repeat(2029)}`
    assert.equal((await createWebhook({ url: longest })).url, longest)
    for (const url of [undefined, null, 7, '', 'rx.example', 'http://rx.example', `${longest}a`]) {
      await refused(send('POST', webhooksPath, { body: { url } }), ['body', 'url'])
    }
  },
  'create webhook ← body enabled_events': async ({ send, createWebhook }) => {
    const enabled = ['session.completed', 'session.failed']
    const created = await createWebhook({ enabled_events: enabled })
    assert.deepEqual(created.enabled_events, enabled)
    assert.deepEqual((await createWebhook()).enabled_events, ['*'])
    for (const [events, ...place] of wrongEvents) {
      const body = { url: 'https://rx.example/in', enabled_events: events }
      await refused(send('POST', webhooksPath, { body }), ['body', 'enabled_events', ...place])
    }
  },
  'create webhook ← body description': async ({ send, createWebhook }) => {
    const longest = 'ö'.repeat(255)
    assert.equal((await createWebhook({ description: longest })).description, longest)
    assert.equal((await createWebhook({ description: null })).description, null)
    assert.equal((await createWebhook()).description, null)
    const body = { url: 'https://rx.example/in', description: `${longest}o` }
    await refused(send('POST', webhooksPath, { body }), ['body', 'description'])
  },
  'change webhook ← body url': async (world) => {
    const { id } = await world.createWebhook()
    const url = 'https://rx.example/other'
    assert.equal((await changed(world, id, { url })).url, url)
    assert.equal((await changed(world, id, { url: null })).url, url)
    const body = { url: 'http://rx.example/' }
    await refused(world.send('PATCH', `${webhooksPath}/${id}`, { body }), ['body', 'url'])
  },
  'change webhook ← body enabled_events': async (world) => {
    const { id } = await world.createWebhook()
    const enabled = ['session.idle']
    assert.deepEqual(
      (await changed(world, id, { enabled_events: enabled })).enabled_events,
      enabled,
    )
    assert.deepEqual((await changed(world, id, { enabled_events: null })).enabled_events, enabled)
    for (const [events, ...place] of wrongEvents.filter(([value]) => value !== null)) {
      const body = { enabled_events: events }
      const reply = world.send('PATCH', `${webhooksPath}/${id}`, { body })
      await refused(reply, ['body', 'enabled_events', ...place])
    }
  },
  'change webhook ← body description': async (world) => {
    const { id } = await world.createWebhook()
    assert.equal((await changed(world, id, { description: 'ops' })).description, 'ops')
    assert.equal((await changed(world, id, {})).description, 'ops')
    assert.equal((await changed(world, id, { description: null })).description, null)
    const body = { description: 'o'.repeat(256) }
    await refused(world.send('PATCH', `${webhooksPath}/${id}`, { body }), ['body', 'description'])
  },
  'change webhook ← body disabled': async (world) => {
    const { id } = await addFailed(world)
    assert.equal((await changed(world, id, { disabled: true })).disabled, true)
    const still = await changed(world, id, { disabled: null })
    assert.deepEqual([still.disabled, still.consecutive_failures], [true, 1])
    const again = await changed(world, id, { disabled: false })
    assert.deepEqual([again.disabled, again.consecutive_failures], [false, 0])
  },
}

/** What cannot be enabled, and where it is at fault. */
const wrongEvents: readonly (readonly [unknown, ...(string | number)[]])[] = [
  [null],
  [[]],
  ['session.completed'],
  [[7], 0],
  [[''], 0],
  [['session.completed', 'session.started'], 1],
  [['session.*'], 0],
  [['ping'], 0],
  [['endpoint.disabled'], 0],
  [['*', 'endpoint.*'], 1],
  [['countersign.test'], 0],
  [['a'.repeat(257)], 0],
  [Array.from({ length: 101 }, () => 'session.completed')],
]

const queryParameters: Scenarios<World>['parameters'] = {
  'list webhooks ← query page': async (world) => {
    const older = await world.createWebhook()
    await world.createWebhook()
    const { body } = await world.send('GET', `${webhooksPath}?page=2&size=1`)
    assert.deepEqual([idsOf(body), body.total, body.page], [[older.id], 2, 2])
    const beyond = (await world.send('GET', `${webhooksPath}?page=9`)).body
    assert.deepEqual(beyond, { items: [], total: 2, page: 9 })
    for (const page of ['0', '-1', 'two', '1.5', '1000001', '9'.repeat(30)]) {
      await refused(world.send('GET', `${webhooksPath}?page=${page}`), ['query', 'page'])
    }
  },
  'list webhooks ← query size': async (world) => {
    for (let count = 0; count < 10; count += 1) await world.createWebhook()
    const newest = await world.createNative()
    assert.deepEqual(await listed(world, 'size=1'), [newest])
    assert.equal((await listed(world, '')).length, 10)
    assert.equal((await listed(world, 'size=1000')).length, 11)
    for (const size of ['0', '1001', 'all']) {
      await refused(world.send('GET', `${webhooksPath}?size=${size}`), ['query', 'size'])
    }
  },
  'list webhooks ← query sort': async (world) => {
    const [older, newer] = [(await world.createWebhook()).id, (await world.createWebhook()).id]
    for (const query of [
      '',
      'sort=-created_at',
      'sort=-created_at&sort=created_at',
      'sort=["-created_at"]',
      'sort=[]',
    ]) {
      assert.deepEqual(await listed(world, query), [newer, older], query)
    }
    for (const query of [
      'sort=created_at',
      'sort=created_at&sort=-created_at',
      'sort=%5B%22created_at%22%5D',
      'sort=["created_at","-created_at"]',
    ]) {
      assert.deepEqual(await listed(world, query), [older, newer], query)
    }
    for (const sort of ['', 'url', '-', '["url"]', '["created_at"', '[["created_at"]]', '[1]']) {
      await refused(world.send('GET', `${webhooksPath}?sort=${sort}`), ['query', 'sort'])
    }
    const mixed = world.send('GET', `${webhooksPath}?sort=created_at&sort=url`)
    await refused(mixed, ['query', 'sort'])
  },
}

/** In every operation: the key decides, and an id finds what it names or nothing. */
const everywhere: Scenarios<World>['parameters'] = Object.fromEntries(
  hCompanyContract.operations.flatMap((operation) =>
    operation.parameters.flatMap((parameter) => {
      const run = { authorization: keyDecides, webhook_id: idDecides }[parameter.name]
      return run ? [[parameterKey(operation, parameter), run(operation)]] : []
    }),
  ),
)

testContract(hCompanyContract, createHCompanyWorld, {
  answers: { ...refusals, ...answers },
  parameters: { ...everywhere, ...bodyParameters, ...queryParameters },
})

function keyDecides(operation: Operation) {
  return async (world: World): Promise<void> => {
    const { id } = await world.createWebhook()
    for (const key of [null, 'hk-wrong']) {
      assert.equal((await world.call(operation, id, { key })).status, 401)
    }
    const scopes: Scope[] = ['webhooks.read', 'webhooks.write', 'secrets.rotate']
    const reply = await world.call(operation, id, { key: await world.addKey(scopes) })
    assert.ok(reply.status < 300, reply.text)
  }
}

function idDecides(operation: Operation) {
  return async (world: World): Promise<void> => {
    const { id } = await world.createWebhook()
    await world.createWebhook()
    const { status, body } = await world.call(operation, unknownId)
    assert.deepEqual([status, Object.keys(body)], [404, ['detail']])
    await refused(world.call(operation, 'ep_1'), ['path', 'webhook_id'])
    const reply = await world.call(operation, id)
    assert.ok(reply.status < 300, reply.text)
    assert.equal(reply.body.id ?? id, id)
  }
}

/** A webhook to which one delivery has failed, after one that has not. */
async function addFailed(world: World): Promise<Webhook> {
  const webhook = await world.createWebhook()
  for (const failure of [null, { error: 'http_status', statusCode: 500 } as const]) {
    await world.publish()
    await world.attemptAll(failure)
    world.server.clock.advance(1_000)
  }
  return webhook
}

async function pingThatFails(error: 'refused_address' | 'timeout'): Promise<Reply> {
  await using world = await createHCompanyWorld({
    changeParts: () => ({
      attemptNow: async () => ({ succeeded: false, statusCode: null, error, durationMs: 3 }),
    }),
  })
  // Awaited here: the world ends with this function.
  return await world.send('POST', `${webhooksPath}/${(await world.createWebhook()).id}/ping`)
}

async function listed({ send }: World, query: string): Promise<string[]> {
  const reply = await send('GET', `${webhooksPath}?${query}`)
  assert.equal(reply.status, 200, reply.text)
  return idsOf(reply.body)
}

async function changed({ send }: World, id: string, body: object): Promise<Webhook> {
  const reply = await send('PATCH', `${webhooksPath}/${id}`, { body })
  assert.equal(reply.status, 200, reply.text)
  return reply.body
}

function idsOf({ items }: { items: { id: string }[] }): string[] {
  return items.map(({ id }) => id)
}

/** 422 at this place, and nowhere else. */
async function refused(reply: Promise<Reply>, loc: readonly (string | number)[]): Promise<void> {
  const { status, text, body } = await reply
  assert.equal(status, 422, text)
  const places = body.detail.map((each: { loc: unknown }) => each.loc)
  assert.deepEqual(places, [loc])
}
