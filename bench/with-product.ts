import type { BenchContext } from './bench-context.ts'
import { fullLoad, loadType, measureDelivery, type Stage } from './measure-delivery.ts'
import { createTarget, type NewEndpoint, startProduct } from './product.ts'

/** Bound of a warm-up by count; by time it ends long before. */
const warmUpEventsMax = 50_000

export interface WarmOptions {
  connections: number
  otherEndpoints?: readonly NewEndpoint[]
  environment?: Record<string, string>
}

/**
 * Starts a server with an empty store and an endpoint at the receiver, warms both up, lets `measure`
 * work with them, and ends the server.
 */
export async function withProduct<T>(
  context: BenchContext,
  options: WarmOptions,
  measure: (stage: Stage) => Promise<T>,
): Promise<T> {
  await using servers = new AsyncDisposableStack()
  return await measure(await startWarm(context, options, servers))
}

/** The same for several servers at a time, which end with `servers`. */
export async function startWarm(
  context: BenchContext,
  options: WarmOptions,
  servers: AsyncDisposableStack,
): Promise<Stage> {
  const { programs, receiver, mode } = context
  const product = await startProduct({
    entry: context.entry,
    concurrency: options.connections,
    postgres: context.postgres,
    ...(options.environment ? { environment: options.environment } : {}),
  })
  servers.use(product)
  const target = await createTarget(product, [
    { url: `http://127.0.0.1:${receiver.port}/`, eventTypes: [loadType] },
    ...(options.otherEndpoints ?? []),
  ])
  const stage = { programs, receiver, product, target }
  const warmUp = await measureDelivery(
    stage,
    fullLoad({
      count: warmUpEventsMax,
      timeMaxMs: mode.warmUpMs,
      connections: options.connections,
    }),
    mode.drainMsMax,
  )
  if (warmUp.failure) throw new Error(`warm-up: ${warmUp.failure}`)
  return stage
}
