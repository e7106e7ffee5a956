import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Countersign } from '@countersign/sdk'
import { findPostgres, noPostgres } from '../support/postgres-server.ts'
import { type Publisher, startPublisher } from '../support/publisher.ts'
import { startReceiver } from '../support/receiver.ts'
import { startNodes, type TestNodes } from '../support/start-nodes.ts'
import { until } from '../support/until.ts'

const roundsMax = process.env.COUNTERSIGN_TEST_LONG ? 1_000 : 30
const cacheTtlMs = 200
const eventsPerNode = 3
/** Which ends at once what was signed by before. */
const roundsPerCut = 4

/**
 * Goal: what is signed after a rotation has answered carries the new signature, on whatever node.
 * Method: two nodes under load, so that each knows the endpoint well; what is published after the
 * answer is signed after it. Every third round no node hears of the change by a notification.
 */
test('every request signed after the answer carries the new signature, by any node', async (t) => {
  if (findPostgres() === null) return t.skip(noPostgres)
  const environment = { COUNTERSIGN_SECRET_CACHE_TTL: `${cacheTtlMs}ms` }
  const cluster = await startNodes({ count: 2, environment })
  const receiver = await startReceiver()
  const publishers: Publisher[] = []
  t.after(async () => {
    await Promise.all(publishers.map((publisher) => publisher.stop()))
    await cluster.dispose()
    await receiver.close()
  })
  const clients = cluster.nodes.map(({ client }) => client)
  const [first, second] = clients
  assert.ok(first && second)
  const { id: project } = await first.projects.create({ name: 'freshness' })
  const endpoint = await first.endpoints.create(project, { url: receiver.url })
  for (const [n, client] of clients.entries()) {
    const load = { type: 'load.test', perSecond: 20, idPrefix: `load-${n}` }
    publishers.push(startPublisher({ client, project, ...load }))
  }

  /** Of each event, in which round it was published. */
  const sentAfter = new Map<string, number>()
  const secretIds: string[] = []
  for (let round = 0; round < roundsMax; round++) {
    if (round % 3 === 0) await cutListeners(cluster)
    const rotating = [first, second][round % 2] ?? first
    const askedAt = performance.now()
    const { secretId } = await rotating.endpoints.rotateSecret(project, endpoint.id, {
      expireCurrentIn: round % roundsPerCut === 0 ? 0 : 60,
      force: true,
    })
    assert.ok(performance.now() - askedAt >= cacheTtlMs, 'the answer waits for the other node')
    secretIds.push(secretId)
    await Promise.all(
      clients.flatMap((client, n) =>
        Array.from({ length: eventsPerNode }, async (_, k) => {
          const id = `after-${round}-${n}-${k}`
          sentAfter.set(id, round)
          await publish(client, project, id)
        }),
      ),
    )
  }
  await Promise.all(publishers.map((publisher) => publisher.stop()))
  await until('all that was published after an answer is delivered', () =>
    [...sentAfter.keys()].every((id) => receiver.deliveredIds.has(id)),
  )
  const stale = receiver.received
    .map(({ id, headers }) => [id, String(headers['webhook-secret-ids'])] as const)
    .filter(([id, signedBy]) => isStale(sentAfter.get(id), signedBy, secretIds))
  assert.deepEqual(stale, [], 'none was signed without the new secret')
  t.diagnostic(`${receiver.received.length} requests in ${roundsMax} rotations`)
})

/**
 * Whether the secret of the event's round is not among those that signed it. On a slow machine some
 * are signed rounds later: by a cut, that secret may have ended by then.
 */
function isStale(round: number | undefined, signedBy: string, secretIds: readonly string[]) {
  if (round === undefined) return false
  const rounds = signedBy.split(',').map((id) => secretIds.indexOf(id))
  const nextCut = (Math.floor(round / roundsPerCut) + 1) * roundsPerCut
  return !rounds.includes(round) && Math.max(...rounds) < nextCut
}

const publish = (client: Countersign, project: string, id: string) =>
  client.events.publish(project, { id, type: 'load.test', data: {} })

/** Ends the connections that hear of changes; they are made anew, but not at once. */
async function cutListeners({ query }: TestNodes): Promise<void> {
  await query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and query ilike 'listen %'`,
  )
}
