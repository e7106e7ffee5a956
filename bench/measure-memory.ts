import type { BenchContext } from './bench-context.ts'
import { deadUrl, retrySchedule } from './measure-dead-endpoint.ts'
import { type DeliveryRun, fullLoad, measureDelivery } from './measure-delivery.ts'
import { publishTo, troubledType } from './measure-neighbours.ts'
import { manyConnections } from './measure-rounds.ts'
import { withProduct } from './with-product.ts'

/**
 * Resident memory at full load, while a dead endpoint and one that never answers have a backlog each
 * that is tried again and again.
 */
export function measureMemory(context: BenchContext): Promise<DeliveryRun> {
  const { mode, receiver } = context
  const urls = [deadUrl, `http://127.0.0.1:${receiver.port}/silent`]
  const parts = {
    connections: manyConnections,
    otherEndpoints: urls.map((url) => ({ url, eventTypes: [troubledType] })),
    environment: { COUNTERSIGN_RETRY_SCHEDULE: retrySchedule },
  }
  return withProduct(context, parts, async (stage) => {
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
