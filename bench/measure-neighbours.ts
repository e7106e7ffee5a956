import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchContext } from './bench-context.ts'
import { mean } from './figures.ts'
import { goal } from './marks.ts'
import { deadUrl, retrySchedule } from './measure-dead-endpoint.ts'
import { type DeliveryRun, fullLoad, measureDelivery, type Stage } from './measure-delivery.ts'
import { manyConnections } from './measure-rounds.ts'
import { addEndpoints } from './product.ts'
import { type Attempted, type MeasuredRun, quietRun } from './quiet-run.ts'
import { runLoad } from './run-load.ts'
import { startWarm } from './with-product.ts'

/** Endpoints that trouble the one that is measured. */
export interface Neighbour {
  name: string
  /** How many there are; each gets every event of its type. */
  count: number
  url(port: number, index: number): string
  /** The largest share of its rate that the healthy one may lose; null: nothing is asked. */
  goal: number | null
}

const neighbours: readonly Neighbour[] = [
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

/** One of these beside nothing tells how much servers differ that are the same. */
const nobody: Neighbour = { name: 'nothing: another server', count: 0, url: () => '', goal: null }
export const sides: readonly Neighbour[] = [nobody, ...neighbours]

/** The healthy endpoint's rate by itself, and on other servers beside each of `sides`. */
export interface NeighbourTurn {
  alone: DeliveryRun
  beside: readonly DeliveryRun[]
}

export interface NeighbourRound extends MeasuredRun {
  turns: readonly NeighbourTurn[]
}

/** What endpoints in trouble subscribe to. */
export const troubledType = 'bench.troubled'
const publishMsMax = 60_000
/** In each of them every server is measured once. */
const turnsPerRound = 8
/** A server that wakes has its clock and its timers to look after first. */
const wakingMs = 300

/**
 * A server by itself and one beside each of `sides`, all started anew in each round. They take turns
 * of a few seconds, and only the one that is measured runs meanwhile: the machine's speed changes by
 * more from minute to minute than a neighbour costs.
 */
export async function measureNeighbours(
  context: BenchContext,
): Promise<Attempted<NeighbourRound>[]> {
  const { mode, progress, isInTime } = context
  const rounds: Attempted<NeighbourRound>[] = []
  while (rounds.length < mode.rounds && (rounds.length === 0 || isInTime())) {
    const name = `round ${rounds.length + 1} of ${mode.rounds}`
    progress(name)
    rounds.push(await quietRun(context, name, () => measureRound(context)))
  }
  return rounds
}

async function measureRound(context: BenchContext): Promise<NeighbourRound> {
  await using servers = new AsyncDisposableStack()
  const alone = await startSide(context, nobody, servers)
  const beside: Stage[] = []
  for (const side of sides) beside.push(await startSide(context, side, servers))

  // The first turn warms up.
  await measureTurn(context, { alone, beside, first: 0 })
  const turns: NeighbourTurn[] = []
  while (turns.length < turnsPerRound) {
    turns.push(await measureTurn(context, { alone, beside, first: turns.length }))
    context.progress(`    turn ${turns.length} of ${turnsPerRound}`)
  }
  const runs = turns.flatMap((turn) => [turn.alone, ...turn.beside])
  return {
    turns,
    // Of one turn among many a disturbance is noise like any other.
    cpu: { foreignCores: mean(runs.map(({ cpu }) => cpu.foreignCores ?? 0)) },
    failure: runs.find(({ failure }) => failure !== null)?.failure ?? null,
  }
}

/** Starts a server with the neighbours and what they have waiting, and suspends it. */
async function startSide(
  context: BenchContext,
  neighbour: Neighbour,
  servers: AsyncDisposableStack,
): Promise<Stage> {
  const environment = { COUNTERSIGN_RETRY_SCHEDULE: retrySchedule }
  const options = { connections: manyConnections, environment }
  const stage = await startWarm(context, options, servers)
  const { pid } = stage.product
  // What is suspended could not end by itself.
  servers.defer(() => {
    try {
      process.kill(pid, 'SIGCONT')
    } catch {
      // It has ended, and that has been told.
    }
  })
  if (neighbour.count > 0) {
    await addNeighbours(stage, neighbour, context.receiver.port)
    await publishTo(stage, Math.round(context.mode.deadPending / neighbour.count))
  }
  process.kill(pid, 'SIGSTOP')
  return stage
}

async function measureTurn(
  context: BenchContext,
  { alone, beside, first }: { alone: Stage; beside: readonly Stage[]; first: number },
): Promise<NeighbourTurn> {
  const stages = [alone, ...beside]
  const runs = new Map<Stage, DeliveryRun>()
  // Another begins each turn, so that none is always measured first or suspended longest.
  const begin = first % stages.length
  for (const stage of [...stages.slice(begin), ...stages.slice(0, begin)]) {
    runs.set(stage, await measureAwake(context, stage))
  }
  const runOf = (stage: Stage) => runs.get(stage) as DeliveryRun
  return { alone: runOf(alone), beside: beside.map(runOf) }
}

async function measureAwake({ mode }: BenchContext, stage: Stage): Promise<DeliveryRun> {
  const { events: count, loadMsMax: timeMaxMs, drainMsMax } = mode
  const load = fullLoad({ count, timeMaxMs, connections: manyConnections })
  stage.product.assertAlive()
  process.kill(stage.product.pid, 'SIGCONT')
  await sleep(wakingMs)
  const run = await measureDelivery(stage, load, drainMsMax)
  process.kill(stage.product.pid, 'SIGSTOP')
  return run
}

async function addNeighbours(
  { product, target }: Stage,
  neighbour: Neighbour,
  port: number,
): Promise<void> {
  const endpoints = Array.from({ length: neighbour.count }, (_, index) => {
    return { url: neighbour.url(port, index), eventTypes: [troubledType] }
  })
  await addEndpoints(product, target.projectId, endpoints)
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
