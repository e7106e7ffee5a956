import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createTestApi,
  type Method,
  type TestApi,
  type TestProject,
} from '../../test/support/test-api.ts'
import { scopes } from '../core/authorization.ts'
import { openApiDocument } from './openapi.ts'

/** A project with one thing of each kind, and the paths that lead to them. */
interface Tenant extends TestProject {
  ids: Record<string, string>
}

test('no route gives a key of one project anything of another, by id or by uid', async () => {
  await using server = await createTestApi()
  const own = await addTenant(server, 'own')
  const other = await addTenant(server, 'other')
  const before = await snapshot(server, other)
  let calls = 0
  for (const { method, template } of projectOperations()) {
    for (const project of [other.id, other.uid]) {
      for (const endpoint of [other.ids.endpoint, 'the-endpoint', own.ids.endpoint]) {
        const url = fill(template, { ...other.ids, project, endpoint })
        const reply = await server.call(method, url, { key: own.key, body: bodyFor(template) })
        assert.equal(reply.status, 403, `${method} ${url}: ${reply.text}`)
        assert.equal(reply.body.detail, 'This key belongs to another project.')
        calls += 1
      }
    }
  }
  assert.ok(calls > 100, `${calls} calls`)
  assert.deepEqual(await snapshot(server, other), before, 'nothing of the other project changed')
})

test('a foreign id inside one’s own project is not found, also with the root key', async () => {
  await using server = await createTestApi()
  const own = await addTenant(server, 'own')
  const other = await addTenant(server, 'other')
  const before = await snapshot(server, other)
  let calls = 0
  for (const { method, template } of projectOperations()) {
    // A PUT defines what is not there.
    if (method === 'PUT') continue
    const foreign = parametersOf(template).filter((name) => name !== 'project')
    for (const name of foreign) {
      for (const key of [own.key, undefined]) {
        for (const project of [own.id, own.uid]) {
          const ids = { ...own.ids, project, [name]: other.ids[name] }
          const url = fill(template, ids)
          const reply = await server.call(method, url, {
            ...(key === undefined ? {} : { key }),
            body: bodyFor(template),
          })
          assert.equal(reply.status, 404, `${method} ${url}: ${reply.text}`)
          assert.equal(reply.body.code, 'not_found')
          calls += 1
        }
      }
    }
  }
  assert.ok(calls > 50, `${calls} calls`)
  assert.deepEqual(await snapshot(server, other), before, 'nothing of the other project changed')
})

test('lists and filters show nothing of another project', async () => {
  await using server = await createTestApi()
  const own = await addTenant(server, 'own')
  const other = await addTenant(server, 'other')
  for (const { method, template } of projectOperations()) {
    if (method !== 'GET') continue
    const url = fill(template, { ...own.ids, project: own.id })
    const reply = await server.call(method, url, { key: own.key })
    assert.equal(reply.status, 200, url)
    for (const id of [other.id, ...Object.values(other.ids)]) {
      assert.ok(!reply.text.includes(id), `${url} shows ${id}`)
    }
  }
  for (const filter of [`endpoint=${other.ids.endpoint}`, `event=${other.ids.event}`]) {
    const reply = await server.call('GET', `${own.path}/deliveries?${filter}`, { key: own.key })
    assert.deepEqual(reply.body.data, [], filter)
  }
  const cursor = (await server.call('GET', `${other.path}/events?limit=1`, { key: other.key })).body
    .next_cursor
  const forged = await server.call('GET', `${own.path}/events?cursor=${cursor}`, { key: own.key })
  assert.ok(!forged.text.includes(other.ids.event ?? '-'))
})

test('every route asks for the scope it documents, and for no other', async () => {
  await using server = await createTestApi()
  const project = await addTenant(server, 'own')
  const keys = new Map<string, string>()
  for (const scope of scopes) {
    const body = { name: scope, scopes: [scope] }
    const created = await server.call('POST', `${project.path}/api-keys`, { body })
    keys.set(scope, created.body.key)
  }
  for (const { method, template, description } of projectOperations()) {
    const needed = /scope `([\w.]+)`/.exec(description)?.[1]
    for (const [scope, key] of keys) {
      const url = fill(template, { ...unknownIds, project: project.id })
      const reply = await server.call(method, url, { key, body: bodyFor(template) })
      const isAllowed =
        needed === scope || (needed === undefined && !description.includes('root key'))
      assert.equal(reply.status !== 403, isAllowed, `${method} ${template} with ${scope}`)
    }
  }
})

async function addTenant(server: TestApi, uid: string): Promise<Tenant> {
  const project = await server.addProject({ uid, scopes: [...scopes] })
  const post = async (path: string, body?: object) => {
    const reply = await server.call('POST', project.path + path, { body })
    assert.ok(reply.status < 300, reply.text)
    return reply.body
  }
  const endpoint = await post('/endpoints', {
    url: `https://${uid}.example/hook`,
    uid: 'the-endpoint',
  })
  const rotated = await post(`/endpoints/${endpoint.id}/secret/rotate`)
  const event = await post('/events', { type: 'order.paid', data: { of: uid } })
  await post('/events', { type: 'order.paid', data: { of: uid } })
  const deliveries = await server.call('GET', `${project.path}/deliveries?event=${event.id}`)
  const keys = await server.call('GET', `${project.path}/api-keys`)
  const session = await post('/portal-sessions', { scopes: ['webhooks.read'], actor: uid })
  const name = `${uid}.defined`
  await server.call('PUT', `${project.path}/event-types/${name}`, { body: {} })
  return {
    ...project,
    ids: {
      endpoint: endpoint.id,
      rotation: rotated.rotation.id,
      event: event.id,
      delivery: deliveries.body.data[0].id,
      key: keys.body.data[0].id,
      session: session.id,
      name,
    },
  }
}

/** Everything that can be read of a project, but when its key was last used. */
async function snapshot(server: TestApi, tenant: Tenant): Promise<string[]> {
  const texts: string[] = []
  for (const { method, template } of projectOperations()) {
    if (method !== 'GET') continue
    const { text } = await server.call('GET', fill(template, { ...tenant.ids, project: tenant.id }))
    texts.push(text.replaceAll(/"last_used_at":[^,}]+/g, ''))
  }
  return texts
}

interface Operation {
  method: Method
  template: string
  description: string
}

/** Every operation of the OpenAPI document that belongs to a project. */
function projectOperations(): Operation[] {
  const { paths } = openApiDocument({ publicUrl: null })
  return Object.entries(paths)
    .filter(([template]) => template.includes('{project}'))
    .flatMap(([template, operations]) =>
      Object.entries(operations).map(([method, operation]) => ({
        method: method.toUpperCase() as Method,
        template,
        description: (operation as { description: string }).description,
      })),
    )
}

const unknownIds = {
  endpoint: `ep_${'0'.repeat(32)}`,
  rotation: `rot_${'0'.repeat(32)}`,
  event: `evt_${'0'.repeat(32)}`,
  delivery: `dlv_${'0'.repeat(32)}`,
  key: `key_${'0'.repeat(32)}`,
  session: `pts_${'0'.repeat(32)}`,
  name: 'not.defined',
}

function parametersOf(template: string): string[] {
  return [...template.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
}

function fill(template: string, values: Record<string, string | null | undefined>): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name]
    assert.ok(value, `a value for ${name}`)
    return value
  })
}

/** A body that the route accepts, so that only the tenancy can refuse it. */
function bodyFor(template: string): object | undefined {
  if (template.endsWith('/events')) return { type: 'order.paid', data: {} }
  if (template.endsWith('/batch')) return { events: [{ type: 'order.paid', data: {} }] }
  if (template.endsWith('/endpoints')) return { url: 'https://a.example/' }
  if (template.endsWith('/recover')) return { since: '2026-10-01T00:00:00Z' }
  if (template.endsWith('/api-keys')) return { name: 'n' }
  if (template.endsWith('/{rotation}')) return { expire_current_in: 60 }
  return {}
}
