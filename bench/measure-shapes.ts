import type { BenchContext } from './bench-context.ts'
import { type Ceiling, measureCeiling } from './measure-ceiling.ts'
import { type DeliveryRun, fullLoad, loadType, measureDelivery } from './measure-delivery.ts'
import { manyConnections } from './measure-rounds.ts'
import { createTarget, type Product, startProduct, type Target } from './product.ts'
import { type Attempted, quietRun } from './quiet-run.ts'

/** One way of publishing and delivering beside the plain one. */
export interface Shape {
  name: string
  /** Endpoints that get each event; 0: it is accepted and stored, and that is all. */
  fanOut: number
  /** Events in one publish. */
  batch: number
  /** Of `data`. */
  bytes: number
  /** Secrets that sign each delivery. */
  signatures: number
  /** Of `mode.events`, the share that this shape delivers: the large ones take long. */
  share: number
}

const plain = { fanOut: 1, batch: 1, bytes: 1024, signatures: 1, share: 1 }

/** The first is what the others are compared with. */
export const shapes: readonly Shape[] = [
  { ...plain, name: 'one by one' },
  { ...plain, name: 'batches of 100', batch: 100 },
  { ...plain, name: 'for no endpoint', fanOut: 0 },
  { ...plain, name: '1 → 10 endpoints', fanOut: 10 },
  { ...plain, name: '1 → 1000 endpoints', fanOut: 1000 },
  { ...plain, name: '64 KB', bytes: 64 * 1024, share: 0.1 },
  { ...plain, name: 'three signatures', signatures: 3 },
]

/** One ceiling, and each shape after it, in the order of `shapes`. */
export interface ShapesRound {
  ceiling: Attempted<Ceiling>
  runs: readonly Attempted<DeliveryRun>[]
}

/** Every shape, `mode.rounds` times; fewer when the mode's time is used up. */
export async function measureShapes(context: BenchContext): Promise<ShapesRound[]> {
  const { mode, receiver, progress, isInTime } = context
  const rounds: ShapesRound[] = []
  while (rounds.length < mode.rounds && (rounds.length === 0 || isInTime())) {
    progress(`round ${rounds.length + 1} of ${mode.rounds}`)
    const { warmUpMs, ceilingMs: ms } = mode
    const ceiling = await quietRun(context, 'ceiling', () =>
      measureCeiling({ receiver, connections: manyConnections, warmUpMs, ms }),
    )
    const runs: Attempted<DeliveryRun>[] = []
    for (const shape of shapes) {
      runs.push(await quietRun(context, shape.name, () => measureShape(context, shape)))
    }
    rounds.push({ ceiling, runs })
  }
  return rounds
}

async function measureShape(context: BenchContext, shape: Shape): Promise<DeliveryRun> {
  const { mode, programs, receiver } = context
  const { fanOut, batch, bytes, share } = shape
  const { entry, postgres } = context
  await using product = await startProduct({ entry, postgres, concurrency: manyConnections })
  const urls = Array.from({ length: fanOut }, (_, index) => {
    return { url: `http://127.0.0.1:${receiver.port}/${index}`, eventTypes: [loadType] }
  })
  const target = await createTarget(product, urls)
  await addSignatures(product, target, shape.signatures - 1)
  const stage = { programs, receiver, product, target, fanOut }
  const publishing = (events: number) => ({
    ...fullLoad({
      count: Math.max(1, Math.round((events * share) / Math.max(1, fanOut) / batch)),
      timeMaxMs: mode.loadMsMax,
      connections: manyConnections,
    }),
    batch,
    bytes,
  })
  const warmed = await measureDelivery(stage, publishing(mode.warmUpEvents), mode.drainMsMax)
  if (warmed.failure !== null) return warmed
  // Awaited here: the server ends with this function.
  return await measureDelivery(stage, publishing(mode.events), mode.drainMsMax)
}

/** Each rotation leaves the secret before it signing beside the new one. */
async function addSignatures(product: Product, target: Target, count: number): Promise<void> {
  const path = `/v1/projects/${target.projectId}/endpoints`
  const { data } = await product.call<{ data: { id: string }[] }>('GET', path)
  for (const { id } of data) {
    for (let left = count; left > 0; left--) {
      await product.call('POST', `${path}/${id}/secret/rotate`, { force: true })
    }
  }
}
