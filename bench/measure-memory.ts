import type { BenchContext } from './bench-context.ts'
import { buildEntry } from './build-entry.ts'
import { deadUrl, retrySchedule } from './measure-dead-endpoint.ts'
import { type DeliveryRun, fullLoad, measureDelivery } from './measure-delivery.ts'
import { publishTo, troubledType } from './measure-neighbours.ts'
import { manyConnections } from './measure-rounds.ts'
import { productEntry } from './product.ts'
import { withProduct } from './with-product.ts'

/**
 * Resident memory of the server as it is installed, at full load, while a dead endpoint and one that
 * never answers have a backlog each that is tried again and again.
 */
export async function measureMemory(context: BenchContext): Promise<DeliveryRun> {
  const { mode, receiver } = context
  const entry = context.entry === productEntry ? await buildEntry() : context.entry
  const urls = [deadUrl, `http://127.0.0.1:${receiver.port}/silent`]
  const parts = {
    connections: manyConnections,
    otherEndpoints: urls.map((url) => ({ url, eventTypes: [troubledType] })),
    environment: { COUNTERSIGN_RETRY_SCHEDULE: retrySchedule },
  }
  return await withProduct({ ...context, entry }, parts, async (stage) => {
    await publishTo(stage, mode.deadPending)
    const load = { connections: manyConnections, timeMaxMs: mode.memoryLoadMsMax }
    const warmed = await measureDelivery(
      stage,
      fullLoad({ ...load, count: mode.warmUpEvents }),
      mode.drainMsMax,
    )
    if (warmed.failure !== null) return warmed
    return measureDelivery(stage, fullLoad({ ...load, count: mode.memoryEvents }), mode.drainMsMax)
  })
}
