import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchContext } from './bench-context.ts'
import { buildEntry } from './build-entry.ts'
import { residentBytes, startCpuMeter } from './cpu-meter.ts'
import { manyConnections } from './measure-rounds.ts'
import { type Product, productEntry, startProduct } from './product.ts'
import type { MeasuredRun } from './quiet-run.ts'
import { withProduct } from './with-product.ts'

/** What a server costs that has nothing to do. Null where it cannot be seen. */
export interface IdleRun extends MeasuredRun {
  cores: number | null
  residentBytes: number
}

/**
 * For checkpoints and idle connections to end, and for V8, which looks for garbage once more half a
 * minute after the last work: that costs a quarter of a second of CPU, once.
 */
const settleMs = 45_000

/** After a load, of the server that is measured: as a rule from the sources. */
export function measureIdle(context: BenchContext): Promise<IdleRun> {
  return withProduct(context, { connections: manyConnections }, ({ product }) => {
    return observeIdle(product, context.mode.idleMs)
  })
}

/** As it is installed: compiled, with the default number of connections, after its start. */
export async function measureInstalledIdle(context: BenchContext): Promise<IdleRun> {
  const isOurs = context.entry === productEntry
  await using product = await startProduct({
    entry: isOurs ? await buildEntry() : context.entry,
    concurrency: null,
    postgres: context.postgres,
  })
  return await observeIdle(product, context.mode.idleMs)
}

async function observeIdle(product: Product, idleMs: number): Promise<IdleRun> {
  await sleep(settleMs)
  const meter = startCpuMeter(product.processes)
  await sleep(idleMs)
  const cpu = meter.finish()
  product.assertAlive()
  const { server } = cpu.usByProcess
  return {
    cpu,
    failure: null,
    cores: server === undefined ? null : server / (cpu.elapsedMs * 1000),
    residentBytes: residentBytes(product.pid),
  }
}
