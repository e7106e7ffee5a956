import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { App } from '../app.ts'
import { type Config, isColorRefused, isRunByNpm } from '../config.ts'
import type { Logger } from '../logger.ts'
import { restWhenIdle } from '../rest.ts'
import type { CommandContext } from './command-context.ts'
import { describeFailure } from './describe-failure.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'
import { listenForStop } from './stop-signals.ts'
import { tuneHeap } from './tune-heap.ts'

/** Runs the server until it is told to stop: what `serve` and `dev` have in common. */
export async function runServer(options: {
  context: CommandContext
  config: Config
  /** Sentences about the configuration, for the log. */
  warnings: readonly string[]
  /** Called once the server answers; what it throws ends the run like a failed start. */
  onStarted: (app: App, logger: Logger) => Promise<void> | void
}): Promise<ExitCode> {
  const { context, config, warnings, onStarted } = options
  const { clock, environment, stdout, stderr } = context
  // Before the start, so that a signal during it does not end the process half-way.
  using stop = listenForStop({
    onSecond: () => process.exit(exitCodes.failure),
    monotonic: clock.monotonic,
    isRunByNpm: isRunByNpm(environment),
    source: process,
  })
  tuneHeap()
  const { startApp, createLogger } = await loadServer()
  const logger = await createLogger({
    level: config.logLevel,
    stream: stdout,
    usesColor: !isColorRefused(environment),
  })
  for (const warning of warnings) logger.warn(warning)

  let app: App | null = null
  try {
    app = await startApp({
      config,
      logger,
      clock,
      consoleDirectory: findConsole(),
      stopSignal: stop.signal,
    })
    await onStarted(app, logger)
    restWhenIdle()
    const failure = await Promise.race([stop.requested, app.failed])
    if (failure !== undefined) throw failure
    logger.info('Stopping: no new requests, attempts in flight are finished.')
    await app.stop(config.shutdownDeadlineMs)
    logger.info('Stopped.')
    return exitCodes.ok
  } catch (error) {
    stderr.write(`${describeFailure(error)}\n`)
    await app?.stop(config.shutdownDeadlineMs).catch((cause: unknown) => {
      stderr.write(`${describeFailure(cause)}\n`)
    })
    return exitCodes.failure
  }
}

/**
 * Not before it is needed: it takes longer to load than most commands take to run. In a function of
 * its own, as the compiler (6.0.3) leaves the names of imports as they are beside a `using`.
 */
export function loadServer() {
  return Promise.all([import('../app.ts'), import('../logger.ts')]).then(([app, logger]) => ({
    ...app,
    ...logger,
  }))
}

/** The built console, of this package or of this checkout; null where nobody has built it. */
function findConsole(): string | null {
  const packed = join(import.meta.dirname, '..', 'console')
  const built = join(import.meta.dirname, '..', '..', '..', 'console', 'dist')
  return [packed, built].find((directory) => existsSync(join(directory, 'index.html'))) ?? null
}
