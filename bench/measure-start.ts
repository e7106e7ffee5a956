import type { BenchContext } from './bench-context.ts'
import { buildEntry } from './build-entry.ts'
import { startCpuMeter } from './cpu-meter.ts'
import { fillerOf } from './filler.ts'
import { fullLoad, loadType, measureDelivery } from './measure-delivery.ts'
import { manyConnections } from './measure-rounds.ts'
import { createTarget, productEntry, startProduct, type Target } from './product.ts'
import { type Attempted, type MeasuredRun, quietRun } from './quiet-run.ts'
import { type BenchStore, createStore } from './store.ts'

/** Milliseconds from the start of a process to the first event that it accepts. */
export interface StartRun extends MeasuredRun {
  empty: number
  full: number
  /** The full store, by the server as it is installed: compiled. */
  installed: number
}

interface Prepared {
  store: BenchStore
  target: Target
}

const historyMs = 30 * 86_400_000
const warmUpCount = 1_000

/** A store with hardly anything in it beside one with `mode.historyCount` finished deliveries. */
export async function measureStarts(context: BenchContext): Promise<Attempted<StartRun>[]> {
  const { mode, postgres, progress } = context
  await using emptyStore = await createStore(postgres)
  await using fullStore = await createStore(postgres)
  const empty = await prepare(context, emptyStore)
  const full = await prepare(context, fullStore)
  progress(`filling a store with ${mode.historyCount} finished deliveries`)
  const now = Date.now()
  await fillerOf(fullStore).fill({
    type: loadType,
    count: mode.historyCount,
    status: 'delivered',
    fromAt: now - historyMs,
    untilAt: now,
  })
  const installedEntry = context.entry === productEntry ? await buildEntry() : context.entry
  const stores = { empty, full, installedEntry }
  const runs: Attempted<StartRun>[] = []
  for (let round = 1; round <= mode.rounds; round++) {
    const name = `round ${round} of ${mode.rounds}`
    const attempted = await quietRun(context, name, () => measureEach(context, stores))
    const { run } = attempted
    const times = [run.empty, run.full, run.installed]
    progress(`  ${times.map((ms) => ms.toFixed(0)).join(', ')} ms`)
    runs.push(attempted)
  }
  return runs
}

async function measureEach(
  context: BenchContext,
  stores: { empty: Prepared; full: Prepared; installedEntry: string },
): Promise<StartRun> {
  const { empty, full, installedEntry } = stores
  // The servers have ended when the meter stops: what they used is the harness's then.
  const { databasePid } = empty.store
  const meter = startCpuMeter(databasePid === null ? {} : { database: databasePid })
  return {
    empty: await measureStart(context.entry, empty),
    full: await measureStart(context.entry, full),
    installed: await measureStart(installedEntry, full),
    cpu: meter.finish(),
    failure: null,
  }
}

/** A store that has delivered a few, so that there is something to copy. */
async function prepare(context: BenchContext, store: BenchStore): Promise<Prepared> {
  const { mode, programs, receiver, entry } = context
  await using product = await startProduct({ entry, concurrency: manyConnections, store })
  const url = `http://127.0.0.1:${receiver.port}/`
  const target = await createTarget(product, [{ url, eventTypes: [loadType] }])
  const traffic = { count: warmUpCount, timeMaxMs: mode.loadMsMax, connections: manyConnections }
  const stage = { programs, receiver, product, target }
  const run = await measureDelivery(stage, fullLoad(traffic), mode.drainMsMax)
  if (run.failure !== null) throw new Error(`warm-up: ${run.failure}`)
  return { store, target }
}

async function measureStart(entry: string, { store, target }: Prepared): Promise<number> {
  const startedAt = performance.now()
  await using product = await startProduct({ entry, concurrency: manyConnections, store })
  await product.call('POST', target.eventsPath, { type: loadType, data: {} })
  return performance.now() - startedAt
}
