import { startChild } from './child.ts'
import type { Latency } from './figures.ts'
import type { Programs } from './programs.ts'

export interface LoadOptions {
  port: number
  /** Path that events are posted to. */
  path: string
  key: string
  type: string
  connections: number
  /** Publishes. The run ends at whichever comes first, this count or `timeMaxMs`. */
  count: number
  timeMaxMs: number
  /** Publishes a second, or 0: each connection publishes again as soon as it is answered. */
  rate: number
  /** Bytes of `data`; 1 KB where absent. */
  bytes?: number
  /** Events in one publish, which is a batch above 1; 1 where absent. */
  batch?: number
}

/** What a load generator reports. */
export interface LoadResult {
  sent: number
  /** Events whose publish was answered 202. */
  accepted: number
  /** Sent, but the answer never came: such an event may or may not have been accepted. */
  failed: number
  elapsedUs: number
  /** From the publish (its due time when paced) to its whole answer. */
  acceptUs: Latency
  statuses: Record<string, number>
}

/** A load generator that has been started; alive, for its CPU time, until it is disposed of. */
export interface Load extends AsyncDisposable {
  pid: number
  result: Promise<LoadResult>
}

/** Over the time bound itself: start, the wait for the last answers, and the report. */
const slackMs = 20_000

export function runLoad(programs: Pick<Programs, 'load'>, options: LoadOptions): Load {
  const { key, timeMaxMs, ...others } = options
  const child = startChild({
    command: [
      ...programs.load,
      ...Object.entries(others).flatMap(([name, value]) => [`--${name}`, String(value)]),
      '--time-max-ms',
      String(timeMaxMs),
    ],
    environment: { BENCH_KEY: key },
  })
  const result = child.nextLine<LoadResult>(timeMaxMs + slackMs)
  // Whoever awaits `result` sees the failure; this only keeps an early one from ending the harness.
  result.catch(() => {})
  return { pid: child.pid, result, [Symbol.asyncDispose]: () => child.stop() }
}
