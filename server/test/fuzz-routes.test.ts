import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { openApiDocument } from '../src/api/openapi.ts'
import { uuidOf } from '../src/core/ids.ts'
import { dialectApis } from '../src/dialects/registry.ts'
import {
  createTestApi,
  type Method,
  type Reply,
  type TestApi,
  type TestProject,
} from './support/test-api.ts'

/*
 * Whatever is sent to whatever route: no 500, an answer in the shape of the API that it went to, and
 * nothing of another project.
 */

const requestsMax = process.env.COUNTERSIGN_TEST_LONG ? 60_000 : 8_000

interface FuzzedRoute {
  method: Method
  /** With `:names`. */
  path: string
  isErrorShaped: (reply: Reply) => boolean
}

const isProblem = ({ headers, body }: Reply) =>
  String(headers['content-type']).startsWith('application/problem+json') &&
  typeof body.type === 'string' &&
  typeof body.title === 'string' &&
  typeof body.detail === 'string'

/** By something in the paths that only this system has. */
const shapes: readonly [RegExp, FuzzedRoute['isErrorShaped']][] = [
  [/webhook_subscriptions/, ({ body }) => isText(body.error?.message) || isText(body.message)],
  [/\/api\/v2\/projects\//, ({ body, status }) => isText(body.message) && body.status === status],
  [/\/api\/v2\/webhooks/, ({ body }) => isText(body.detail) || Array.isArray(body.detail)],
  [/webhooks\/endpoints|auth\/token/, isProblem],
  [/.*/, ({ body }) => isText(body.error)],
]

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

function nativeRoutes(): FuzzedRoute[] {
  return Object.entries(openApiDocument({ publicUrl: null }).paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => ({
      method: method.toUpperCase() as Method,
      path: path.replaceAll(/\{(\w+)\}/g, ':$1'),
      isErrorShaped: isProblem,
    })),
  )
}

function dialectRoutes(): FuzzedRoute[] {
  return dialectApis().flatMap(({ prefixes, routes }) =>
    prefixes.flatMap((prefix) =>
      routes.map(({ method, path }) => {
        const shape = shapes.find(([pattern]) => pattern.test(prefix + path))
        assert.ok(shape)
        return { method, path: prefix + path, isErrorShaped: shape[1] }
      }),
    ),
  )
}

/** A project with one of everything, under every name that an API has for it. */
async function addThings(server: TestApi): Promise<{ project: TestProject; ids: string[] }> {
  const project = await server.addProject()
  const post = async (path: string, body: object) =>
    (await server.call('POST', project.path + path, { body })).body
  const endpoint = await post('/endpoints', { url: 'https://a.example/', event_types: ['*'] })
  const event = await post('/events', { type: 'order.paid', data: { secret_word: project.id } })
  const { rotation } = await post(`/endpoints/${endpoint.id}/secret/rotate`, {})
  const deliveries = await server.call('GET', `${project.path}/deliveries`)
  const delivery = deliveries.body.data[0].id as string
  const digits = endpoint.id.slice('ep_'.length)
  const ids = [
    ...[project.id, uuidOf(project.id), endpoint.id, uuidOf(endpoint.id), `ws_${digits}`],
    ...[`we_${digits}`, event.id, rotation.id, delivery, uuidOf(delivery)],
  ]
  return { project, ids }
}

describe('every route, whatever is sent', () => {
  for (const [name, routes] of Object.entries({
    'the native API': nativeRoutes(),
    'the dialects': dialectRoutes(),
  })) {
    test(name, async (t) => {
      const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
      t.diagnostic(`seed ${seed}`)
      await using server = await createTestApi({ rateLimit: { perSecond: 1e6, burst: 1e6 } })
      const own = await addThings(server)
      const other = await addThings(server)
      const foreign = [other.project.key, ...other.ids]
      let refused = 0
      await fc.assert(
        fc.asyncProperty(requests(routes, own, other), async (request) => {
          // An event type may be called like anything, and then be listed, or told of elsewhere.
          const isNaming = request.method === 'PUT' && request.url.includes('event-types')
          fc.pre(!isNaming || !foreign.some((id) => request.url.includes(id)))
          const reply = await server.send(request.method, request.url, {
            headers: request.headers,
            ...(request.body === undefined ? {} : { rawBody: request.body }),
          })
          const what = `${request.method} ${request.url} ${JSON.stringify(request.headers)} ${request.body}: ${reply.status} ${reply.text}`
          assert.ok(reply.status < 500, what)
          if (reply.status >= 400) {
            refused += 1
            assert.ok(request.route.isErrorShaped(reply) || isProblem(reply), what)
          }
          // What was sent may be repeated; everything else of the other project stays there.
          const sent = decodeURIComponent(request.url) + request.body
          for (const secret of foreign) {
            if (!sent.includes(secret)) assert.ok(!reply.text.includes(secret), what)
          }
        }),
        { numRuns: requestsMax, seed, endOnFailure: true },
      )
      assert.ok(refused > requestsMax / 10, 'much of it was refused')
      const logged = server.logged.filter(({ message }) => /failed/.test(message))
      assert.deepEqual(logged, [])
      const kept = await server.call('GET', `${other.project.path}/endpoints`)
      assert.equal(kept.body.data.length, 1, 'the other project is as it was')
      assert.equal(kept.body.data[0].state, 'active')
    })
  }
})

/** What is drawn for one request, before it is put together. */
interface Drawn {
  route: FuzzedRoute
  methodInstead: Method | null
  segments: string[]
  query: [string, string][]
  body: string | undefined
  contentType: string
  key: string
  idempotencyKey: string | null
}

function requests(
  routes: readonly FuzzedRoute[],
  own: { project: TestProject; ids: string[] },
  other: { ids: string[] },
) {
  return fc
    .record({
      route: fc.constantFrom(...routes),
      methodInstead: fc.option(fc.constantFrom<Method>('GET', 'PUT', 'DELETE', 'OPTIONS'), {
        freq: 8,
      }),
      segments: fc.array(segments(own.ids, other.ids), { minLength: 4, maxLength: 4 }),
      query: queries(),
      body: bodies(),
      contentType: fc.constantFrom('application/json', 'application/json', 'text/plain', ''),
      key: fc.constantFrom('own', 'own', 'own', 'none', 'wrong'),
      idempotencyKey: fc.option(fc.string({ maxLength: 300 }).map(safeHeader)),
    })
    .map((drawn) => requestOf(drawn, own.project.key))
}

function segments(own: readonly string[], other: readonly string[]) {
  return fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...own) },
    { weight: 2, arbitrary: fc.constantFrom(...other) },
    { weight: 1, arbitrary: fc.constantFrom('deliveries', 'endpoints', 'events', 'stats', '%00') },
    { weight: 1, arbitrary: fc.string({ minLength: 1 }).map(safeSegment) },
  )
}

function queries() {
  const names = ['limit', 'cursor', 'page', 'pageSize', 'size', 'sort', 'status', 'since', 'x']
  const values = ['1', '0', '-1', '1e9', '["a"]', '2026-01-01T00:00:00Z']
  return fc.array(
    fc.tuple(fc.constantFrom(...names), fc.oneof(fc.constantFrom(...values), fc.string())),
    { maxLength: 3 },
  )
}

function bodies() {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom('https://a.example/', 'active', 'ACTIVE', 'V1', 0, 3600, true, null, ['*']),
  )
  const fields = fc.constantFrom(
    ...['url', 'webhook_url', 'events', 'enabled_events', 'eventTypes', 'event_types', 'type'],
    ...[
      'data',
      'description',
      'state',
      'status',
      'disabled',
      'version',
      'name',
      'scopes',
      'secret',
    ],
    ...[
      'expire_current_in',
      'force',
      'reason',
      'headers',
      'metadata',
      'settings',
      'schema',
      'since',
    ],
  )
  return fc.oneof(
    { weight: 4, arbitrary: fc.dictionary(fields, value).map((object) => JSON.stringify(object)) },
    { weight: 1, arbitrary: fc.jsonValue().map((json) => JSON.stringify(json)) },
    { weight: 1, arbitrary: fc.string() },
    { weight: 2, arbitrary: fc.constant(undefined) },
  )
}

function requestOf(drawn: Drawn, ownKey: string) {
  const [first, ...rest] = drawn.segments
  const values = [...rest, first ?? 'x']
  const path = drawn.route.path.replaceAll(/:\w+/g, () => values.shift() ?? 'x')
  const search = new URLSearchParams(drawn.query).toString()
  const isGet = drawn.route.method === 'GET' && drawn.methodInstead === null
  const key = drawn.key === 'own' ? ownKey : 'csk_wrong'
  const isComposio = path.includes('webhook_subscriptions')
  const credential: Record<string, string> = isComposio
    ? { 'x-api-key': key }
    : { authorization: `Bearer ${key}` }
  return {
    route: drawn.route,
    method: drawn.methodInstead ?? drawn.route.method,
    url: search === '' ? path : `${path}?${search}`,
    headers: {
      ...(drawn.key === 'none' ? {} : credential),
      ...(drawn.contentType === '' ? {} : { 'content-type': drawn.contentType }),
      ...(drawn.idempotencyKey === null ? {} : { 'idempotency-key': drawn.idempotencyKey }),
    },
    body: isGet ? undefined : drawn.body,
  }
}

function safeSegment(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

function safeHeader(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, 'x')
}
