import assert from 'node:assert/strict'
import type { Method, Reply } from '../support/test-api.ts'
import { composioContract } from './composio-contract.ts'
import {
  assertRefused,
  type ComposioOptions,
  type ComposioWorld,
  createComposioWorld,
  secretStatuses,
  triggerMessage,
} from './composio-world.ts'
import {
  answerKey,
  type Operation,
  parameterKey,
  type Scenarios,
  testContract,
} from './contract.ts'

type World = ComposioWorld

const unknownId = `ws_${'0'.repeat(32)}`
const disabled = 'composio.trigger.disabled'

const right = { webhook_url: 'https://rx.example/c', enabled_events: [triggerMessage] }

/** The call of an operation as it succeeds, on a subscription that is there unless it makes one. */
async function call(
  world: World,
  operation: Operation,
  { id, ...options }: ComposioOptions & { id?: string } = {},
): Promise<Reply> {
  const { method, path } = operation
  const isNew = operation.name.startsWith('create')
  const target = path.includes('{id}') ? path.replace('{id}', id ?? (await idOf(world))) : path
  if (!isNew && !path.includes('{id}')) await idOf(world)
  const body = isNew ? right : method === 'PATCH' ? { version: 'V2' } : undefined
  return world.send(method as Method, target, {
    ...(body === undefined ? {} : { body }),
    ...options,
  })
}

/** The one subscription; made where there is none. */
async function idOf(world: World): Promise<string> {
  const { body } = await world.send('GET', '/api/v3/webhook_subscriptions')
  return body.items[0]?.id ?? (await world.createSubscription()).id
}

/** How each status is provoked. */
const provoke: Record<number, (world: World, operation: Operation) => Promise<Reply>> = {
  200: call,
  201: call,
  400: (world, operation) =>
    operation.method === 'GET'
      ? world.send('GET', `${operation.path}?limit=none`)
      : call(world, operation, { body: { ...right, enabled_events: [] } }),
  401: (world, operation) => call(world, operation, { key: 'wrong' }),
  404: (world, operation) => call(world, operation, { id: unknownId }),
  async 409(world, operation) {
    await world.createSubscription()
    const reply = await call(world, operation)
    assert.equal(reply.headers['x-should-retry'], 'false')
    return reply
  },
  async 429(_world, { method, path }) {
    // However slow the machine is, none comes back meanwhile.
    await using strict = await createComposioWorld({ rateLimit: { perSecond: 0.01, burst: 1 } })
    const target = path.replace('{id}', unknownId)
    await strict.send(method as Method, target)
    return strict.send(method as Method, target)
  },
  async 500(world, operation) {
    const id = await idOf(world)
    const key = await world.keyWith(['webhooks.read', 'webhooks.write', 'secrets.rotate'])
    // The list of event types is no matter of the store: there, only the key can fail.
    const isWrite = operation.method !== 'GET'
    if (operation.name.startsWith('create')) {
      await world.send('DELETE', `${operation.path}/${id}`)
    }
    world.failNext(isWrite ? 'insertAuditRow' : 'findApiKeyByHash')
    const reply = await call(world, operation, { id, key })
    assert.doesNotMatch(reply.text, /disk/)
    assert.equal(world.server.logged.length, 1, 'the cause is in the log')
    return reply
  },
}

const answers: Scenarios<World>['answers'] = Object.fromEntries(
  composioContract.operations.flatMap((operation) =>
    operation.answers.map((answer) => [
      answerKey(operation, answer),
      (world: World) => {
        const run = provoke[answer.status]
        assert.ok(run, `nothing provokes ${answer.status}`)
        return run(world, operation)
      },
    ]),
  ),
)

/** What each parameter does, by its place and name. */
const prove: Record<string, (world: World, operation: Operation) => Promise<void>> = {
  'header x-api-key': (world, operation) => proveKey(world, operation, 'x-api-key'),
  'header x-user-api-key': (world, operation) => proveKey(world, operation, 'x-user-api-key'),
  async 'path id'(world, operation) {
    const other = await world.createEndpoint()
    const { id } = await world.createSubscription()
    assertRefused(await call(world, operation, { id: unknownId }), 404)
    const reply = await call(world, operation, { id })
    assert.equal(reply.status, 200, reply.text)
    assert.equal(reply.body.id ?? id, id)
    assert.deepEqual(await secretStatuses(world, other), ['current'], 'the other is untouched')
  },
  async 'body webhook_url'(world, operation) {
    const longest = `https://rx.example/${'a'.repeat(2029)}`
    const reply = await call(world, operation, { body: { ...right, webhook_url: longest } })
    assert.equal(reply.body.webhook_url, longest)
    for (const webhook_url of ['', 7, null, 'rx.example', 'http://rx.example/', `${longest}a`]) {
      const refused = await call(world, operation, { body: { ...right, webhook_url } })
      assertRefused(refused, 400, /^webhook_url: /)
      assert.deepEqual(refused.body.error.errors, [refused.body.error.message])
    }
    await proveRequired(world, operation, 'webhook_url')
  },
  async 'body enabled_events'(world, operation) {
    const two = [disabled, triggerMessage]
    const reply = await call(world, operation, { body: { ...right, enabled_events: two } })
    assert.deepEqual(reply.body.enabled_events, two)
    const many = Array.from({ length: 101 }, () => triggerMessage)
    for (const enabled_events of [[], many, [''], [7], triggerMessage, null]) {
      const refused = await call(world, operation, { body: { ...right, enabled_events } })
      assertRefused(refused, 400, /^enabled_events(?:\.0)?: /)
    }
    for (const type of ['order.paid', '*', 'composio.*', 'endpoint.*', 'countersign.test', 'ö']) {
      const body = { ...right, enabled_events: [triggerMessage, type] }
      assertRefused(await call(world, operation, { body }), 400, /^enabled_events\.1: .*message/)
    }
    await proveRequired(world, operation, 'enabled_events')
  },
  async 'body version'(world, operation) {
    for (const version of ['v1', 'V4', '', 3, null]) {
      const refused = await call(world, operation, { body: { ...right, version } })
      assertRefused(refused, 400, /^version: /)
    }
    for (const version of ['V1', 'V2', 'V3']) {
      const reply = await call(world, operation, { body: { ...right, version } })
      assert.equal(reply.body.version, version, reply.text)
      if (operation.method === 'POST') {
        await world.send('DELETE', `${operation.path}/${reply.body.id}`)
      }
    }
    if (operation.method === 'POST') {
      const reply = await call(world, operation)
      assert.equal(reply.body.version, 'V3')
    }
  },
  async 'query limit'(world, { path, parameters }) {
    await world.createSubscription()
    await world.createEndpoint()
    await world.createEndpoint()
    const counts = async (query: string) => {
      const reply = await world.send('GET', path + query)
      assert.equal(reply.status, 200, reply.text)
      return [reply.body.items.length, reply.body.total_pages]
    }
    const limitMax = Number(/max (\d+)/.exec(parameters.find(isLimit)?.note ?? '')?.[1])
    assert.deepEqual(await counts('?limit=2'), [2, 2])
    // As clients send null.
    for (const query of ['', '?limit=', `?limit=${limitMax}`]) {
      assert.deepEqual(await counts(query), [3, 1])
    }
    for (const limit of ['0', '-1', '1.5', '02', 'all', String(limitMax + 1), '1&limit=2']) {
      assertRefused(await world.send('GET', `${path}?limit=${limit}`), 400, /^limit: /)
    }
  },
  async 'query cursor'(world, { path }) {
    const ids = []
    for (let count = 0; count < 4; count += 1) ids.unshift(await world.createEndpoint())
    const first = (await world.send('GET', `${path}?limit=3&cursor=`)).body
    const decoded = JSON.parse(Buffer.from(first.next_cursor, 'base64').toString())
    assert.deepEqual(decoded, { page: 2, limit: 3 })
    const second = (await world.send('GET', `${path}?cursor=${first.next_cursor}`)).body
    const shown = [...first.items, ...second.items].map(({ id }) => id)
    assert.deepEqual(shown, ids)
    assert.deepEqual([second.next_cursor, second.current_page], [null, 2])
  },
}

const parameters: Scenarios<World>['parameters'] = Object.fromEntries(
  composioContract.operations.flatMap((operation) =>
    operation.parameters.map((parameter) => [
      parameterKey(operation, parameter),
      (world: World) => {
        const run = prove[`${parameter.in} ${parameter.name}`]
        assert.ok(run, `nothing proves ${parameter.in} ${parameter.name}`)
        return run(world, operation)
      },
    ]),
  ),
)

testContract(composioContract, createComposioWorld, { answers, parameters })

async function proveKey(world: World, operation: Operation, name: string): Promise<void> {
  const { key } = world.project
  const refused = await call(world, operation, { key: null, headers: { [name]: `${key}x` } })
  assertRefused(refused, 401)
  assertRefused(await call(world, operation, { key: null }), 401)
  const both = { 'x-api-key': key, 'x-user-api-key': key }
  assertRefused(await call(world, operation, { key: null, headers: both }), 401, /exactly one/)
  const reply = await call(world, operation, { key: null, headers: { [name]: key } })
  assert.ok(reply.status < 300, reply.text)
}

async function proveRequired(world: World, operation: Operation, name: string): Promise<void> {
  const body: Record<string, unknown> = { ...right }
  delete body[name]
  const reply = await call(world, operation, { body })
  if (operation.method === 'PATCH') assert.equal(reply.status, 200, reply.text)
  else assertRefused(reply, 400, new RegExp(`^${name}: Is required`))
}

function isLimit({ name }: { name: string }): boolean {
  return name === 'limit'
}
