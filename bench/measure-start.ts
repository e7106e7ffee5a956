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
  /** The full store, by the server as it is installed: compiled. Null where it is another server. */
  installed: number | null
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
  const installedEntry = context.entry === productEntry ? await buildEntry() : null
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
  const stores = { empty, full, installedEntry }
  const runs: Attempted<StartRun>[] = []
  for (let round = 1; round <= mode.rounds; round++) {
    const name = `round ${round} of ${mode.rounds}`
    const attempted = await quietRun(context, name, () => measureEach(context, stores, round))
    const { empty: emptyMs, full: fullMs, installed: installedMs } = attempted.run
    const times = [emptyMs, fullMs, installedMs].filter((ms) => ms !== null)
    progress(`  ${times.map((ms) => ms.toFixed(0)).join(', ')} ms`)
    runs.push(attempted)
  }
  return runs
}

/** Each in its turn, which moves on by one from round to round: who comes later finds files read. */
async function measureEach(
  context: BenchContext,
  stores: { empty: Prepared; full: Prepared; installedEntry: string | null },
  round: number,
): Promise<StartRun> {
  const { empty, full, installedEntry } = stores
  // The servers have ended when the meter stops: what they used is the harness's then.
  const { databasePid } = empty.store
  const meter = startCpuMeter(databasePid === null ? {} : { database: databasePid })
  const starts: { name: 'empty' | 'full' | 'installed'; entry: string; prepared: Prepared }[] = [
    { name: 'empty', entry: context.entry, prepared: empty },
    { name: 'full', entry: context.entry, prepared: full },
  ]
  if (installedEntry !== null) {
    starts.push({ name: 'installed', entry: installedEntry, prepared: full })
  }
  const first = round % starts.length
  const times = { empty: 0, full: 0, installed: null as number | null }
  for (const { name, entry, prepared } of [...starts.slice(first), ...starts.slice(0, first)]) {
    times[name] = await measureStart(entry, prepared)
  }
  return { ...times, cpu: meter.finish(), failure: null }
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
