import { parseArgs } from 'node:util'
import { describeMachine } from './machine.ts'
import { type Mode, modes } from './modes.ts'
import { productEntry } from './product.ts'
import { nodePrograms, preparePrograms } from './programs.ts'
import { record } from './record.ts'
import { sectionOf } from './sections.ts'
import { startDatabase } from './start-database.ts'
import { startReceiver } from './start-receiver.ts'

/** `npm run bench`: the product beside the raw ceiling, in the same minutes on the same machine. */
const usage = `npm run bench -- [--quick | --smoke | --shapes | --neighbours | --start | --claims |
                  --history]
                 [--record] [--store postgres] [--server <file>] [--no-compiler]

  (nothing)       5 rounds and every other figure, about 10 minutes
  --quick         3 rounds and smaller counts, about two minutes
  --smoke         ratio and loss only, under a minute; fails where the ratio is more than
                  a third below the recorded one
  --shapes        batches, events for no endpoint, fan-out, 64 KB and three signatures beside plain
                  events, in ratios; about a quarter of an hour
  --neighbours    a healthy endpoint beside ones in trouble, in ratios; about a quarter of an hour
  --start         from the start of the process to the first event, beside a million deliveries,
                  from the sources and as installed, for which it builds
  --claims        claims from a store with a million pending and ten million finished deliveries
                  beside an empty one; 5 minutes, on PostgreSQL 10, and 10 GB of disk
  --history       a store with a million finished deliveries beside an empty one, retention, and a
                  dead endpoint, in ratios; about a quarter of an hour, 3 GB of disk
  --record        append the result to bench/results.md
  --store         sqlite, or postgres: in a server that is started for it
  --server        measure another entry file, for example bench/stand-in-server.ts
  --no-compiler   use the node:net receiver and load generator even where gcc is found
`

interface Arguments {
  mode: Mode
  isRecorded: boolean
  entry: string
  isOnPostgres: boolean
  usesCompiler: boolean
}

// Ending through exit runs the handlers that end the children, by their pids, and remove the stores.
process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))
// Each child and each store has one of those handlers, and several servers run at a time.
process.setMaxListeners(100)

try {
  const failures = await runBench(readArguments())
  process.exitCode = failures.length > 0 ? 1 : 0
} catch (error) {
  process.stderr.write(`The benchmark could not be run: ${errorText(error)}\n`)
  process.exitCode = 1
}

async function runBench(given: Arguments): Promise<string[]> {
  const { mode, isRecorded, entry, isOnPostgres, usesCompiler } = given
  const startedAt = new Date()
  const programs = usesCompiler ? await preparePrograms() : nodePrograms()
  const machine = await describeMachine()
  await using receiver = await startReceiver(programs)
  await using database = isOnPostgres ? await startDatabase() : null
  const isInTime = () => performance.now() < mode.repeatMsMax
  const postgres = database?.server ?? null
  const context = { mode, programs, receiver, postgres, entry, progress, isInTime }
  const { implementation } = programs
  const head = { startedAt, machine, implementation, postgresVersion: database?.version ?? null }

  // Awaited here: receiver and database end with this function.
  const { report, failures = [] } = await sectionOf(mode.name)(context, head)
  process.stdout.write(`\n${report}`)
  if (isRecorded) await record(report)
  return failures
}

function progress(line: string): void {
  process.stdout.write(`${(performance.now() / 1000).toFixed(0).padStart(4)} s  ${line}\n`)
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function readArguments(): Arguments {
  try {
    const flag = { type: 'boolean', default: false } as const
    const { values } = parseArgs({
      options: {
        quick: flag,
        smoke: flag,
        shapes: flag,
        neighbours: flag,
        start: flag,
        claims: flag,
        history: flag,
        record: flag,
        'no-compiler': flag,
        server: { type: 'string' },
        store: { type: 'string', default: 'sqlite' },
      },
    })
    const chosen = (
      ['quick', 'smoke', 'shapes', 'neighbours', 'start', 'claims', 'history'] as const
    ).filter((name) => values[name])
    if (chosen.length > 1) throw new Error(`one of --${chosen.join(', --')}`)
    const isOnPostgres = values.store === 'postgres'
    if (!isOnPostgres && values.store !== 'sqlite') throw new Error('--store sqlite or postgres')
    if (values.claims && values.server !== undefined) {
      throw new Error('--claims measures the storage of this checkout, without a server')
    }
    return {
      mode: modes[chosen[0] ?? 'full'],
      isRecorded: values.record,
      entry: values.server ?? productEntry,
      isOnPostgres,
      usesCompiler: !values['no-compiler'],
    }
  } catch (error) {
    process.stderr.write(`${errorText(error)}\n\n${usage}`)
    process.exit(2)
  }
}
