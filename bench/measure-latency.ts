import type { BenchContext } from './bench-context.ts'
import { type DeliveryRun, loadType, measureDelivery } from './measure-delivery.ts'
import { manyConnections } from './measure-rounds.ts'
import { withProduct } from './with-product.ts'

const eventsPerSecond = 100
/** Plenty at 100 events a second; an event that finds none free is counted from its due time. */
const publishConnections = 8
const slackMs = 5_000

/**
 * From publish to arrival at 100 events a second. The stamp is the time at which the publish was
 * due, before the server accepted it: an upper bound of what "accepted → received" means.
 */
export function measureLatency(context: BenchContext): Promise<DeliveryRun> {
  const count = context.mode.latencyEvents
  return withProduct(context, { connections: manyConnections }, (stage) =>
    measureDelivery(
      stage,
      {
        count,
        timeMaxMs: (count / eventsPerSecond) * 1000 + slackMs,
        connections: publishConnections,
        rate: eventsPerSecond,
        type: loadType,
      },
      context.mode.drainMsMax,
    ),
  )
}
