import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { canRedraw, isColorRefused, isRunByNpm, type OptionTexts, readConfig } from '../config.ts'
import type { CommandContext } from './command-context.ts'
import { demoColumns, describeDemo, drawDemo, seconds } from './demo-picture.ts'
import { createDemoScreen, type DemoScreen } from './demo-screen.ts'
import { createDemoStory, type DemoStory } from './demo-story.ts'
import { describeFailure } from './describe-failure.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'
import { loadServer } from './run-server.ts'
import { listenForStop } from './stop-signals.ts'

/** `countersign demo`: a rotation under load, in a server of its own that leaves nothing behind. */
export function demoCommand(context: CommandContext): Command {
  return new Command('demo')
    .description('rotate a secret under load and watch that nothing is rejected or lost')
    .option('--seconds <count>', 'how long to publish, from 6 to 120', countFrom(6, 120), 18)
    .option('--rate <count>', 'events a second, from 1 to 1000', countFrom(1, 1000), 250)
    .addHelpText('after', examples)
    .action(async (options: { seconds: number; rate: number }) => {
      context.finish(await runDemo(context, options))
    })
}

async function runDemo(
  context: CommandContext,
  options: { seconds: number; rate: number },
): Promise<ExitCode> {
  const { clock, environment, stdout, stderr } = context
  const usesColor = !isColorRefused(environment)
  const isWide = (stdout.columns ?? 0) >= demoColumns
  const screen = createDemoScreen({ stdout, canRedraw: canRedraw(environment) && isWide })
  await using resources = new AsyncDisposableStack()
  const stop = resources.use(
    listenForStop({
      onSecond: () => process.exit(exitCodes.failure),
      monotonic: clock.monotonic,
      isRunByNpm: isRunByNpm(environment),
      source: process,
    }),
  )
  try {
    screen.say(`Rotating a secret under load: ${options.rate} events/s to one endpoint.\n`)
    const app = await startDemoServer(context, resources)
    const story = await createDemoStory({
      baseUrl: app.url,
      apiKey: app.rootKeys[0] ?? '',
      totalSeconds: options.seconds,
      ratePerSecond: options.rate,
      monotonic: clock.monotonic,
      signal: stop.signal,
      resources,
      onStory: (entry) => {
        if (!screen.isLive) screen.say(`${seconds(entry.atMs)}  ${entry.text}`)
      },
    })
    using _showing = showWhileTold(story, screen, usesColor)
    const { delivered, rejected, lost } = await story.tell()
    if (screen.isLive) screen.draw(drawDemo(story.now(), { usesColor }))
    screen.say(`\n${delivered} delivered, ${rejected} rejected, ${lost} lost`)
    return delivered > 0 && rejected === 0 && lost === 0 ? exitCodes.ok : exitCodes.failure
  } catch (error) {
    stderr.write(stop.signal.aborted ? 'Stopped before the end.\n' : `${describeFailure(error)}\n`)
    return exitCodes.failure
  }
}

/** On a free port, with a store and keys that are gone when the process is. */
async function startDemoServer(context: CommandContext, resources: AsyncDisposableStack) {
  const dataDir = mkdtempSync(join(tmpdir(), 'countersign-demo-'))
  const removeData = () => rmSync(dataDir, { recursive: true, force: true })
  // Also when a second signal ends the process at once.
  process.once('exit', removeData)
  resources.defer(() => {
    process.off('exit', removeData)
    removeData()
  })
  // Nothing of the user's configuration: it is written for another server.
  const read = readConfig({}, { flags: { ...demoOptions, dataDir } })
  if (!read.ok) throw new Error(read.problems.join(' '))
  const { startApp, createLogger } = await loadServer()
  const logger = await createLogger({
    level: read.config.logLevel,
    stream: context.stderr,
    usesColor: !isColorRefused(context.environment),
  })
  const app = await startApp({ config: read.config, logger, clock: context.clock })
  resources.defer(() => app.stop(read.config.shutdownDeadlineMs))
  return app
}

const demoOptions: OptionTexts = {
  host: '127.0.0.1',
  port: '0',
  allowHttp: 'true',
  allowedNetworks: '127.0.0.0/8',
  retryScheduleMs: '1s,1s,2s,5s',
  shutdownDeadlineMs: '2s',
  logLevel: 'warn',
}

function showWhileTold(story: DemoStory, screen: DemoScreen, usesColor: boolean): Disposable {
  const show = () => {
    if (screen.isLive) screen.draw(drawDemo(story.now(), { usesColor }))
    else screen.say(describeDemo(story.now()))
  }
  const timer = setInterval(show, screen.isLive ? liveEveryMs : lineEveryMs)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

const liveEveryMs = 100
const lineEveryMs = 1000

function countFrom(min: number, max: number): (text: string) => number {
  return (text) => {
    const count = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    if (count >= min && count <= max) return count
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`)
  }
}

const examples = `
It starts a server and a receiver on free ports of this machine, with a store that it deletes at the
end. The secrets that are drawn are the ones that the deliveries themselves named. It fails (exit
code 1) unless every accepted event was delivered and none was rejected.

Examples:
  $ countersign demo
  $ countersign demo --seconds 60 --rate 500
`
