import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Stage } from './measure-delivery.ts'

/** How far from the order of acceptance events arrived. */
export interface OrderRun {
  count: number
  /** The most places that an event came too early by: so many before it were still under way. */
  overtakenMax: number
}

/** A receiver in the harness that remembers in which order events came. */
export interface OrderReceiver extends AsyncDisposable {
  url: string
  arrivedIds: string[]
}

export const orderType = 'bench.order'

const batchesMax = 20
const batchSize = 100
const waitMsMax = 60_000
const pollMs = 20

export async function startOrderReceiver(): Promise<OrderReceiver> {
  const arrivedIds: string[] = []
  const server = createServer((request, response) => {
    arrivedIds.push(String(request.headers['webhook-id']))
    request.resume().on('end', () => response.writeHead(204).end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    arrivedIds,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Publishes batches one after the other, and compares their order with that of their arrival. */
export async function measureOrder(
  { product, target }: Stage,
  receiver: OrderReceiver,
): Promise<OrderRun> {
  receiver.arrivedIds.length = 0
  const places = new Map<string, number>()
  for (let batch = 0; batch < batchesMax; batch++) {
    const events = Array.from({ length: batchSize }, (_, n) => ({
      type: orderType,
      data: { batch, n },
    }))
    const { data } = await product.call<{ data: { id: string }[] }>(
      'POST',
      `${target.eventsPath}/batch`,
      { events },
    )
    for (const { id } of data) places.set(id, places.size)
  }
  const deadline = performance.now() + waitMsMax
  while (receiver.arrivedIds.length < places.size) {
    product.assertAlive()
    if (performance.now() > deadline) throw new Error('not all events of the order run arrived')
    await sleep(pollMs)
  }
  const overtaken = receiver.arrivedIds.map((id, arrivedAt) => {
    return (places.get(id) ?? Number.POSITIVE_INFINITY) - arrivedAt
  })
  return { count: places.size, overtakenMax: Math.max(...overtaken) }
}
