import type { BenchContext } from './bench-context.ts'
import { startCpuMeter } from './cpu-meter.ts'
import { fillHistory } from './fill-history.ts'
import { fullLoad, loadType, measureDelivery } from './measure-delivery.ts'
import { manyConnections } from './measure-rounds.ts'
import { createDataDir, createTarget, startProduct, type Target } from './product.ts'
import { type Attempted, type MeasuredRun, quietRun } from './quiet-run.ts'

/** Milliseconds from the start of a process to the first event that it accepts. */
export interface StartRun extends MeasuredRun {
  empty: number
  full: number
}

interface Store {
  path: string
  target: Target
}

const historyMs = 30 * 86_400_000
const warmUpCount = 1_000

/** A store with hardly anything in it beside one with `mode.historyCount` finished deliveries. */
export async function measureStarts(context: BenchContext): Promise<Attempted<StartRun>[]> {
  const { mode, progress } = context
  using emptyDir = await createDataDir()
  using fullDir = await createDataDir()
  const empty = await prepareStore(context, emptyDir.path)
  const full = await prepareStore(context, fullDir.path)
  progress(`filling a store with ${mode.historyCount} finished deliveries`)
  const now = Date.now()
  fillHistory(full.path, {
    type: loadType,
    count: mode.historyCount,
    status: 'delivered',
    fromAt: now - historyMs,
    untilAt: now,
  })
  const runs: Attempted<StartRun>[] = []
  for (let round = 1; round <= mode.rounds; round++) {
    const name = `round ${round} of ${mode.rounds}`
    const attempted = await quietRun(context, name, () => measureBoth(context, { empty, full }))
    progress(`  ${attempted.run.empty.toFixed(0)}, ${attempted.run.full.toFixed(0)} ms`)
    runs.push(attempted)
  }
  return runs
}

async function measureBoth(
  context: BenchContext,
  { empty, full }: { empty: Store; full: Store },
): Promise<StartRun> {
  // Both have ended when the meter stops: what they used is the harness's then.
  const meter = startCpuMeter({})
  return {
    empty: await measureStart(context, empty),
    full: await measureStart(context, full),
    cpu: meter.finish(),
    failure: null,
  }
}

/** A store that has delivered a few, so that there is something to copy. */
async function prepareStore(context: BenchContext, path: string): Promise<Store> {
  const { mode, programs, receiver, entry } = context
  await using product = await startProduct({ entry, concurrency: manyConnections, dataDir: path })
  const url = `http://127.0.0.1:${receiver.port}/`
  const target = await createTarget(product, [{ url, eventTypes: [loadType] }])
  const traffic = { count: warmUpCount, timeMaxMs: mode.loadMsMax, connections: manyConnections }
  const stage = { programs, receiver, product, target }
  const run = await measureDelivery(stage, fullLoad(traffic), mode.drainMsMax)
  if (run.failure !== null) throw new Error(`warm-up: ${run.failure}`)
  return { path, target }
}

async function measureStart({ entry }: BenchContext, { path, target }: Store): Promise<number> {
  const startedAt = performance.now()
  await using product = await startProduct({ entry, concurrency: manyConnections, dataDir: path })
  await product.call('POST', target.eventsPath, { type: loadType, data: {} })
  return performance.now() - startedAt
}
