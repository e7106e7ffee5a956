import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createProgressBar } from '../server/src/cli/progress-bar.ts'
import { type Config, readConfig } from '../server/src/config.ts'
import { createLogger } from '../server/src/logger.ts'
import { storeFile } from '../server/src/store-file.ts'
import { customers, hoursBefore } from './seed/cast.ts'
import { createSimulatedNetwork, type SimulatedReceiver } from './seed/simulated-receivers.ts'
import { createStory } from './seed/story.ts'
import { openStoryServer } from './seed/story-server.ts'
import { createWorld, pickByWeight, type World } from './seed/world.ts'

/** `npm run seed`: makes a store that is worth looking at. */
const usage = `npm run seed -- [--data-dir <directory>] [--deliveries <count>]

  --data-dir     where the store is made; there must be none yet (./data/seeded)
  --deliveries   about how many, over the week that ends now (100000)

Then look at it: npm run countersign -- dev --data-dir ./data/seeded
`

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const weekMs = 7 * DAY_MS
/** Deliveries of one event, in the mean: for how often events come. */
const deliveriesPerEvent = 5.8

const { values } = parseArgs({
  options: {
    'data-dir': { type: 'string', default: './data/seeded' },
    deliveries: { type: 'string', default: '100000' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) process.stdout.write(usage)
else process.exitCode = await main(values['data-dir'], Number(values.deliveries))

async function main(dataDir: string, deliveries: number): Promise<number> {
  const read = readConfig(
    { COUNTERSIGN_DATA_DIR: dataDir },
    { defaults: { publicUrl: 'https://webhooks.example', allowHttp: 'true' } },
  )
  if (!read.ok) return refuse(read.problems.join('\n'))
  if (!Number.isSafeInteger(deliveries) || deliveries < 1 || deliveries > 5_000_000) {
    return refuse('--deliveries takes a whole number from 1 to 5000000.')
  }
  if (existsSync(storeFile(read.config))) {
    return refuse(`There is a store in ${dataDir} already; give another --data-dir.`)
  }
  const bar = createProgressBar(process.stdout, 'Seeding')
  const made = await seed(read.config, deliveries, (share) => bar.update(share, 1))
  bar.end()
  process.stdout.write(
    `${made.events} events and ${made.deliveries} deliveries in ${dataDir}.\n` +
      `Look at them: npm run countersign -- dev --data-dir ${dataDir}\n`,
  )
  return 0
}

function refuse(sentence: string): number {
  process.stderr.write(`${sentence}\n`)
  return 2
}

async function seed(
  config: Config,
  deliveriesWanted: number,
  showProgress: (share: number) => void,
): Promise<{ events: number; deliveries: number }> {
  const endsAt = Date.now()
  const beginsAt = endsAt - weekMs
  const random = createSteadyRandom()
  const receivers = new Map<string, SimulatedReceiver>()
  await using server = await openStoryServer({
    config,
    logger: await createLogger({ level: 'error', stream: process.stderr, usesColor: false }),
    beginsAt: endsAt - 200 * DAY_MS,
    network: (clock) => createSimulatedNetwork({ receivers, now: clock.now, random }),
  })
  const world = await createWorld(server, receivers, endsAt)
  const acts = createStory()
  const pauseMs = weekMs / (deliveriesWanted / deliveriesPerEvent)
  const counts = { events: 0, deliveries: 0 }
  let at = beginsAt
  for (;;) {
    // Exponential pauses, shorter by day: what many independent customers look like.
    at += (-Math.log(1 - random()) * pauseMs) / busyness(at)
    for (let act = acts[0]; act && hoursBefore(endsAt, act.hoursBefore) <= at; act = acts[0]) {
      acts.shift()
      await server.moveTo(hoursBefore(endsAt, act.hoursBefore))
      await act.run(world)
      await server.settled()
    }
    if (at >= endsAt) break
    await server.moveTo(at)
    counts.deliveries += await publish(world, counts.events++, random)
    await server.settled()
    showProgress((at - beginsAt) / weekMs)
  }
  await server.moveTo(endsAt)
  showProgress(1)
  return counts
}

function publish(world: World, number: number, random: () => number): Promise<number> {
  const customer = pickByWeight(customers, ({ share }) => share, random())
  return world.publish(customer.uid, number, (most) => Math.floor(random() * most))
}

/** Around 1 in the mean; least at night. */
function busyness(at: number): number {
  const hour = (at % DAY_MS) / HOUR_MS
  return 1 + 0.75 * Math.sin(((hour - 9) / 24) * 2 * Math.PI)
}

/** The same story every time (mulberry32). Never for secrets. */
function createSteadyRandom(): () => number {
  let state = 0x5eed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
