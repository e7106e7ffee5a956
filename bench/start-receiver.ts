import { startChild } from './child.ts'
import type { Arrivals, Latency } from './figures.ts'
import type { Programs } from './programs.ts'

/** What a receiver has counted since its last reset. */
export interface ReceiverStats extends Arrivals {
  /** Every POST, repeats included. */
  requests: number
  /** POSTs without a `webhook-id`, which count as nothing else. */
  withoutId: number
  /** Connections dropped because what they sent could not be read. */
  malformed: number
  /** True once it stopped remembering new ids; no figure of that run can be trusted. */
  overflowed: boolean
}

export interface Receiver extends AsyncDisposable {
  pid: number
  port: number
  stats(): Promise<ReceiverStats>
  /** From the time stamped by the load generator to the arrival of each unique event. */
  latency(): Promise<Latency>
  reset(): Promise<void>
}

const startMsMax = 10_000
const answerMsMax = 5_000

export async function startReceiver(programs: Pick<Programs, 'receiver'>): Promise<Receiver> {
  const child = startChild({ command: programs.receiver })
  const { port } = await child.nextLine<{ port: number }>(startMsMax)

  async function get<T>(path: string): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      signal: AbortSignal.timeout(answerMsMax),
    })
    return (await response.json()) as T
  }

  return {
    pid: child.pid,
    port,
    stats: () => get('/stats'),
    latency: () => get('/latency'),
    async reset() {
      await get('/reset')
    },
    [Symbol.asyncDispose]: () => child.stop(),
  }
}
