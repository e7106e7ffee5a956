import type { BenchContext } from './bench-context.ts'
import { type Ceiling, measureCeiling } from './measure-ceiling.ts'
import { type DeliveryRun, fullLoad, measureDelivery } from './measure-delivery.ts'
import { type Attempted, quietRun } from './quiet-run.ts'
import { withProduct } from './with-product.ts'

/** One after the other, in the same minute: only their ratios carry over to another day. */
export interface Round {
  ceiling: Attempted<Ceiling>
  few: Attempted<DeliveryRun>
  many: Attempted<DeliveryRun>
}

export const fewConnections = 32
/** The ceiling is taken at this number as well; at 32 it is the same within the noise. */
export const manyConnections = 96

/** Interleaves ceiling and product, `mode.rounds` times; less when the mode's time is used up. */
export async function measureRounds(context: BenchContext): Promise<Round[]> {
  const { mode, progress, isInTime } = context
  const rounds: Round[] = []
  while (rounds.length < mode.rounds && (rounds.length === 0 || isInTime())) {
    progress(`round ${rounds.length + 1} of ${mode.rounds}`)
    rounds.push(await measureRound(context))
  }
  return rounds
}

/** Publishes as fast as the server accepts, on as many connections as it may deliver on. */
export function measureAtFullLoad(
  context: BenchContext,
  bounds: { connections: number; count: number; timeMaxMs: number },
): Promise<DeliveryRun> {
  const { mode } = context
  return withProduct(context, { connections: bounds.connections }, async (stage) => {
    // A fresh process compiles its hot code first. The ceiling is measured warm, so is the product.
    const warmUp = { ...bounds, count: mode.warmUpEvents }
    const warmed = await measureDelivery(stage, fullLoad(warmUp), mode.drainMsMax)
    if (warmed.failure !== null) return warmed
    return measureDelivery(stage, fullLoad(bounds), mode.drainMsMax)
  })
}

async function measureRound(context: BenchContext): Promise<Round> {
  const { mode, receiver } = context
  const product = (connections: number) =>
    quietRun(context, `product, ${connections} connections`, () =>
      measureAtFullLoad(context, {
        connections,
        count: mode.events,
        timeMaxMs: mode.loadMsMax,
      }),
    )
  return {
    ceiling: await quietRun(context, 'ceiling', () =>
      measureCeiling({
        receiver,
        connections: manyConnections,
        warmUpMs: mode.warmUpMs,
        ms: mode.ceilingMs,
      }),
    ),
    few: await product(fewConnections),
    many: await product(manyConnections),
  }
}
