import assert from 'node:assert/strict'
import type { ActionContext, ActionParts } from '../../src/actions/action-context.ts'
import { continueCampaigns } from '../../src/actions/continue-campaigns.ts'
import { systemPrincipal } from '../../src/core/authorization.ts'
import type { SecretAlgorithm } from '../../src/core/secret.ts'
import { createSamples } from '../../src/storage/suite/samples-suite.ts'
import { createTestApi, type TestApi } from './test-api.ts'

/** An API, and the server's own work at it, whose time and steps the test takes by hand. */
export interface Fleet extends TestApi {
  context(): ActionContext
  /** Projects with endpoints that have one secret each; returns the endpoints' ids by project. */
  add(size: {
    projects: number
    endpointsEach: number
    algorithm?: SecretAlgorithm
    format?: string
  }): Promise<Map<string, string[]>>
  begin(body: object): Promise<string>
  /** Does what is to be done now; returns how many endpoints were rotated by it. */
  work(campaign: string): Promise<number>
  read(campaign: string): Promise<Record<string, never> & { status: string }>
}

export async function createFleet(settings: Partial<ActionParts['settings']> = {}): Promise<Fleet> {
  let parts: ActionParts | null = null
  const server = await createTestApi({
    changeParts(made) {
      parts = { ...made, settings: { ...made.settings, ...settings } }
      return parts
    },
  })
  const context = (): ActionContext => {
    assert.ok(parts)
    return {
      ...parts,
      principal: systemPrincipal,
      requestId: null,
      sourceAddress: null,
      transact: (work) => server.storage.transact(work),
      keepsAnswer: false,
    }
  }
  const samples = createSamples(server)
  const read: Fleet['read'] = async (id) =>
    (await server.call('GET', `/v1/rotation-campaigns/${id}`)).body
  return Object.assign(server, {
    context,
    read,
    async add(size: Parameters<Fleet['add']>[0]) {
      const fleet = new Map<string, string[]>()
      for (let count = 0; count < size.projects; count += 1) {
        const project = samples.project()
        const endpoints = Array.from({ length: size.endpointsEach }, () =>
          samples.endpoint(project.id, { format: size.format ?? 'standard' }),
        )
        await server.storage.transact(async (tx) => {
          await tx.insertProject(project)
          for (const endpoint of endpoints) {
            await tx.insertEndpoint(endpoint)
            const algorithm = size.algorithm ?? 'hmac-sha256'
            await tx.insertSecret(samples.secret(endpoint, { algorithm }))
          }
        })
        fleet.set(
          project.id,
          endpoints.map(({ id }) => id),
        )
      }
      return fleet
    },
    async begin(body: object) {
      const reply = await server.call('POST', '/v1/rotation-campaigns', { body })
      assert.equal(reply.status, 201, reply.text)
      return reply.body.id
    },
    async work(campaign: string) {
      const count = async () => (await server.storage.campaignProgress(campaign, 0)).states.rotated
      const before = await count()
      while (await continueCampaigns(context()));
      return (await count()) - before
    },
  }) as Fleet
}
