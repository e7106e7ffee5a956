import assert from 'node:assert/strict'
import { uuidOf } from '../../src/core/ids.ts'
import type { Reply } from '../support/test-api.ts'
import { answerKey, parameterKey, type Scenarios, testContract } from './contract.ts'
import { devtuneContract } from './devtune-contract.ts'
import { createDevtuneWorld, type DevtuneWorld, rightFields, unknownId } from './devtune-world.ts'

type World = DevtuneWorld

const successes: Scenarios<World>['answers'] = {
  'create webhook → 201': ({ send, path }) =>
    send('POST', path, {
      body: { url: 'https://rx.example/in', events: ['visibility.changed', 'action.updated'] },
    }),
  'list webhooks → 200': async ({ send, path, createWebhook }) => {
    await createWebhook()
    await createWebhook({ events: ['search-tracking.completed'] })
    return send('GET', path)
  },
  'delete webhook → 200': async ({ send, path, createWebhook }) =>
    send('DELETE', `${path}/${(await createWebhook()).id}`),
  'rotate secret → 200': async ({ rotate, createWebhook }) => rotate((await createWebhook()).id),
}

/** Refused for the same reason in every operation that documents the status. */
const refusals: Record<number, (world: World, operation: Operation) => Promise<Reply>> = {
  400: ({ call }, operation) => call(operation, unknownId, { body: { url: 'rx.example' } }),
  401: async ({ call, createWebhook }, operation) =>
    call(operation, (await createWebhook()).id, { key: `dtk_live_${'0'.repeat(64)}` }),
  403: async ({ call, createWebhook, addKey }, operation) =>
    call(operation, (await createWebhook()).id, { key: await addKey(['events.write']) }),
  404: ({ call }, operation) => call(operation, unknownId),
  async 429(_world, operation) {
    // However slow the machine is, none comes back meanwhile.
    await using limited = await createDevtuneWorld({ rateLimit: { perSecond: 0.01, burst: 1 } })
    const { id } = await limited.createWebhook()
    return limited.call(operation, id)
  },
}

type Operation = (typeof devtuneContract.operations)[number]

const answers: Scenarios<World>['answers'] = Object.fromEntries(
  devtuneContract.operations.flatMap((operation) =>
    operation.answers.map((answer) => {
      const key = answerKey(operation, answer)
      const refuse = refusals[answer.status]
      const run = successes[key] ?? (refuse && ((world: World) => refuse(world, operation)))
      assert.ok(run, `There is no scenario "${key}".`)
      return [key, run] as const
    }),
  ),
)

/** In every operation: the key decides, and an id finds what it names or nothing. */
const parameterTests: Record<string, (world: World, operation: Operation) => Promise<void>> = {
  async authorization({ call, createWebhook, key, project }, operation) {
    const { id } = await createWebhook()
    for (const wrong of [null, `${key}0`]) {
      assert.equal((await call(operation, id, { key: wrong })).status, 401)
    }
    assert.match(key, /^dtk_live_[0-9a-f]{64}$/)
    await succeeds(call(operation, id, { key }))
    const other = await createWebhook()
    await succeeds(call(operation, other.id, { key: project.key }))
  },
  async projectId({ call, createWebhook, server, project }, operation) {
    const { id } = await createWebhook()
    const other = await server.addProject()
    for (const projectId of [uuidOf(other.id), unknownId, project.id]) {
      assert.equal((await call(operation, id, { projectId })).status, 403)
    }
    await succeeds(call(operation, id, { projectId: uuidOf(project.id).toUpperCase() }))
  },
  async webhookId({ call, createWebhook, listed, secretStatuses }, operation) {
    const { id } = await createWebhook()
    const other = await createWebhook()
    for (const wrong of [unknownId, 'ep_1']) {
      assert.equal((await call(operation, wrong)).status, 404)
    }
    await succeeds(call(operation, id))
    // The one that was named was meant, and the other one is as it was.
    assert.deepEqual(await secretStatuses(other.id), ['current'])
    const isDeleted = !(await listed()).some((webhook) => webhook.id === id)
    const hasChanged = isDeleted || (await secretStatuses(id)).length === 2
    assert.ok(hasChanged)
  },
}

const everywhere: Scenarios<World>['parameters'] = Object.fromEntries(
  devtuneContract.operations.flatMap((operation) =>
    operation.parameters.flatMap((parameter) => {
      const run = parameterTests[parameter.name]
      return run === undefined
        ? []
        : [[parameterKey(operation, parameter), (world: World) => run(world, operation)]]
    }),
  ),
)

const bodyParameters: Scenarios<World>['parameters'] = {
  'create webhook ← body url': async (world) => {
    const longest = `https://rx.example/${'a'.repeat(2029)}`
    assert.equal((await world.createWebhook({ url: longest })).url, longest)
    for (const url of [undefined, null, 7, '', 'rx.example', 'http://rx.example/', `${longest}a`]) {
      await refused(world, { ...rightFields, url }, /^url: /)
    }
  },
  'create webhook ← body events': async (world) => {
    const all = [
      'search-tracking.completed',
      'visibility.changed',
      'action.created',
      'action.updated',
      'action.recommendation.created',
      'action.recommendation.updated',
    ]
    assert.deepEqual((await world.createWebhook({ events: all })).events, all)
    for (const type of all) {
      assert.deepEqual((await world.createWebhook({ events: [type] })).events, [type])
    }
    for (const events of [undefined, null, 'action.created', [], {}]) {
      await refused(world, { ...rightFields, events }, /^events: /)
    }
    for (const entry of ['*', 'action.*', 'actions.generated', 'Action.created', '', 7, null]) {
      await refused(world, { ...rightFields, events: ['action.created', entry] }, /^events\.1: /)
    }
  },
}

testContract(devtuneContract, createDevtuneWorld, {
  answers,
  parameters: { ...everywhere, ...bodyParameters },
})

async function succeeds(reply: Promise<Reply>): Promise<void> {
  const { status, text } = await reply
  assert.ok(status < 300, text)
}

async function refused({ send, path }: World, body: object, message: RegExp): Promise<void> {
  const reply = await send('POST', path, { body })
  assert.equal(reply.status, 400, reply.text)
  assert.equal(reply.body.error, 'bad_request')
  assert.match(reply.body.message, message)
}
