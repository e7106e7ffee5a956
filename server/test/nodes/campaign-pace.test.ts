import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findPostgres, noPostgres } from '../support/postgres-server.ts'
import { startNodes } from '../support/start-nodes.ts'
import { until } from '../support/until.ts'

const skip = findPostgres() === null && noPostgres
const endpointCount = 60
const perMinute = 600
/** At its pace it takes 6 s. With one rotation for each time that a node may act on what it knows, 60. */
const msMax = 30_000

test('a campaign keeps its pace beside nodes that may act on what they know for a second', {
  skip,
}, async (t) => {
  const cluster = await startNodes({
    count: 2,
    environment: {
      COUNTERSIGN_SECRET_CACHE_TTL: '1s',
      COUNTERSIGN_PUBLIC_URL: 'https://hooks.example',
    },
  })
  t.after(() => cluster.dispose())
  const [node] = cluster.nodes
  assert.ok(node)
  const { client } = node
  const { id: project } = await client.projects.create({ name: 'fleet' })
  const create = () => client.endpoints.create(project, { url: 'http://127.0.0.1:9/' })
  await Promise.all(Array.from({ length: endpointCount }, create))
  const beganAt = performance.now()
  const { id } = await client.campaigns.create({ perMinute, deliver: 'claim_link' })
  const progress = async () => (await client.campaigns.get(id)).endpoints
  await until(
    'every endpoint is rotated',
    async () => (await progress()).rotated === endpointCount,
    msMax,
  )
  t.diagnostic(`${endpointCount} endpoints in ${Math.round(performance.now() - beganAt)} ms`)
})
