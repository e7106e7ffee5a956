import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchContext } from './bench-context.ts'
import { goal } from './marks.ts'
import { deadUrl, retrySchedule } from './measure-dead-endpoint.ts'
import { type DeliveryRun, fullLoad, measureDelivery, type Stage } from './measure-delivery.ts'
import { manyConnections } from './measure-rounds.ts'
import { type Attempted, type MeasuredRun, quietRun } from './quiet-run.ts'
import { runLoad } from './run-load.ts'
import { withProduct } from './with-product.ts'

/** Endpoints that trouble the one that is measured. */
export interface Neighbour {
  name: string
  /** How many there are; each gets every event of its type. */
  count: number
  url(port: number, index: number): string
  /** The largest share of its rate that the healthy one may lose. */
  goal: number
}

export const neighbours: readonly Neighbour[] = [
  {
    name: 'one that takes no connections',
    count: 1,
    url: () => deadUrl,
    goal: goal.deadEndpointShare,
  },
  {
    name: 'one that never answers',
    count: 1,
    url: (port) => `http://127.0.0.1:${port}/silent`,
    goal: goal.silentEndpointShare,
  },
  {
    name: '200 that answer 503, retried together',
    count: 200,
    url: (port, index) => `http://127.0.0.1:${port}/failing/${index}`,
    goal: goal.retryStormShare,
  },
]

/** The healthy endpoint's rate by itself, beside its neighbours, and by itself again. */
export interface NeighbourRun extends MeasuredRun {
  alone: DeliveryRun
  beside: DeliveryRun
  aloneAgain: DeliveryRun
}

/** What endpoints in trouble subscribe to. */
export const troubledType = 'bench.troubled'
const publishMsMax = 60_000
const waitMsMax = 60_000
const pollMs = 100

/** Each kind of neighbour once in each round. */
export async function measureNeighbours(
  context: BenchContext,
): Promise<Attempted<NeighbourRun>[][]> {
  const { mode, progress, isInTime } = context
  const rounds: Attempted<NeighbourRun>[][] = []
  while (rounds.length < mode.rounds && (rounds.length === 0 || isInTime())) {
    progress(`round ${rounds.length + 1} of ${mode.rounds}`)
    const runs: Attempted<NeighbourRun>[] = []
    for (const neighbour of neighbours) {
      runs.push(await quietRun(context, neighbour.name, () => measure(context, neighbour)))
    }
    rounds.push(runs)
  }
  return rounds
}

function measure(context: BenchContext, neighbour: Neighbour): Promise<NeighbourRun> {
  const { mode, receiver } = context
  const environment = { COUNTERSIGN_RETRY_SCHEDULE: retrySchedule }
  return withProduct(context, { connections: manyConnections, environment }, async (stage) => {
    await measureLoad(context, stage, mode.warmUpEvents)
    const alone = await measureLoad(context, stage, mode.events)
    const ids = await addNeighbours(stage, neighbour, receiver.port)
    await publishTo(stage, Math.round(mode.deadPending / neighbour.count))
    const beside = await measureLoad(context, stage, mode.events)
    await removeNeighbours(stage, ids)
    const aloneAgain = await measureLoad(context, stage, mode.events)
    const runs = [alone, beside, aloneAgain]
    return {
      alone,
      beside,
      aloneAgain,
      cpu: { foreignCores: Math.max(...runs.map(({ cpu }) => cpu.foreignCores ?? 0)) },
      failure: runs.find(({ failure }) => failure !== null)?.failure ?? null,
    }
  })
}

function measureLoad({ mode }: BenchContext, stage: Stage, count: number): Promise<DeliveryRun> {
  const load = fullLoad({ count, timeMaxMs: mode.loadMsMax, connections: manyConnections })
  return measureDelivery(stage, load, mode.drainMsMax)
}

async function addNeighbours(
  { product, target }: Stage,
  neighbour: Neighbour,
  port: number,
): Promise<string[]> {
  const ids: string[] = []
  for (let index = 0; index < neighbour.count; index++) {
    const path = `/v1/projects/${target.projectId}/endpoints`
    const url = neighbour.url(port, index)
    const body = { url, event_types: [troubledType] }
    ids.push((await product.call<{ id: string }>('POST', path, body)).id)
  }
  return ids
}

/** Publishes events of `troubledType`; throws where not all of them are accepted. */
export async function publishTo(
  { programs, product, target }: Stage,
  count: number,
): Promise<void> {
  await using load = runLoad(programs, {
    port: product.port,
    path: target.eventsPath,
    key: target.key,
    type: troubledType,
    connections: manyConnections,
    count,
    timeMaxMs: publishMsMax,
    rate: 0,
  })
  const { accepted } = await load.result
  if (accepted < count) throw new Error(`only ${accepted} of ${count} events were accepted`)
}

/** Waits until nothing of theirs is pending: what follows is measured without them. */
async function removeNeighbours({ product, target }: Stage, ids: readonly string[]): Promise<void> {
  const project = `/v1/projects/${target.projectId}`
  for (const id of ids) await product.call('DELETE', `${project}/endpoints/${id}`)
  const pending = `${project}/deliveries?status=pending&event_type=${troubledType}&limit=1`
  const deadline = performance.now() + waitMsMax
  while ((await product.call<{ data: unknown[] }>('GET', pending)).data.length > 0) {
    if (performance.now() > deadline) throw new Error('deliveries of a removed endpoint still pend')
    await sleep(pollMs)
  }
}
