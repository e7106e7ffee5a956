import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { ApiError } from '@countersign/sdk'
import { operationalEventTypes } from '../src/actions/emit-operational-event.ts'
import type { Storage } from '../src/storage/storage.ts'
import { readOperationalEvents } from './support/operational-events.ts'
import { passTime } from './support/pass-time.ts'
import { type Receiver, startReceiver } from './support/receiver.ts'
import { startTestApp, type TestApp } from './support/start-test-app.ts'
import { until } from './support/until.ts'
import { createWireClient, type Wire, type WireClient, type WireRequest } from './support/wire.ts'

describe('audit rows and operational events (rotation.md section 8)', () => {
  let server: TestApp
  let storage: Storage
  let receiver: Receiver
  let project: string
  let call: WireClient

  before(async () => {
    server = await startTestApp({
      wrapStorage(opened) {
        storage = opened
        return opened
      },
    })
    call = createWireClient({ url: () => server.app.url, key: () => server.rootKey })
  })
  beforeEach(async () => {
    receiver = await startReceiver()
    project = (await server.client.projects.create({ name: 'told' })).id
  })
  afterEach(() => receiver.close())
  after(() => server.dispose())

  const path = () => `/projects/${project}`
  const create = async (body: object = {}) =>
    (
      await call<Wire.CreatedEndpoint>('POST', `${path()}/endpoints`, {
        body: { url: receiver.url, ...body },
      })
    ).body
  const rotate = async (id: string, body: object = {}) =>
    (await call<Wire.RotatedSecret>('POST', `${path()}/endpoints/${id}/secret/rotate`, { body }))
      .body
  const rows = async () =>
    (await call<{ data: Wire.AuditRow[] }>('GET', `${path()}/audit-log?limit=100`)).body.data
  const told = () => readOperationalEvents(call, project)
  const typesTold = async () => (await told()).map(({ type }) => type)

  /** Every change of the API, with the audit row that it must leave. */
  const changes = (): [
    action: string,
    method: string,
    suffix: (ids: Record<string, string>) => string,
    body?: object,
  ][] => [
    ['project.updated', 'PATCH', () => '', { name: 'told again' }],
    ['api_key.created', 'POST', () => '/api-keys', { name: 'a key' }],
    ['endpoint.created', 'POST', () => '/endpoints', { url: receiver.url }],
    ['endpoint.updated', 'PATCH', ({ ep }) => `/endpoints/${ep}`, { description: 'x' }],
    ['endpoint.secret.rotated', 'POST', ({ ep }) => `/endpoints/${ep}/secret/rotate`, why],
    [
      'endpoint.rotation.updated',
      'PATCH',
      ({ ep, rot }) => `/endpoints/${ep}/rotations/${rot}`,
      { expire_current_in: 60 },
    ],
    [
      'endpoint.rotation.cancelled',
      'POST',
      ({ ep, rot }) => `/endpoints/${ep}/rotations/${rot}/cancel`,
      why,
    ],
    ['endpoint.secret.rotated', 'POST', ({ ep }) => `/endpoints/${ep}/secret/rotate`, why],
    [
      'endpoint.rotation.completed',
      'POST',
      ({ ep, rot }) => `/endpoints/${ep}/rotations/${rot}/complete`,
      why,
    ],
    ['endpoint.secret.rotated', 'POST', ({ ep }) => `/endpoints/${ep}/secret/rotate`, why],
    [
      'endpoint.rotation.completed',
      'POST',
      ({ ep }) => `/endpoints/${ep}/secret/revoke-previous`,
      why,
    ],
    ['endpoint.updated', 'PATCH', ({ ep }) => `/endpoints/${ep}`, { state: 'disabled' }],
    ['endpoint.deleted', 'DELETE', ({ ep }) => `/endpoints/${ep}`],
    ['api_key.revoked', 'DELETE', ({ key }) => `/api-keys/${key}`],
  ]
  const why = { reason: 'because of the test' }

  test('every change leaves one row: when, who, what, why, which request, from where', async () => {
    const ids: Record<string, string> = {}
    const expected = ['project.created']
    for (const [action, method, suffix, body] of changes()) {
      const before = server.clock.now()
      const request: WireRequest = body === undefined ? {} : { body }
      const answer = await call<Record<string, unknown>>(method, path() + suffix(ids), request)
      assert.ok(answer.status < 300, `${action}: ${answer.text}`)
      remember(ids, answer.body)
      const [row] = await rows()
      assert.ok(row)
      expected.unshift(action)
      const at = Date.parse(row.at)
      assert.ok(at >= before && at <= server.clock.now(), `${action} at ${row.at}`)
      assert.match(row.id, /^aud_[0-9a-f]{32}$/)
      assert.deepEqual(
        { ...row, id: 0, at: 0, target: row.target.type, details: 0 },
        {
          id: 0,
          at: 0,
          action,
          actor: { type: 'root', id: null, name: null },
          target: targetOf(action),
          reason: body === why ? why.reason : null,
          request_id: answer.headers.get('x-request-id'),
          source_address: '127.0.0.1',
          details: 0,
        },
      )
    }
    assert.deepEqual(
      (await rows()).map(({ action }) => action),
      expected,
      'these rows, and no others',
    )
  })

  test('the row names the key that acted; rows are found by actor, action and time', async () => {
    const { body: key } = await call<Wire.CreatedApiKey>('POST', `${path()}/api-keys`, {
      body: { name: 'deploy robot' },
    })
    const { id } = await create()
    const asKey = createWireClient({ url: () => server.app.url, key: () => key.key })
    const createdBy = server.clock.now()
    await until('another millisecond has begun', () => server.clock.now() > createdBy)
    const since = new Date(server.clock.now()).toISOString()
    await asKey('POST', `${path()}/endpoints/${id}/secret/rotate`, { body: {} })
    const find = async (query: string) =>
      (await call<{ data: Wire.AuditRow[] }>('GET', `${path()}/audit-log?${query}`)).body.data
    const [row] = await find(`actor=${key.id}`)
    assert.ok(row)
    assert.deepEqual(row.actor, { type: 'key', id: key.id, name: 'deploy robot' })
    assert.equal((await find(`actor=${key.id}`)).length, 1)
    assert.deepEqual(await find('action=endpoint.secret.rotated'), [row])
    assert.deepEqual(await find(`since=${since}`), [row])
    assert.deepEqual(await find('action=endpoint.secret.revoked'), [])
  })

  test('what was refused, read or repeated leaves no row; and no row can be changed', async () => {
    const { id } = await create()
    const url = `${path()}/endpoints/${id}/secret/rotate`
    await call('POST', url, { body: {}, idempotencyKey: 'once' })
    const before = await rows()
    await call('POST', url, { body: {}, idempotencyKey: 'once' })
    await call('POST', url, { body: {} })
    await call('POST', url, { body: { expire_current_in: -1 } })
    await call('GET', `${path()}/endpoints/${id}/secrets`)
    await call('POST', `${path()}/endpoints`, { body: { url: 'http://10.0.0.1/' } })
    assert.deepEqual(await rows(), before)
    for (const method of ['PUT', 'PATCH', 'DELETE', 'POST']) {
      const log = await call('POST', `${path()}/audit-log`, { body: {} })
      const one = await call(method, `${path()}/audit-log/${before[0]?.id}`, { body: {} })
      assert.deepEqual([log.status, one.status], [405, 404])
    }
    assert.deepEqual(await rows(), before)
  })

  test('what the server does by itself has the system as its actor, and no request', async () => {
    const { id } = await create()
    const { rotation } = await rotate(id, { expire_current_in: 60 })
    await passTime(server, storage, 60_000)
    const bySystem = async (action: string) =>
      (await rows()).find((row) => row.action === action && row.actor.type === 'system')
    await until('the end is written down', async () =>
      Boolean(await bySystem('endpoint.rotation.completed')),
    )
    const ended = await bySystem('endpoint.rotation.completed')
    assert.equal(ended?.target.id, rotation.id)
    assert.deepEqual([ended?.request_id, ended?.source_address], [null, null])
    assert.equal(ended?.details.completed_by, 'expiry')

    receiver.answer = () => ({ statusCode: 410 })
    await call('POST', `${path()}/events`, { body: { type: 'a.b', data: {} } })
    await until('it is disabled', async () => Boolean(await bySystem('endpoint.disabled')))
    assert.match((await bySystem('endpoint.disabled'))?.reason ?? '', /410/)
    assert.ok((await typesTold()).includes('endpoint.disabled'))
  })

  test('each act on a secret is told, with what it was about', async () => {
    const { id, secret_id } = await create()
    const first = await rotate(id)
    const about = { endpoint_id: id, rotation_id: first.rotation.id }
    await call('POST', `${path()}/endpoints/${id}/rotations/${about.rotation_id}/cancel`)
    const second = await rotate(id)
    await call('POST', `${path()}/endpoints/${id}/secret/revoke-previous`)
    const cut = await rotate(id, { expire_current_in: 0 })
    const rotated = ({ rotation }: Wire.RotatedSecret) => ({
      endpoint_id: id,
      rotation_id: rotation.id,
      previous_secret_id: rotation.previous_secret_id,
      new_secret_id: rotation.new_secret_id,
      activates_at: rotation.activates_at,
      previous_secret_expires_at: rotation.previous_secret_expires_at,
    })
    const revoked = (secretId: string) => ({ endpoint_id: id, secret_ids: [secretId] })
    const completed = (by: string, { rotation }: Wire.RotatedSecret) => ({
      endpoint_id: id,
      rotation_id: rotation.id,
      completed_by: by,
    })
    assert.deepEqual(await told(), [
      { type: 'endpoint.secret.rotated', data: rotated(first) },
      { type: 'endpoint.secret.revoked', data: revoked(first.secret_id) },
      { type: 'endpoint.rotation.cancelled', data: about },
      { type: 'endpoint.secret.rotated', data: rotated(second) },
      { type: 'endpoint.secret.revoked', data: revoked(secret_id) },
      { type: 'endpoint.rotation.completed', data: completed('manual', second) },
      { type: 'endpoint.secret.rotated', data: rotated(cut) },
      { type: 'endpoint.secret.revoked', data: revoked(second.secret_id) },
      { type: 'endpoint.rotation.completed', data: completed('cut', cut) },
    ])
  })

  test('operational events go to endpoints that name them, and never to * or to no list', async () => {
    const lists: [name: string, body: object][] = [
      ['all', { event_types: ['*'] }],
      ['none', {}],
      ['prefix', { event_types: ['endpoint.*'] }],
      ['both', { event_types: ['*', 'endpoint.secret.*'] }],
      ['exact', { event_types: ['endpoint.rotation.completed'] }],
    ]
    for (const [name, body] of lists) await create({ ...body, headers: { 'x-list': name } })
    const subject = await create({ event_types: ['nothing.else'] })
    await rotate(subject.id, { expire_current_in: 0 })
    const secret = ['endpoint.secret.revoked', 'endpoint.secret.rotated']
    const expected: Record<string, string[]> = {
      prefix: ['endpoint.rotation.completed', ...secret],
      both: secret,
      exact: ['endpoint.rotation.completed'],
    }
    const arrived = (name: string) =>
      receiver.received
        .filter(({ headers }) => headers['x-list'] === name)
        .map(({ body }) => (JSON.parse(body) as { type: string }).type)
        .sort()
    await until('they arrive', () =>
      Object.entries(expected).every(([name, types]) => arrived(name).length >= types.length),
    )
    await call('POST', `${path()}/events`, { body: { type: 'last.one', data: {} } })
    await until('the last one arrives', () => arrived('none').length > 0)
    for (const [name] of lists) {
      const others = ['all', 'none', 'both'].includes(name) ? ['last.one'] : []
      assert.deepEqual(arrived(name), [...(expected[name] ?? []), ...others], name)
    }
  })

  test('nobody but the server publishes under endpoint. and countersign.', async () => {
    const { client } = server
    for (const type of ['endpoint.secret.rotated', 'endpoint.mine', 'countersign.probe']) {
      const refused = await client.events.publish(project, { type, data: {} }).catch((e) => e)
      assert.ok(refused instanceof ApiError)
      assert.deepEqual([refused.status, refused.errors[0]?.code], [422, 'reserved'])
      assert.equal(refused.errors[0]?.param, 'type')
    }
    const results = await client.events.publishBatch(project, [
      { type: 'endpoint.mine', data: {} },
      { type: 'endpoints.fine', data: {} },
      { type: 'countersign.test', data: {} },
    ])
    assert.deepEqual(
      results.map(({ status }) => status),
      [422, 202, 422],
    )
    assert.deepEqual(await told(), [])
  })

  test('every operational event that the guide names is one that is emitted', async () => {
    const guide = await readFile(new URL('../../docs/guides/rotating.md', import.meta.url), 'utf8')
    const named = new Set(guide.match(/\bendpoint\.(?:secret|rotation)\.[a-z_]+\b/g))
    const emitted = operationalEventTypes.filter((type) =>
      /^endpoint\.(?:secret|rotation)\./.test(type),
    )
    assert.deepEqual([...named].sort(), emitted.sort())
  })
})

/** Keeps the ids that later requests need. */
function remember(ids: Record<string, string>, body: Record<string, unknown> | undefined): void {
  const { id, rotation } = body ?? {}
  if (typeof id === 'string') ids[id.slice(0, id.indexOf('_'))] = id
  if (rotation) ids.rot = (rotation as Wire.Rotation).id
}

function targetOf(action: string): string {
  if (action === 'endpoint.secret.rotated') return 'endpoint'
  const parts = action.split('.')
  return parts.at(-2) ?? ''
}
