import { setTimeout as sleep } from 'node:timers/promises'
import { type CpuUse, startCpuMeter } from './cpu-meter.ts'
import { arrivalRate, type Latency, lossOf } from './figures.ts'
import { startMemorySampler } from './memory-sampler.ts'
import type { Product, Target } from './product.ts'
import type { Programs } from './programs.ts'
import type { MeasuredRun } from './quiet-run.ts'
import { type LoadResult, runLoad } from './run-load.ts'
import type { Receiver, ReceiverStats } from './start-receiver.ts'

/** Everything that a measured delivery takes part in. */
export interface Stage {
  programs: Programs
  receiver: Receiver
  product: Product
  target: Target
  /** Endpoints that get each event; 1 where absent. 0: what is measured is how it is accepted. */
  fanOut?: number
}

/** What is published. It ends at whichever comes first, the count or the time. */
export interface Traffic {
  count: number
  timeMaxMs: number
  connections: number
  /** Publishes a second; 0 publishes as fast as the server accepts. */
  rate: number
  type: string
  /** Bytes of `data`; 1 KB where absent. */
  bytes?: number
  /** Events in one publish; 1 where absent. `count` counts publishes. */
  batch?: number
}

export interface DeliveryRun extends MeasuredRun {
  /**
   * Unique deliveries a second at the receiver, first to last arrival, drain included; accepted
   * events a second where there is no endpoint.
   */
  rate: number
  accepted: number
  unique: number
  /** Deliveries that came more than once: allowed ("at least once"), but worth seeing. */
  repeated: number
  lost: number
  acceptUs: Latency
  /** From publish to arrival. */
  arrivalUs: Latency
  cpu: CpuUse
  residentBytes: readonly number[]
}

/** As fast as the server accepts, on `connections` connections. */
export function fullLoad(bounds: Pick<Traffic, 'connections' | 'count' | 'timeMaxMs'>): Traffic {
  return { ...bounds, rate: 0, type: loadType }
}

/** The type every endpoint of a benchmark that should receive anything subscribes to. */
export const loadType = 'bench.load'

const pollMs = 100

/** Publishes, waits until everything arrived (at most `drainMaxMs`), and counts at the receiver. */
export async function measureDelivery(
  stage: Stage,
  traffic: Traffic,
  drainMaxMs: number,
): Promise<DeliveryRun> {
  const { programs, receiver, product, target, fanOut = 1 } = stage
  await receiver.reset()
  const meter = startCpuMeter({ ...product.processes, receiver: receiver.pid })
  const memory = startMemorySampler(product.pid)
  await using load = runLoad(programs, {
    ...traffic,
    port: product.port,
    path: target.eventsPath + ((traffic.batch ?? 1) > 1 ? '/batch' : ''),
    key: target.key,
  })
  try {
    const result = await load.result
    const expected = result.accepted * fanOut
    const stats = await waitForArrivals(stage, expected, drainMaxMs)
    const cpu = meter.finish({ load: load.pid })
    const lost = lossOf({ accepted: expected, unique: stats.unique })
    return {
      rate: fanOut === 0 ? acceptRate(result) : arrivalRate(stats),
      accepted: result.accepted,
      unique: stats.unique,
      repeated: stats.requests - stats.withoutId - stats.unique,
      lost,
      failure: failureOf(result, stats, lost),
      acceptUs: result.acceptUs,
      arrivalUs: await receiver.latency(),
      cpu,
      residentBytes: memory.finish(),
    }
  } catch (error) {
    product.assertAlive()
    throw error
  } finally {
    memory.finish()
  }
}

function acceptRate({ accepted, elapsedUs }: LoadResult): number {
  return elapsedUs > 0 ? (accepted * 1e6) / elapsedUs : 0
}

async function waitForArrivals(
  stage: Stage,
  expected: number,
  drainMaxMs: number,
): Promise<ReceiverStats> {
  const deadline = performance.now() + drainMaxMs
  for (;;) {
    const stats = await stage.receiver.stats()
    if (stats.unique >= expected || performance.now() > deadline) return stats
    stage.product.assertAlive()
    await sleep(pollMs)
  }
}

/** A run counts only when all that was sent was accepted, and all that was accepted arrived. */
function failureOf(result: LoadResult, stats: ReceiverStats, lost: number): string | null {
  const refused = Object.entries(result.statuses).filter(([status]) => status !== '202')
  if (lost > 0) return `${lost} deliveries of ${result.accepted} accepted events did not arrive`
  if (refused.length > 0) {
    return `not accepted: ${refused.map(([status, count]) => `${count} × ${status}`).join(', ')}`
  }
  if (result.failed > 0) return `${result.failed} publishes were not answered`
  if (result.accepted === 0) return 'nothing was published'
  if (stats.withoutId > 0) return `${stats.withoutId} deliveries without a webhook-id`
  if (stats.malformed > 0) return `${stats.malformed} requests that could not be read`
  if (stats.overflowed) return 'more events than the receiver can tell apart'
  return null
}
