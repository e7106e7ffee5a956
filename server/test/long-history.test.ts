import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fillerOf } from '../../bench/filler.ts'
import { isId } from '../src/core/ids.ts'
import { checkInvariants } from './support/check-invariants.ts'
import { startReceiver } from './support/receiver.ts'
import { startTestApp, type TestApp } from './support/start-test-app.ts'
import { until } from './support/until.ts'

const historyCount = 40_000
const dayMs = 86_400_000
/** Whoever reads the history from end to end reads a hundred times as much as is wanted. */
const slowerMax = 8
/** On an idle machine a second or two. */
const removalMsMax = 90_000

/** The short form of `npm run bench -- --history`. */
test('a long history slows nothing down, and what is too old is removed meanwhile', async (t) => {
  const receiver = await startReceiver()
  const servers: TestApp[] = []
  t.after(async () => {
    for (const server of servers) await server.dispose()
    await receiver.close()
  })
  const start = async () => {
    const server = await startTestApp()
    servers.push(server)
    const project = (await server.client.projects.create({ name: 'history' })).id
    await server.client.endpoints.create(project, { url: receiver.url })
    const subject = { server, project }
    await publish(subject, 100)
    await until('they are delivered', () => isIdle(server))
    return subject
  }
  const empty = await start()
  const full = await start()
  const now = full.server.clock.now()
  await keepOneForLonger(full.server)
  await full.server.app.stop(5_000)
  const filler = fillerOf(full.server)
  const filling = { type: 'a.b', status: 'delivered', count: historyCount } as const
  await filler.fill({ ...filling, fromAt: now - 120 * dayMs, untilAt: now - dayMs })
  await checkInvariants(full.server.store)
  await full.server.restart()
  const filled = await full.server.client.deliveries
    .list(full.project, { limit: 100, until: new Date(now - dayMs).toISOString() })
    .page()
  assert.equal(filled.data.length, 100)
  assert.ok(filled.data.every(({ id }) => isId('dlv', id)))

  for (const [name, work] of Object.entries(works)) {
    const emptyMs = await fastest(() => work(empty))
    const fullMs = await fastest(() => work(full))
    assert.ok(fullMs <= slowerMax * (emptyMs + 1), `${name}: ${emptyMs} → ${fullMs} ms`)
  }
  await until('all is delivered', () => isIdle(full.server))
  // Retention began with the start; a quarter of what was put in is older than 90 days.
  const removedMin = 1_000
  const areRemoved = async () => {
    // To count is work for the store as well.
    await sleep(200)
    const oldCount = await filler.countEventsBefore(now - 90 * dayMs)
    return oldCount <= historyCount / 4 - removedMin
  }
  await until('old ones are removed', areRemoved, removalMsMax)
  const young =
    (await filler.countEventsBefore(now)) - (await filler.countEventsBefore(now - 89 * dayMs))
  assert.ok(young >= historyCount * 0.74, 'only old ones are')
  await full.server.app.stop(5_000)
  await checkInvariants(full.server.store)
})

interface Subject {
  server: TestApp
  project: string
}

/**
 * In another project, for longer than the first one keeps its history: so no store can drop a stretch
 * of time as a whole.
 */
async function keepOneForLonger({ client }: TestApp): Promise<void> {
  const { id } = await client.projects.create({
    name: 'kept for longer',
    settings: { retentionDays: 365 },
  })
  await client.events.publish(id, { type: 'a.b', data: {} })
}

const works: Record<string, (subject: Subject) => Promise<unknown>> = {
  'list deliveries': ({ server, project }) =>
    server.client.deliveries.list(project, { limit: 100 }).page(),
  'list those that failed': ({ server, project }) =>
    server.client.deliveries.list(project, { limit: 100, status: 'failed' }).page(),
  'list those of a type': ({ server, project }) =>
    server.client.deliveries.list(project, { limit: 100, eventType: 'a.b' }).page(),
  'list pending ones': ({ server, project }) =>
    server.client.deliveries.list(project, { limit: 100, status: 'pending' }).page(),
  'list events': ({ server, project }) => server.client.events.list(project, { limit: 100 }).page(),
  publish: (subject) => publish(subject, 20),
  async 'retry what is delivered'({ server, project }) {
    const { data } = await server.client.deliveries.list(project, { limit: 1 }).page()
    await server.client.deliveries.retry(project, data[0]?.id ?? '')
  },
}

async function publish({ server, project }: Subject, count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, n) => ({ type: 'a.b', data: { n } }))
  await server.client.events.publishBatch(project, events)
}

/** Of several, because others use the machine as well. */
async function fastest(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let call = 0; call < 15; call++) {
    const startedAt = performance.now()
    await work()
    times.push(performance.now() - startedAt)
  }
  return Math.min(...times)
}

function isIdle({ store }: TestApp): Promise<boolean> {
  return store.read(async (select) => {
    const rows = await select(`select 1 from deliveries where status = 'pending' limit 1`)
    return rows.length === 0
  })
}
