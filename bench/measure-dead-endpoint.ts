import type { BenchContext } from './bench-context.ts'
import { shareLost } from './figures.ts'
import { type DeliveryRun, fullLoad, measureDelivery, type Stage } from './measure-delivery.ts'
import { manyConnections } from './measure-rounds.ts'
import type { MeasuredRun } from './quiet-run.ts'
import { runLoad } from './run-load.ts'
import { withProduct } from './with-product.ts'

/** A healthy endpoint's rate by itself, then beside a dead one with a backlog. */
export interface DeadEndpointRun extends MeasuredRun {
  alone: DeliveryRun
  beside: DeliveryRun
  shareLost: number
}

/**
 * Nothing listens on port 1, and it lies below the ports given to outgoing connections: to one of
 * those a busy sender sooner or later connects to itself.
 */
export const deadUrl = 'http://127.0.0.1:1/'
export const deadType = 'bench.dead'
/** Keeps the backlog coming due for the whole run; the default would sleep after the first retry. */
export const retrySchedule = Array.from({ length: 20 }, () => '5s').join(',')
const publishMsMax = 60_000

export function measureDeadEndpoint(context: BenchContext): Promise<DeadEndpointRun> {
  return withProduct(
    context,
    {
      connections: manyConnections,
      otherEndpoints: [{ url: deadUrl, eventTypes: [deadType] }],
      environment: { COUNTERSIGN_RETRY_SCHEDULE: retrySchedule },
    },
    async (stage) => {
      const alone = await measureHealthy(context, stage)
      await fillBacklog(context, stage)
      const beside = await measureHealthy(context, stage)
      const foreignCores = Math.max(alone.cpu.foreignCores ?? 0, beside.cpu.foreignCores ?? 0)
      return {
        alone,
        beside,
        shareLost: shareLost(alone.rate, beside.rate),
        cpu: { foreignCores },
        failure: alone.failure ?? beside.failure,
      }
    },
  )
}

function measureHealthy({ mode }: BenchContext, stage: Stage): Promise<DeliveryRun> {
  return measureDelivery(
    stage,
    fullLoad({
      count: mode.events,
      timeMaxMs: mode.loadMsMax,
      connections: manyConnections,
    }),
    mode.drainMsMax,
  )
}

/** Publishes what the dead endpoint is to get; throws where not all of it is accepted. */
export async function fillBacklog({ mode }: BenchContext, stage: Stage): Promise<void> {
  await using load = runLoad(stage.programs, {
    port: stage.product.port,
    path: stage.target.eventsPath,
    key: stage.target.key,
    type: deadType,
    connections: manyConnections,
    count: mode.deadPending,
    timeMaxMs: publishMsMax,
    rate: 0,
  })
  const { accepted } = await load.result
  if (accepted < mode.deadPending) {
    throw new Error(`only ${accepted} of ${mode.deadPending} events for the dead endpoint accepted`)
  }
}
