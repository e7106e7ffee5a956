import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApi, rootKey } from '../../test/support/test-api.ts'
import { keyProject } from '../dialects/key-project.ts'
import { jsonAnswer } from './answer.ts'
import { bearerOf } from './authenticate.ts'
import { formBody, jsonBody } from './request-body.ts'
import { dialectPostRoute, dialectRoute } from './route.ts'
import type { DialectApi } from './surface.ts'
import { Type } from './wire/type.ts'

/** An API whose `{id}` could swallow the words of the one below. */
const shelves: DialectApi = {
  surface: {
    credentialOf: ({ authorization }) => bearerOf(authorization),
    projectRefOf: keyProject,
    presentError: ({ status, details }) => jsonAnswer(status, { shelves: details.detail }),
    rateLimitHeaders: ({ remaining }) => ({ 'x-left': String(remaining) }),
    idempotencyHeaders: ['idempotency-key', 'x-once'],
  },
  prefixes: ['', '/v9'],
  routes: [
    dialectRoute({
      method: 'GET',
      path: '/shelves/:id',
      access: 'webhooks.read',
      answer: async ({ params, projectId }) => jsonAnswer(200, { id: params.id, projectId }),
    }),
    dialectRoute({
      method: 'DELETE',
      path: '/shelves/:id',
      access: 'webhooks.write',
      answer: async () => ({ status: 204 }),
    }),
    dialectPostRoute({
      method: 'POST',
      path: '/shelves/:id/turn',
      access: 'secrets.rotate',
      body: jsonBody(Type.Object({ by: Type.Optional(Type.Integer()) })),
      act: async ({ context }) => context.newId('sec'),
      present: (id, { body }) => jsonAnswer(200, { id, by: body.by ?? null }),
    }),
  ],
  ownSubtrees: [],
}

const books: DialectApi = {
  ...shelves,
  surface: {
    ...shelves.surface,
    presentError: ({ status, details }) => jsonAnswer(status, { books: details.detail }),
  },
  prefixes: [''],
  routes: [
    dialectRoute({
      method: 'GET',
      path: '/shelves/books',
      access: 'webhooks.read',
      answer: async () => jsonAnswer(200, { books: [] }),
    }),
    dialectPostRoute({
      method: 'POST',
      path: '/shelves/books',
      access: 'open',
      body: formBody(Type.Object({ title: Type.String() })),
      act: async ({ body, headers }) => ({ title: body.title, agent: headers['user-agent'] }),
      present: (made) => jsonAnswer(200, made),
    }),
  ],
  ownSubtrees: ['/shelves/books'],
}

test('answers a path that cannot be routed in the shape of the API whose path it is', async () => {
  await using shop = await createShop()
  for (const part of ['x'.repeat(600), '%zz']) {
    for (const path of [`/shelves/${part}`, `/v9/shelves/${part}/turn`]) {
      const reply = await shop.server.send('GET', path)
      assert.equal(reply.status, 404, path)
      assert.deepEqual(Object.keys(reply.body), ['shelves'])
    }
    const native = await shop.server.send('GET', `/v1/projects/${part}`)
    assert.deepEqual([native.status, native.body.code], [404, 'not_found'])
  }
})

async function createShop() {
  const server = await createTestApi({ dialects: [shelves, books] })
  const project = await server.addProject()
  return {
    server,
    project,
    headers: { authorization: `Bearer ${project.key}` },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

test('serves the same routes under every prefix, for the project of the key', async () => {
  await using shop = await createShop()
  for (const prefix of ['', '/v9']) {
    const reply = await shop.server.send('GET', `${prefix}/shelves/7`, { headers: shop.headers })
    assert.deepEqual(reply.body, { id: '7', projectId: shop.project.id })
    assert.ok(reply.headers['x-left'])
  }
})

test('what is one API word is never the other one parameter, whatever the method', async () => {
  await using shop = await createShop()
  const send = shop.server.send
  const found = await send('GET', '/shelves/books', { headers: shop.headers })
  assert.deepEqual(found.body, { books: [] })
  for (const method of ['DELETE', 'PATCH', 'PUT', 'OPTIONS'] as const) {
    const refused = await send(method, '/shelves/books', { headers: shop.headers })
    assert.equal(refused.status, 405)
    assert.deepEqual(refused.body, { books: 'This path takes GET, POST.' })
    assert.equal(refused.headers.allow, 'GET, POST')
  }
  assert.equal((await send('HEAD', '/shelves/books', { headers: shop.headers })).status, 200)
})

test('what lies below a word and is no route is nobody, in the native shape', async () => {
  await using shop = await createShop()
  for (const method of ['GET', 'POST', 'DELETE'] as const) {
    const reply = await shop.server.send(method, '/shelves/books/turn', { headers: shop.headers })
    assert.equal(reply.status, 404)
    assert.equal(reply.body.code, 'not_found')
  }
})

test('refuses in the shape of the API, from the key to the body', async () => {
  await using shop = await createShop()
  const { send } = shop.server
  const turn = (options: Parameters<typeof send>[2]) => send('POST', '/shelves/7/turn', options)
  const reader = await shop.server.call('POST', `${shop.project.path}/api-keys`, {
    body: { name: 'Reader', scopes: ['webhooks.read'] },
  })
  const replies = {
    401: await turn({}),
    403: await turn({ headers: { authorization: `Bearer ${reader.body.key}` } }),
    400: await turn({ headers: shop.headers, rawBody: '{' }),
    415: await turn({
      headers: { ...shop.headers, 'content-type': 'text/plain' },
      rawBody: 'hello',
    }),
    413: await turn({ headers: shop.headers, rawBody: `"${'x'.repeat(300_000)}"` }),
    422: await turn({ headers: shop.headers, body: { by: 'two' } }),
    405: await send('PUT', '/v9/shelves/7', { headers: shop.headers }),
  }
  for (const [status, reply] of Object.entries(replies)) {
    assert.equal(reply.status, Number(status), reply.text)
    assert.equal(typeof reply.body.shelves, 'string', reply.text)
  }
  const asRoot = await send('GET', '/shelves/7', {
    headers: { authorization: `Bearer ${rootKey}` },
  })
  assert.equal(asRoot.status, 403)
  assert.equal(typeof asRoot.body.shelves, 'string')
})

test('fields that are not known are ignored', async () => {
  await using shop = await createShop()
  const reply = await shop.server.send('POST', '/shelves/7/turn', {
    headers: shop.headers,
    body: { by: 2, later: true },
  })
  assert.equal(reply.body.by, 2)
})

test('either idempotency header makes a POST safe to send again', async () => {
  await using shop = await createShop()
  const turn = (headers: Record<string, string>) =>
    shop.server.send('POST', '/shelves/7/turn', { headers: { ...shop.headers, ...headers } })
  const first = await turn({ 'x-once': 'one' })
  assert.deepEqual((await turn({ 'x-once': 'one' })).body, first.body)
  assert.deepEqual((await turn({ 'idempotency-key': 'one' })).body, first.body)
  assert.notDeepEqual((await turn({ 'idempotency-key': 'two' })).body, first.body)
  const changed = await shop.server.send('POST', '/shelves/7/turn', {
    headers: { ...shop.headers, 'x-once': 'one' },
    body: { by: 3 },
  })
  assert.equal(changed.status, 422)
  assert.equal(typeof changed.body.shelves, 'string')
})

test('an open route keeps no answers: they would go to whoever comes next', async () => {
  await using shop = await createShop()
  const post = (agent: string) =>
    shop.server.send('POST', '/shelves/books', {
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'idempotency-key': 'one',
        'user-agent': agent,
      },
      rawBody: 'title=A',
    })
  assert.equal((await post('first')).body.agent, 'first')
  assert.equal((await post('second')).body.agent, 'second')
})

test('a form is read as a form, and nothing else is', async () => {
  await using shop = await createShop()
  const post = (contentType: string, rawBody: string) =>
    shop.server.send('POST', '/shelves/books', {
      headers: { 'content-type': contentType, 'user-agent': 'reader' },
      rawBody,
    })
  const form = 'application/x-www-form-urlencoded'
  const reply = await post(form, 'title=A+%26+B&title=C')
  assert.deepEqual(reply.body, { title: 'A & B', agent: 'reader' })
  assert.equal((await post(`${form}; charset=utf-8`, 'title=A')).status, 200)
  assert.equal((await post('application/json', '{"title":"A"}')).status, 415)
  assert.equal((await post(form, 'name=A')).status, 422)
})
