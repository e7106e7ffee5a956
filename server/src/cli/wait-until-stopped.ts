import { setTimeout as sleep } from 'node:timers/promises'
import { isRunByNpm } from '../config.ts'
import type { CommandContext } from './command-context.ts'
import { exitCodes } from './exit-codes.ts'
import { listenForStop, type StopSignals } from './stop-signals.ts'

/** A command that goes on until it is told to stop. */
export interface Stopping extends Disposable {
  readonly signal: AbortSignal
  /** Waits this long, or until it is to stop. */
  pause(ms: number): Promise<void>
}

/** From now on the first Ctrl-C asks for a stop, and the second ends the process. */
export function waitUntilStopped(context: CommandContext): Stopping {
  const stop: StopSignals = listenForStop({
    onSecond: () => process.exit(exitCodes.failure),
    monotonic: context.clock.monotonic,
    isRunByNpm: isRunByNpm(context.environment),
    source: process,
  })
  return {
    signal: stop.signal,
    async pause(ms) {
      try {
        await sleep(ms, undefined, { signal: stop.signal })
      } catch (error) {
        if (!stop.signal.aborted) throw error
      }
    },
    [Symbol.dispose]: () => stop[Symbol.dispose](),
  }
}
