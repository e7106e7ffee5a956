import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { limits } from '../../src/core/limits.ts'
import { leadAskedEveryMs } from '../../src/lead.ts'
import { nodeEnvironment } from '../support/node-environment.ts'
import { findPostgres, noPostgres } from '../support/postgres-server.ts'
import { startReceiver } from '../support/receiver.ts'
import { startNodes } from '../support/start-nodes.ts'
import { startServerProcess } from '../support/start-server-process.ts'
import { until } from '../support/until.ts'

const skip = findPostgres() === null && noPostgres
/** For a busy machine, beyond what is promised. */
const marginMs = 15_000
const takeoverMsMax = limits.leadMs + leadAskedEveryMs
const endpointCount = 6

// Both wait for leases to run out, so they wait side by side.
describe('the lead', { concurrency: true }, () => {
  test('what one node does for all goes on when that one is killed', { skip }, async (t) => {
    const cluster = await startNodes({ count: 0 })
    const receiver = await startReceiver()
    const environment = {
      ...nodeEnvironment(cluster.databaseUrl),
      COUNTERSIGN_PUBLIC_URL: 'https://hooks.example',
      COUNTERSIGN_LOG_LEVEL: 'warn',
    }
    // The first to start leads.
    const leader = await startServerProcess(environment)
    const other = await startServerProcess(environment)
    t.after(async () => {
      await Promise.all([leader.dispose(), other.dispose()])
      await cluster.dispose()
      await receiver.close()
    })
    const { client } = other
    const { id: project } = await client.projects.create({ name: 'lead' })
    await client.endpoints.create(project, {
      url: receiver.url,
      eventTypes: ['endpoint.secret.expired'],
    })
    const add = () => client.endpoints.create(project, { url: receiver.url, eventTypes: ['never'] })
    const expiring = await add()
    for (let count = 1; count < endpointCount; count++) await add()
    const call = async (method: string, path: string, body?: object) => {
      const headers = {
        authorization: `Bearer ${other.rootKey}`,
        'content-type': 'application/json',
      }
      const init = body === undefined ? { headers } : { headers, body: JSON.stringify(body) }
      const response = await fetch(`${other.url}/v1${path}`, { method, ...init })
      assert.ok(response.ok, String(response.status))
      return (await response.json()) as { id: string; endpoints: { rotated: number } }
    }
    const endpoints = await client.endpoints.list(project).page()
    const campaign = await call('POST', '/rotation-campaigns', {
      per_minute: 20,
      deliver: 'claim_link',
      filter: {
        endpoint_ids: endpoints.data.map(({ id }) => id).filter((id) => id !== expiring.id),
      },
    })
    const rotated = async () =>
      (await call('GET', `/rotation-campaigns/${campaign.id}`)).endpoints.rotated
    await until('the leader has begun the campaign', async () => (await rotated()) > 0)
    await client.endpoints.rotateSecret(project, expiring.id, { expireCurrentIn: 1 })
    await leader.kill()
    const before = await rotated()
    const [led] = await cluster.query('select node_id from leads')

    const killedAt = performance.now()
    await until(
      'the campaign goes on, and the expiry is announced',
      async () => receiver.received.length > 0 && (await rotated()) > before,
      takeoverMsMax + marginMs,
    )
    t.diagnostic(`the other one went on after ${Math.round(performance.now() - killedAt)} ms`)
    assert.equal(receiver.received.length, 1)
    const [leads] = await cluster.query('select node_id from leads')
    assert.notEqual(leads?.node_id, led?.node_id)
  })

  test('a leader finds what another node appointed, though no word of it came', {
    skip,
  }, async (t) => {
    const cluster = await startNodes({ count: 1 })
    const receiver = await startReceiver()
    t.after(async () => {
      await cluster.dispose()
      await receiver.close()
    })
    const client = cluster.nodes[0]?.client
    assert.ok(client)
    const { id: project } = await client.projects.create({ name: 'word' })
    await client.endpoints.create(project, {
      url: receiver.url,
      eventTypes: ['endpoint.secret.expired'],
    })
    const { id } = await client.endpoints.create(project, {
      url: receiver.url,
      eventTypes: ['never'],
    })
    // The node sees an empty calendar when it wakes for the expiry, and an hour later what was in it.
    await client.endpoints.rotateSecret(project, id, { expireCurrentIn: 3 })
    await cluster.query('create table hidden as select * from announcements')
    await cluster.query('delete from announcements')
    const [expiry] = await cluster.query('select max(at)::float8 as at from hidden')
    await until('the expiry is over', () => Date.now() > Number(expiry?.at) + 1_000)
    assert.equal(receiver.received.length, 0)
    await cluster.query('insert into announcements select * from hidden')
    await until('it is announced', () => receiver.received.length > 0, 2 * limits.leadMs + marginMs)
  })
})
