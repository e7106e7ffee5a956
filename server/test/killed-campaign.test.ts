import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startServerProcess } from './support/start-server-process.ts'
import { isOnPostgres } from './support/test-database.ts'
import { until } from './support/until.ts'

const isLong = process.env.COUNTERSIGN_TEST_LONG !== undefined
/** Beside a database a node has the lead for up to 20 s after its death, so that it dies once. */
const [endpointCount, kills] = isOnPostgres
  ? [isLong ? 120 : 36, isLong ? 4 : 1]
  : [isLong ? 3_000 : 300, 4]
const resumedMsMax = 60_000

/**
 * Goal: a campaign survives restarts, and rotates each endpoint exactly once. Method: a real
 * process is killed several times in the middle of it and started again; then every endpoint is
 * asked for its rotations, and the campaign for its own view of them.
 */
test('a campaign goes on after SIGKILL and rotates each endpoint once', async (t) => {
  const server = await startServerProcess({
    COUNTERSIGN_LOG_LEVEL: 'warn',
    COUNTERSIGN_PUBLIC_URL: 'https://hooks.example',
    COUNTERSIGN_ALLOW_HTTP: 'true',
    COUNTERSIGN_ALLOWED_NETWORKS: '127.0.0.0/8',
  })
  t.after(() => server.dispose())
  const { client } = server
  const call = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${server.url}/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${server.rootKey}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    // biome-ignore lint/suspicious/noExplicitAny: answers of several shapes.
    const answer = (await response.json()) as any
    assert.ok(response.ok, JSON.stringify(answer))
    return answer
  }
  const endpoints: { project: string; id: string; secretId: string }[] = []
  for (let count = 0; count < 3; count += 1) {
    const project = (await client.projects.create({ name: 'Fleet' })).id
    for (let each = 0; each < endpointCount / 3; each += 1) {
      const { id, secretId } = await client.endpoints.create(project, {
        url: 'http://127.0.0.1:9/',
      })
      endpoints.push({ project, id, secretId })
    }
  }
  const { id } = await call('POST', '/rotation-campaigns', {
    per_minute: 6_000,
    deliver: 'claim_link',
  })
  const rotated = async () => (await call('GET', `/rotation-campaigns/${id}`)).endpoints.rotated
  const seen: number[] = []
  for (let kill = 1; kill <= kills; kill += 1) {
    const goal = (endpointCount / (kills + 1)) * kill
    await until('some more are rotated', async () => (await rotated()) >= goal, resumedMsMax)
    await server.kill()
    await server.start()
    seen.push(await rotated())
  }
  assert.ok(
    seen.some((count) => count < endpointCount),
    `killed in the middle: ${seen}`,
  )
  const isOver = async () => (await call('GET', `/rotation-campaigns/${id}`)).status === 'completed'
  await until('the campaign is over', isOver, resumedMsMax)
  t.diagnostic(`rotated when it was back after each kill: ${seen.join(', ')}`)
  const campaign = await call('GET', `/rotation-campaigns/${id}`)
  assert.equal(campaign.endpoints.rotated, endpointCount)
  assert.equal(campaign.rotations.unclaimed, endpointCount)
  for (const endpoint of endpoints) {
    const { data } = await client.rotations.list(endpoint.project, endpoint.id).page()
    assert.equal(data.length, 1, `${endpoint.id} has ${data.length} rotations`)
    assert.equal(data[0]?.previousSecretId, endpoint.secretId)
  }
})
