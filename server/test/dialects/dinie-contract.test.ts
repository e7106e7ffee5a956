import assert from 'node:assert/strict'
import type { Method, Reply } from '../support/test-api.ts'
import {
  answerKey,
  type Operation,
  parameterKey,
  type Scenarios,
  testContract,
} from './contract.ts'
import { asClientsDo, dinieContract, documented } from './dinie-contract.ts'
import { fieldsAtFault, parameterScenariosOf } from './dinie-parameters.ts'
import {
  basicOf,
  createDinieWorld,
  type DinieOptions,
  type DinieWorld,
  formHeaders,
} from './dinie-world.ts'

type World = DinieWorld
type Answers = Scenarios<World>['answers']
type Parameters = Scenarios<World>['parameters']

const url = 'https://rx.example/in'
const unknownId = 'we_550e8400e29b41d4a716446655440000'
const wrongToken = `dinie_at_${'a'.repeat(80)}`

/** What the operations that take a body are sent, unless something is to be wrong. */
const rightBodies: Readonly<Record<string, object>> = {
  'create webhook endpoint': { url },
  'change webhook endpoint': { status: 'disabled' },
  'rotate secret': { expire_current_in: 600 },
}

const wrongBodies: Readonly<Record<string, object>> = {
  'create webhook endpoint': { url: 7 },
  'change webhook endpoint': { status: 'off' },
  'rotate secret': { expire_current_in: 86_401 },
}

/** What provokes each status, of any operation. */
const provoking: Readonly<Record<number, (world: World, operation: Operation) => Promise<Reply>>> =
  {
    200: succeed,
    201: succeed,
    204: succeed,
    400: async (world, operation) => callOnEndpoint(world, operation, { rawBody: '{"url":' }),
    401: (world, operation) => callOnEndpoint(world, operation, { key: wrongToken }),
    404: (world, operation) => call(world, operation, unknownId),
    async 422(world, operation) {
      const body = wrongBodies[plainName(operation)] ?? {}
      const reply = await callOnEndpoint(world, operation, { body })
      assert.deepEqual(fieldsAtFault(reply), Object.keys(body), reply.text)
      return reply
    },
    async 429(_, operation) {
      // However slow the machine is, none comes back meanwhile.
      await using limited = await createDinieWorld({ rateLimit: { perSecond: 0.01, burst: 2 } })
      for (let count = 0; count < 2; count += 1) await callOnEndpoint(limited, operation)
      const reply = await call(limited, operation, unknownId)
      const seconds = Number(reply.headers['retry-after'])
      assert.ok(seconds > 50 && seconds <= 100, `${seconds} s`)
      return reply
    },
    async 500(world, operation) {
      const { id } = await world.createEndpoint()
      world.failNextSecret()
      return call(world, operation, id)
    },
  }

/** Lists show something. */
async function succeed(world: World, operation: Operation): Promise<Reply> {
  await world.createEndpoint({ events: ['loan.*'], description: 'ops' })
  return callOnEndpoint(world, operation)
}

const endpointOperations = dinieContract.operations.filter(({ path }) =>
  path.includes('/webhooks/endpoints'),
)

const answers: Answers = {
  'get access token → 200': ({ getToken }) => getToken(),
  'get access token → 401': ({ getToken, credentials }) =>
    getToken({ basic: basicOf({ ...credentials, clientSecret: 'dinie_cs_live_wrong' }) }),
  ...Object.fromEntries(
    endpointOperations.flatMap((operation) =>
      operation.answers.map((answer) => [
        answerKey(operation, answer),
        (world: World) => {
          const provoke = provoking[answer.status]
          assert.ok(provoke, `Nothing provokes ${answer.status}.`)
          return provoke(world, operation)
        },
      ]),
    ),
  ),
}

const tokenParameters: Parameters = {
  'get access token ← header Authorization': async ({ server, credentials }) => {
    const { clientId, clientSecret } = credentials
    const ask = (authorization?: string) =>
      server.send('POST', '/auth/token', {
        rawBody: 'grant_type=client_credentials',
        headers: { ...formHeaders, ...(authorization === undefined ? {} : { authorization }) },
      })
    assert.equal((await ask(basicOf(credentials))).status, 200)
    assert.equal((await ask()).body.code, 'missing_token')
    for (const authorization of [
      basicOf({ clientId, clientSecret: '' }),
      basicOf({ clientId: clientSecret, clientSecret: clientId }),
      basicOf({ clientId: '', clientSecret }),
      `Basic ${clientId}:${clientSecret}`,
      `Bearer ${clientSecret}`,
      'Basic',
    ]) {
      const reply = await ask(authorization)
      assert.deepEqual([reply.status, reply.body.code], [401, 'invalid_token'], authorization)
    }
  },
  'get access token ← body grant_type': async ({ server, credentials }) => {
    const ask = (rawBody: string) =>
      server.send('POST', '/auth/token', {
        rawBody,
        headers: { ...formHeaders, authorization: basicOf(credentials) },
      })
    assert.equal((await ask('scope=all&grant_type=client_credentials')).status, 200)
    for (const form of ['grant_type=password', 'grant_type=', '', 'grant=client_credentials']) {
      const reply = await ask(form)
      assert.equal(reply.status, 422, reply.text)
      assert.deepEqual(fieldsAtFault(reply), ['grant_type'])
    }
  },
}

/** In every operation: the token decides, and an id finds what it names or nothing. */
const everywhere: Parameters = Object.fromEntries(
  endpointOperations.flatMap((operation) =>
    operation.parameters.flatMap((parameter) => {
      const run = { Authorization: tokenDecides, webhook_endpoint_id: idFinds }[parameter.name]
      if (run === undefined) return []
      return [[parameterKey(operation, parameter), (world: World) => run(world, operation)]]
    }),
  ),
)

async function tokenDecides(world: World, operation: Operation): Promise<void> {
  const wrong = { authorization: `Bearer ${wrongToken}` }
  for (const [headers, code] of [
    [{}, 'missing_token'],
    [wrong, 'invalid_token'],
    [{ authorization: basicOf(world.credentials) }, 'invalid_token'],
  ] as const) {
    const reply = await callOnEndpoint(world, operation, { key: null, headers })
    assert.deepEqual([reply.status, reply.body.code], [401, code])
  }
  assert.ok((await callOnEndpoint(world, operation)).status < 300)
  world.server.clock.advance(3_600_000)
  const { id } = await world.createEndpoint({}, world.project.key)
  const late = await call(world, operation, id)
  assert.deepEqual([late.status, late.body.code], [401, 'token_expired'])
}

async function idFinds(world: World, operation: Operation): Promise<void> {
  const [{ id }, other] = [await world.createEndpoint(), await world.createEndpoint()]
  for (const none of [unknownId, id.slice(3), id.toUpperCase(), `${id}0`]) {
    assert.equal((await call(world, operation, none)).status, 404)
  }
  const reply = await call(world, operation, id)
  assert.ok(reply.status < 300, reply.text)
  assert.equal(reply.body.id ?? id, id)
  const shown = await world.send('GET', `/webhooks/endpoints/${other.id}`)
  const { secret: _, ...unchanged } = other
  assert.deepEqual(shown.body, unchanged)
}

testContract(dinieContract, createDinieWorld, {
  answers,
  parameters: {
    ...tokenParameters,
    ...everywhere,
    ...parameterScenariosOf(documented),
    ...parameterScenariosOf(asClientsDo),
  },
})

async function callOnEndpoint(
  world: World,
  operation: Operation,
  options?: DinieOptions,
): Promise<Reply> {
  const { id } = await world.createEndpoint({}, world.project.key)
  return call(world, operation, id, options)
}

function call(world: World, operation: Operation, id: string, options: DinieOptions = {}) {
  const body = rightBodies[plainName(operation)]
  const isBodyGiven = 'body' in options || 'rawBody' in options
  return world.send(
    operation.method as Method,
    operation.path.replace('{webhook_endpoint_id}', id),
    isBodyGiven || body === undefined ? options : { body, ...options },
  )
}

function plainName({ name }: Operation): string {
  return name.replace(asClientsDo.suffix, '')
}
