import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchContext } from './bench-context.ts'
import { startCpuMeter } from './cpu-meter.ts'
import { arrivalRate, percentile } from './figures.ts'
import { type Filler, fillerOf } from './filler.ts'
import { deadType, deadUrl, fillBacklog, retrySchedule } from './measure-dead-endpoint.ts'
import {
  type DeliveryRun,
  fullLoad,
  loadType,
  measureDelivery,
  type Stage,
} from './measure-delivery.ts'
import { measureOrder, type OrderRun, orderType, startOrderReceiver } from './measure-order.ts'
import { manyConnections } from './measure-rounds.ts'
import { createTarget, type Product, startProduct, type Target } from './product.ts'
import { type BenchStore, createStore } from './store.ts'

/** What a store full of finished deliveries costs, beside an empty one in the same minutes. */
export interface HistoryRun {
  historyCount: number
  fillMs: number
  rounds: readonly { empty: StoreRun; full: StoreRun }[]
  retention: readonly RetentionRun[]
  dead: readonly DeadRun[]
}

/** One server, from its start. */
export interface StoreRun {
  /** Of deliveries that lay due in the store at the start, a second: claimed, sent and recorded. */
  claimRate: number
  publish: DeliveryRun
  /** Milliseconds of a call, the fastest tenth, by what was listed. */
  listMs: Record<string, number>
  foreignCores: number | null
}

/** One server: while it removes half of the history, then with nothing to remove. */
export interface RetentionRun {
  without: DeliveryRun
  during: DeliveryRun
  /** How many were removed meanwhile, and a second. */
  removedCount: number
  removedPerSecond: number
}

/**
 * A healthy endpoint by itself, beside a dead one with a backlog, and by itself again: its rate and
 * its order.
 */
export interface DeadRun {
  alone: DeliveryRun
  beside: DeliveryRun
  aloneAgain: DeliveryRun
  orderAlone: OrderRun
  orderBeside: OrderRun
}

interface Prepared {
  store: BenchStore
  filler: Filler
  target: Target
}

const dayMs = 86_400_000
/** What retention keeps in its runs; half of the history is older. */
const keptDays = 90
const keepAllDays = 3_650
const historyDays = 2 * keptDays
const warmUpCount = 5_000
const waitMsMax = 120_000
const pollMs = 50
const listCallsMax = 200
const lists = {
  deliveries: '/deliveries?limit=100',
  'delivered ones': '/deliveries?limit=100&status=delivered',
  'of one type': `/deliveries?limit=100&event_type=${loadType}`,
  events: '/events?limit=100',
}

export async function measureHistory(context: BenchContext): Promise<HistoryRun> {
  const { mode, postgres, progress } = context
  await using fullStore = await createStore(postgres)
  await using orderReceiver = await startOrderReceiver()
  const full = await prepare(context, fullStore, orderReceiver.url)
  progress(`filling a store with ${mode.historyCount} finished deliveries`)
  const startedAt = performance.now()
  const now = Date.now()
  await full.filler.fill({
    type: loadType,
    count: mode.historyCount,
    status: 'delivered',
    fromAt: now - historyDays * dayMs,
    untilAt: now - dayMs,
  })
  const fillMs = performance.now() - startedAt

  const rounds: HistoryRun['rounds'][number][] = []
  const retention: RetentionRun[] = []
  const dead: DeadRun[] = []
  for (let round = 1; round <= mode.rounds; round++) {
    progress(`round ${round} of ${mode.rounds}: an empty store, then the full one`)
    await using emptyStore = await createStore(postgres)
    const empty = await prepare(context, emptyStore, orderReceiver.url)
    rounds.push({
      empty: await measureStore(context, empty),
      full: await measureStore(context, full),
    })
    progress('  the full one, without and with something to remove')
    retention.push(await measureRetention(context, full))
    progress('  the full one, without and with a dead endpoint')
    dead.push(await measureDead(context, full, orderReceiver))
  }
  return { historyCount: mode.historyCount, fillMs, rounds, retention, dead }
}

/** A store that has delivered a few, so that there is something to copy and to list. */
async function prepare(
  context: BenchContext,
  store: BenchStore,
  orderUrl: string,
): Promise<Prepared> {
  const { mode, programs, receiver } = context
  await using product = await startProduct({
    entry: context.entry,
    concurrency: manyConnections,
    store,
  })
  const target = await createTarget(product, [
    { url: `http://127.0.0.1:${receiver.port}/`, eventTypes: [loadType] },
    { url: orderUrl, eventTypes: [orderType] },
  ])
  const traffic = { count: warmUpCount, timeMaxMs: mode.loadMsMax, connections: manyConnections }
  const stage = { programs, receiver, product, target }
  const run = await measureDelivery(stage, fullLoad(traffic), mode.drainMsMax)
  if (run.failure !== null) throw new Error(`warm-up: ${run.failure}`)
  await keepOneEvent(product)
  return { store, filler: fillerOf(store), target }
}

/**
 * In a project of its own, which keeps it for longer than others keep theirs: then no store can drop a
 * stretch of time as a whole, and retention is at its slowest.
 */
async function keepOneEvent(product: Product): Promise<void> {
  const { projectId } = await createTarget(product, [])
  const path = `/v1/projects/${projectId}/events`
  await product.call('POST', path, { type: loadType, data: {} })
}

async function withStore<T>(
  context: BenchContext,
  { store, target }: Prepared,
  environment: Record<string, string>,
  measure: (stage: Stage) => Promise<T>,
): Promise<T> {
  const { programs, receiver, entry } = context
  await using product = await startProduct({
    entry,
    concurrency: manyConnections,
    store,
    environment: { COUNTERSIGN_RETENTION_DAYS: String(keepAllDays), ...environment },
  })
  return await measure({ programs, receiver, product, target })
}

async function measureStore(context: BenchContext, store: Prepared): Promise<StoreRun> {
  const { mode, receiver } = context
  const now = Date.now()
  await store.filler.fill({
    type: loadType,
    count: mode.claimCount,
    status: 'pending',
    fromAt: now - 1_000,
    untilAt: now,
  })
  await receiver.reset()
  return withStore(context, store, {}, async (stage) => {
    const meter = startCpuMeter({ ...stage.product.processes, receiver: receiver.pid })
    const claimRate = await drainRate(stage, mode.claimCount)
    const { foreignCores } = meter.finish()
    const publish = await measureLoad(context, stage)
    const listMs: Record<string, number> = {}
    for (const [name, path] of Object.entries(lists)) listMs[name] = await timeCalls(stage, path)
    const foreign = Math.max(foreignCores ?? 0, publish.cpu.foreignCores ?? 0)
    return { claimRate, publish, listMs, foreignCores: foreignCores === null ? null : foreign }
  })
}

async function drainRate({ receiver, product }: Stage, count: number): Promise<number> {
  const deadline = performance.now() + waitMsMax
  for (;;) {
    const stats = await receiver.stats()
    if (stats.unique >= count) return arrivalRate(stats)
    product.assertAlive()
    if (performance.now() > deadline) throw new Error(`${stats.unique} of ${count} due were sent`)
    await sleep(pollMs)
  }
}

async function waitUntilNonePend({ product, target }: Stage, endpointId: string): Promise<void> {
  const path = `/v1/projects/${target.projectId}/deliveries?endpoint=${endpointId}&status=pending&limit=1`
  const deadline = performance.now() + waitMsMax
  for (;;) {
    const { data } = await product.call<{ data: unknown[] }>('GET', path)
    if (data.length === 0) return
    if (performance.now() > deadline)
      throw new Error('deliveries of a disabled endpoint still pend')
    await sleep(pollMs)
  }
}

async function timeCalls({ product, target }: Stage, path: string): Promise<number> {
  const times: number[] = []
  for (let call = 0; call < listCallsMax; call++) {
    const startedAt = performance.now()
    await product.call('GET', `/v1/projects/${target.projectId}${path}`)
    times.push(performance.now() - startedAt)
  }
  // The fastest ones: noise only ever slows down.
  return percentile(
    times.sort((a, b) => a - b),
    0.1,
  )
}

async function measureLoad({ mode }: BenchContext, stage: Stage): Promise<DeliveryRun> {
  const traffic = { count: mode.events, timeMaxMs: mode.loadMsMax, connections: manyConnections }
  const run = await measureDelivery(stage, fullLoad(traffic), mode.drainMsMax)
  if (run.failure !== null) throw new Error(run.failure)
  return run
}

async function measureRetention(context: BenchContext, store: Prepared): Promise<RetentionRun> {
  const before = Date.now() - keptDays * dayMs
  // Before the start, which is when retention begins.
  await store.filler.setRetention(store.target.projectId, keptDays)
  return withStore(context, store, {}, async (stage) => {
    await measureLoad(context, stage)
    const startedAt = performance.now()
    const countBefore = await store.filler.countEventsBefore(before)
    const during = await measureLoad(context, stage)
    const removedCount = countBefore - (await store.filler.countEventsBefore(before))
    const removedPerSecond = removedCount / ((performance.now() - startedAt) / 1000)
    if (removedCount === 0) throw new Error('nothing was removed meanwhile')
    // Its next step finds nothing to do, and looks again in ten minutes.
    await stage.product.call('PATCH', `/v1/projects/${store.target.projectId}`, {
      settings: { retention_days: keepAllDays },
    })
    const without = await measureLoad(context, stage)
    return { without, during, removedCount, removedPerSecond }
  })
}

async function measureDead(
  context: BenchContext,
  store: Prepared,
  orderReceiver: Parameters<typeof measureOrder>[1],
): Promise<DeadRun> {
  const environment = { COUNTERSIGN_RETRY_SCHEDULE: retrySchedule }
  return withStore(context, store, environment, async (stage) => {
    const endpoints = `/v1/projects/${store.target.projectId}/endpoints`
    await measureLoad(context, stage)
    const alone = await measureLoad(context, stage)
    const orderAlone = await measureOrder(stage, orderReceiver)
    const { id } = await stage.product.call<{ id: string }>('POST', endpoints, {
      url: deadUrl,
      event_types: [deadType],
    })
    await fillBacklog(context, stage)
    const beside = await measureLoad(context, stage)
    const orderBeside = await measureOrder(stage, orderReceiver)
    // Disabled, what is pending ends as skipped: what follows is measured without it.
    await stage.product.call('PATCH', `${endpoints}/${id}`, { state: 'disabled' })
    await waitUntilNonePend(stage, id)
    const aloneAgain = await measureLoad(context, stage)
    return { alone, beside, aloneAgain, orderAlone, orderBeside }
  })
}
