import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { Countersign } from '@countersign/sdk'
import type { Answers } from '../../sdk/src/api-types.ts'
import { type Receiver, startReceiver } from './support/receiver.ts'
import { startTestApp, type TestApp } from './support/start-test-app.ts'

/** A project of its own with one of everything. */
interface World {
  project: string
  key: string
  session: string
  endpoint: string
  /** The open rotation of the endpoint. */
  rotation: string
  event: string
  delivery: string
  /** Signs with Ed25519. */
  keyEndpoint: string
  /** Adds an endpoint with a secret that waits behind a claim link. */
  addClaim(): Promise<{ endpoint: string; rotation: string; token: string }>
  /** Adds a campaign of the endpoint with the open rotation, so that it stays open as well. */
  addCampaign(): Promise<string>
}

/**
 * Each operation of the document, called through the SDK. The type check refuses this table where it lacks an operation,
 * and where a method does not give what the document says.
 */
const operations: { [K in keyof Answers]: (c: Countersign, w: World) => Promise<Answers[K]> } = {
  createProject: (c) => c.projects.create({ name: 'Another' }),
  listProjects: (c) => c.projects.list().page(),
  getProject: (c, w) => c.projects.get(w.project),
  updateProject: (c, w) => c.projects.update(w.project, { settings: { retentionDays: 3 } }),
  deleteProject: (c, w) => c.projects.delete(w.project),
  createApiKey: (c, w) => c.apiKeys.create(w.project, { name: 'Another' }),
  listApiKeys: (c, w) => c.apiKeys.list(w.project).page(),
  rotateApiKey: (c, w) => c.apiKeys.rotate(w.project, w.key),
  revokeApiKey: (c, w) => c.apiKeys.revoke(w.project, w.key),
  createPortalSession: (c, w) =>
    c.portalSessions.create(w.project, { scopes: ['webhooks.read'], actor: 'jo' }),
  revokePortalSession: (c, w) => c.portalSessions.revoke(w.project, w.session),
  defineCatalogEventType: (c) => c.catalog.define('order.sent', { description: 'An order left.' }),
  getCatalogEventType: (c) => c.catalog.get('order.kept'),
  deleteCatalogEventType: (c) => c.catalog.delete('order.sent'),
  listCatalogEventTypes: (c) => c.catalog.list().page(),
  defineEventType: (c, w) => c.eventTypes.define(w.project, 'order.sent'),
  getEventType: (c, w) => c.eventTypes.get(w.project, 'order.kept'),
  deleteEventType: (c, w) => c.eventTypes.delete(w.project, 'order.kept'),
  listEventTypes: (c, w) => c.eventTypes.list(w.project).page(),
  createEndpoint: (c, w) => c.endpoints.create(w.project, { url: receiver.url }),
  listEndpoints: (c, w) => c.endpoints.list(w.project, { state: 'active' }).page(),
  getEndpoint: (c, w) => c.endpoints.get(w.project, w.endpoint),
  updateEndpoint: (c, w) => c.endpoints.update(w.project, w.endpoint, { state: 'disabled' }),
  deleteEndpoint: (c, w) => c.endpoints.delete(w.project, w.endpoint),
  testEndpoint: (c, w) => c.endpoints.test(w.project, w.endpoint),
  drillEndpoint: (c, w) => c.endpoints.drill(w.project, w.endpoint),
  recoverEndpoint: (c, w) => c.endpoints.recover(w.project, w.endpoint, { since: new Date(0) }),
  getProjectStats: (c, w) => c.projects.stats(w.project, { bucket: '1h' }),
  getEndpointStats: (c, w) => c.endpoints.stats(w.project, w.endpoint, { bucket: '1h' }),
  rotateSecret: (c, w) => c.endpoints.rotateSecret(w.project, w.endpoint, { force: true }),
  revokePreviousSecret: (c, w) => c.endpoints.revokePreviousSecret(w.project, w.endpoint),
  readKeySet: (c, w) => c.endpoints.keySet(w.keyEndpoint),
  listSecrets: (c, w) => c.endpoints.listSecrets(w.project, w.endpoint).page(),
  listRotations: (c, w) => c.rotations.list(w.project, w.endpoint).page(),
  getRotation: (c, w) => c.rotations.get(w.project, w.endpoint, w.rotation),
  updateRotation: (c, w) =>
    c.rotations.update(w.project, w.endpoint, w.rotation, { expireCurrentIn: 60 }),
  verifyRotation: (c, w) => c.rotations.verify(w.project, w.endpoint, w.rotation),
  completeRotation: (c, w) => c.rotations.complete(w.project, w.endpoint, w.rotation),
  cancelRotation: (c, w) => c.rotations.cancel(w.project, w.endpoint, w.rotation),
  reissueClaimLink: async (c, w) => {
    const { endpoint, rotation } = await w.addClaim()
    return c.rotations.reissueClaimLink(w.project, endpoint, rotation)
  },
  claimSecret: async (c, w) => c.claims.claim((await w.addClaim()).token),
  disputeClaim: async (c, w) => {
    const { token } = await w.addClaim()
    await server.client.claims.claim(token)
    return c.claims.dispute(token)
  },
  listFleet: (c, w) => c.fleet.list({ project: w.project }).page(),
  createCampaign: (c, w) =>
    c.campaigns.create({ perMinute: 1, filter: { projectIds: [w.project] } }),
  listCampaigns: (c) => c.campaigns.list().page(),
  getCampaign: async (c, w) => c.campaigns.get(await w.addCampaign()),
  listCampaignEndpoints: async (c, w) => c.campaigns.endpoints(await w.addCampaign()).page(),
  pauseCampaign: async (c, w) => c.campaigns.pause(await w.addCampaign()),
  resumeCampaign: async (c, w) => c.campaigns.resume(await w.addCampaign()),
  cancelCampaign: async (c, w) => c.campaigns.cancel(await w.addCampaign()),
  publishEvent: (c, w) => c.events.publish(w.project, { type: 'order.sent', data: {} }),
  listEvents: (c, w) => c.events.list(w.project).page(),
  publishBatch: async (c, w) => ({
    data: await c.events.publishBatch(w.project, [{ type: 'order.sent', data: {} }]),
  }),
  expungeEvent: (c, w) => c.events.expunge(w.project, w.event),
  getEvent: (c, w) => c.events.get(w.project, w.event),
  listDeliveries: (c, w) => c.deliveries.list(w.project, { endpoint: w.endpoint }).page(),
  getDelivery: (c, w) => c.deliveries.get(w.project, w.delivery),
  retryDelivery: (c, w) => c.deliveries.retry(w.project, w.delivery),
  readStream: readFirst,
  listAuditRows: (c, w) => c.auditLog.list(w.project, { since: new Date(0) }).page(),
  checkHealth: (c) => c.server.checkHealth(),
  checkReadiness: (c) => c.server.checkReadiness(),
  readMetrics: (c) => c.server.readMetrics(),
  readOpenApi: (c) => c.server.readOpenApi(),
}

interface OperationObject {
  operationId: string
  responses: Record<string, { content?: Record<string, object> }>
}
const document: { paths: Record<string, Record<string, OperationObject>> } = JSON.parse(
  readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8'),
)

let server: TestApp
let receiver: Receiver
before(async () => {
  server = await startTestApp({
    environment: { COUNTERSIGN_PUBLIC_URL: 'https://hooks.example.com' },
  })
  receiver = await startReceiver()
  for (const name of ['order.kept', 'order.sent']) await server.client.catalog.define(name)
})
after(async () => {
  await server.dispose()
  await receiver.close()
})

test('the table has the operations of the document', () => {
  const documented = Object.values(document.paths)
    .flatMap((methods) => Object.values(methods))
    // A page is for people.
    .filter(({ responses }) => responses['200']?.content?.['text/html'] === undefined)
    .map(({ operationId }) => operationId)
  assert.deepEqual(Object.keys(operations).sort(), documented.sort())
})

describe('reaches with one method of the SDK', () => {
  const used: string[] = []

  for (const [name, call] of Object.entries(operations)) {
    test(name, async () => {
      const world = await createWorld(server.client)
      const answered: string[] = []
      const client = new Countersign({
        baseUrl: server.app.url,
        apiKey: server.rootKey,
        async fetch(url, init) {
          const response = await fetch(url, init)
          answered.push(`${operationOf(init.method, new URL(url).pathname)} ${response.status}`)
          return response
        },
      })
      const methods: string[] = []
      await call(notingCalls(client, methods), world)
      assert.deepEqual(
        answered.map((line) => line.replace(/ 2\d\d$/, '')),
        [name],
      )
      assert.equal(methods.length, 1)
      used.push(...methods)
    })
  }

  test('and there is no method that reaches none, or two that reach the same', () => {
    const methods = Object.entries(server.client).flatMap(([resource, object]) =>
      Object.getOwnPropertyNames(Object.getPrototypeOf(object))
        .filter((method) => method !== 'constructor')
        .map((method) => `${resource}.${method}`),
    )
    assert.deepEqual(used.sort(), methods.sort())
  })
})

/** What a stream tells first. */
async function readFirst(client: Countersign, { project }: World): Promise<string> {
  const options = { position: '0-0', signal: AbortSignal.timeout(20_000) }
  for await (const item of client.stream.follow(project, options)) return item.kind
  throw new Error('The stream ended without an item.')
}

async function createWorld(client: Countersign): Promise<World> {
  const { id: project } = await client.projects.create({ name: 'A project' })
  const { id: key } = await client.apiKeys.create(project, { name: 'A key' })
  const scopes = ['webhooks.read'] as const
  const { id: session } = await client.portalSessions.create(project, { scopes, actor: 'jo' })
  await client.eventTypes.define(project, 'order.kept')
  const { id: endpoint } = await client.endpoints.create(project, { url: receiver.url })
  const { id: event } = await client.events.publish(project, { type: 'order.kept', data: {} })
  const { data } = await client.deliveries.list(project, { event }).page()
  const { rotation } = await client.endpoints.rotateSecret(project, endpoint)
  assert.ok(data[0])
  const delivery = data[0].id
  const ed25519 = { url: receiver.url, algorithm: 'ed25519' } as const
  const { id: keyEndpoint } = await client.endpoints.create(project, ed25519)
  return {
    ...{ project, key, session, endpoint, rotation: rotation.id, event, delivery, keyEndpoint },
    addClaim: () => addClaim(client, project),
    async addCampaign() {
      const filter = { endpointIds: [endpoint] }
      const begin = { perMinute: 1, deliver: 'claim_link', filter } as const
      return (await client.campaigns.create(begin)).id
    },
  }
}

async function addClaim(client: Countersign, project: string) {
  const { id: endpoint } = await client.endpoints.create(project, { url: receiver.url })
  const deliver = { deliver: 'claim_link' } as const
  const { claimUrl, rotation } = await client.endpoints.rotateSecret(project, endpoint, deliver)
  return { endpoint, rotation: rotation.id, token: claimUrl.replace(/^.*#/, '') }
}

/** The operation that a request is for; of `/events/batch`, the path without a parameter. */
function operationOf(method: string, path: string): string {
  const [found] = Object.entries(document.paths)
    .filter(([template, methods]) => {
      const pattern = `^${template.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`
      return methods[method.toLowerCase()] !== undefined && new RegExp(pattern).test(path)
    })
    .sort(([a], [b]) => a.split('{').length - b.split('{').length)
  return found?.[1][method.toLowerCase()]?.operationId ?? `${method} ${path}`
}

/** The same client, which notes `resource.method` of each call. */
function notingCalls(client: Countersign, noted: string[]): Countersign {
  const resources = Object.entries(client).map(([name, resource]) => [
    name,
    new Proxy(resource as object, {
      get(target, member) {
        const method = Reflect.get(target, member) as (...parameters: unknown[]) => unknown
        return (...parameters: unknown[]) => {
          noted.push(`${name}.${String(member)}`)
          // Not bound to the proxy: it has no access to the private members.
          return method.apply(target, parameters)
        }
      },
    }),
  ])
  return Object.fromEntries(resources)
}
