import assert from 'node:assert/strict'
import type { Reply } from '../support/test-api.ts'
import type { Scenarios } from './contract.ts'
import type { DinieVersion } from './dinie-contract.ts'
import type { DinieOptions, DinieWorld } from './dinie-world.ts'

type World = DinieWorld
type Parameters = Scenarios<World>['parameters']

const url = 'https://rx.example/in'

/** The scenarios of all that take a body or a query, as this version spells them. */
export function parameterScenariosOf(version: DinieVersion): Parameters {
  const scenarios = {
    ...createParameters(version),
    ...listParameters(version),
    ...changeParameters(version),
    ...rotateParameters(version),
  }
  return Object.fromEntries(
    Object.entries(scenarios).map(([key, run]) => [
      key.replace(' ← ', `${version.suffix} ← `),
      run,
    ]),
  )
}

/** The names of the fields that a refusal is about. */
export function fieldsAtFault({ body }: Pick<Reply, 'body'>): string[] {
  return body.errors.map(({ param }: { param: string }) => param)
}

function createParameters({ prefix, idempotencyHeader }: DinieVersion): Parameters {
  const list = `${prefix}/webhooks/endpoints`
  const create: Write = (world, fields) => world.send('POST', list, { body: { url, ...fields } })
  return {
    'create webhook endpoint ← body url': async (world) => {
      await urlCounts(world, create)
      await refused(create(world, { url: undefined }), 'url')
    },
    'create webhook endpoint ← body events': (world) => eventsCount(world, create, ['*']),
    'create webhook endpoint ← body description': (world) => descriptionCounts(world, create, null),
    [`create webhook endpoint ← header ${idempotencyHeader}`]: (world) =>
      keyMakesOne(world, idempotencyHeader, (options) =>
        world.send('POST', list, { body: { url }, ...options }),
      ),
  }
}

function listParameters({ prefix }: DinieVersion): Parameters {
  const list = `${prefix}/webhooks/endpoints`
  return {
    'list webhook endpoints ← query limit': async (world) => {
      await world.createEndpoint()
      await world.createEndpoint()
      for (const [limit, length, hasMore] of [
        [1, 1, true],
        [2, 2, false],
        [100, 2, false],
      ] as const) {
        const { body } = await world.send('GET', `${list}?limit=${limit}`)
        assert.deepEqual([body.data.length, body.has_more], [length, hasMore])
      }
      for (const limit of ['0', '101', '-1', '1.5', 'all', '']) {
        await refused(world.send('GET', `${list}?limit=${limit}`), 'limit')
      }
    },
    'list webhook endpoints ← query starting_after': async (world) => {
      const [older, newer] = [await world.createEndpoint(), await world.createEndpoint()]
      const after = async (id: string) =>
        (await world.send('GET', `${list}?starting_after=${id}`)).body.data.map(idOf)
      assert.deepEqual(await after(newer.id), [older.id])
      assert.deepEqual(await after(older.id), [])
      for (const none of ['we_1', newer.id.replace('we_', 'ep_'), '']) {
        await refused(world.send('GET', `${list}?starting_after=${none}`), 'starting_after')
      }
    },
  }
}

function changeParameters({ prefix }: DinieVersion): Parameters {
  const before = { url, events: ['loan.error'], description: 'before' }
  const change: Write = async (world, fields) => {
    const { id } = await world.createEndpoint(before)
    return world.send('PATCH', `${prefix}/webhooks/endpoints/${id}`, { body: fields })
  }
  return {
    'change webhook endpoint ← body url': async (world) => {
      await urlCounts(world, change)
      assert.equal((await change(world, {})).body.url, url)
    },
    'change webhook endpoint ← body events': (world) => eventsCount(world, change, before.events),
    'change webhook endpoint ← body description': (world) =>
      descriptionCounts(world, change, before.description),
    'change webhook endpoint ← body status': async (world) => {
      const { id } = await world.createEndpoint()
      const path = `${prefix}/webhooks/endpoints/${id}`
      for (const status of ['disabled', 'active']) {
        const reply = await world.send('PATCH', path, { body: { status } })
        assert.deepEqual([reply.status, reply.body.status], [200, status])
      }
      for (const status of ['paused', '', null, true]) {
        await refused(world.send('PATCH', path, { body: { status } }), 'status')
      }
    },
  }
}

function rotateParameters({ prefix, idempotencyHeader, rotateVerb }: DinieVersion): Parameters {
  const pathOf = (id: string) => `${prefix}/webhooks/endpoints/${id}/${rotateVerb}`
  const rotate = async (world: World, body?: object) =>
    world.send('POST', pathOf((await world.createEndpoint()).id), { body })
  return {
    'rotate secret ← body expire_current_in': async (world) => {
      for (const [body, seconds] of [
        [undefined, 3_600],
        [{}, 3_600],
        [{ expire_current_in: 86_400 }, 86_400],
        [{ expire_current_in: 1 }, 1],
        [{ expire_current_in: 0 }, 0],
      ] as const) {
        const reply = await rotate(world, body)
        assert.equal(reply.status, 200, reply.text)
        const at = world.server.clock.now() + seconds * 1000
        assert.equal(epochMsOf(reply.body.previous_secret_expires_at), at)
      }
      for (const value of [-1, 86_401, 1.5, 'x', '600', true, null]) {
        await refused(rotate(world, { expire_current_in: value }), 'expire_current_in')
      }
    },
    [`rotate secret ← header ${idempotencyHeader}`]: async (world) => {
      const { id } = await world.createEndpoint()
      await keyMakesOne(world, idempotencyHeader, (options) =>
        world.send('POST', pathOf(id), options),
      )
    },
  }
}

/** Creates, or changes, with these fields. */
type Write = (world: World, fields: object) => Promise<Reply>

async function urlCounts(world: World, write: Write): Promise<void> {
  const other = 'https://other.example/'
  const longest = `${other}${'a'.repeat(2048 - other.length)}`
  for (const given of [other, longest]) {
    assert.equal((await write(world, { url: given })).body.url, given)
  }
  for (const wrong of [7, null, '', 'rx.example', 'http://rx.example/', `${longest}a`]) {
    await refused(write(world, { url: wrong }), 'url')
  }
}

async function eventsCount(world: World, write: Write, omitted: string[]): Promise<void> {
  for (const events of [['loan.created', 'customer.*'], ['*'], ['loan.signed']]) {
    assert.deepEqual((await write(world, { events })).body.events, events)
  }
  assert.deepEqual((await write(world, { events: [] })).body.events, ['*'])
  assert.deepEqual((await write(world, {})).body.events, omitted)
  for (const wrong of [['order.paid'], ['order.*'], ['loan'], [''], [7]]) {
    await refused(write(world, { events: wrong }), 'events.0')
  }
  for (const wrong of ['loan.created', null, Array(101).fill('*')]) {
    await refused(write(world, { events: wrong }), 'events')
  }
}

async function descriptionCounts(
  world: World,
  write: Write,
  omitted: string | null,
): Promise<void> {
  for (const description of ['ops', '', 'ö'.repeat(500), null]) {
    assert.equal((await write(world, { description })).body.description, description)
  }
  assert.equal((await write(world, {})).body.description, omitted)
  for (const wrong of [7, 'o'.repeat(501)]) {
    await refused(write(world, { description: wrong }), 'description')
  }
}

/** Under one key there is one answer with one secret, for 24 hours; under another key another. */
async function keyMakesOne(
  { server, project }: World,
  header: string,
  post: (options: DinieOptions) => Promise<Reply>,
): Promise<void> {
  // An access token lasts an hour.
  const under = (value: string) => post({ key: project.key, headers: { [header]: value } })
  const first = await under('q4')
  assert.ok(first.status < 300, first.text)
  server.clock.advance(24 * 3_600_000 - 1)
  const again = await under('q4')
  assert.deepEqual([again.status, again.text], [first.status, first.text])
  assert.equal(again.headers['idempotent-replayed'], 'true')
  const secrets = [first, await under('q1')]
  server.clock.advance(1)
  secrets.push(await under('q4'))
  assert.equal(new Set(secrets.map(({ body }) => body.secret)).size, 3)
  await refused(under('k'.repeat(256)), 'Idempotency-Key')
}

async function refused(reply: Promise<Reply>, param: string): Promise<void> {
  const { status, text, body } = await reply
  assert.equal(status, 422, text)
  assert.deepEqual([body.param, fieldsAtFault({ body })], [param, [param]], text)
}

function idOf({ id }: { id: string }): string {
  return id
}

/** A time as either version writes it. */
function epochMsOf(time: string | number): number {
  return typeof time === 'number' ? time * 1000 : Date.parse(time)
}
