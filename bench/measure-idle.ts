import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchContext } from './bench-context.ts'
import { residentBytes, startCpuMeter } from './cpu-meter.ts'
import { manyConnections } from './measure-rounds.ts'
import type { MeasuredRun } from './quiet-run.ts'
import { withProduct } from './with-product.ts'

/** What a server costs that has worked and now has nothing to do. Null where it cannot be seen. */
export interface IdleRun extends MeasuredRun {
  cores: number | null
  residentBytes: number
}

/** For garbage collection, checkpoints and idle connections to end. */
const settleMs = 5_000

export function measureIdle(context: BenchContext): Promise<IdleRun> {
  return withProduct(context, { connections: manyConnections }, async ({ product }) => {
    await sleep(settleMs)
    const meter = startCpuMeter(product.processes)
    await sleep(context.mode.idleMs)
    const cpu = meter.finish()
    product.assertAlive()
    const { server } = cpu.usByProcess
    return {
      cpu,
      failure: null,
      cores: server === undefined ? null : server / (cpu.elapsedMs * 1000),
      residentBytes: residentBytes(product.pid),
    }
  })
}
