import { Command } from 'commander'
import type { Config } from '../config.ts'
import { database } from '../option-kinds.ts'
import { StartError } from '../start-error.ts'
import type { CommandContext } from './command-context.ts'
import { createProgressBar } from './progress-bar.ts'
import { storeCommand } from './store-command.ts'

/** `countersign migrate-store`: from one node's SQLite file to a PostgreSQL database for several. */
export function migrateStoreCommand(context: CommandContext): Command {
  const command = new Command('migrate-store')
    .description(
      'copy everything from a SQLite store into an empty PostgreSQL database; the server must be stopped, and its file stays as it is',
    )
    .requiredOption('--from <file>', 'the SQLite file')
    .option('--to <url>', 'the PostgreSQL database (default: COUNTERSIGN_DATABASE_URL)')
    .addHelpText('after', examples)
  return storeCommand(command, context, async ({ moveStore }, config) => {
    const { from, to } = command.opts<{ from: string; to?: string }>()
    const target = targetOf(config, to)
    const bar = createProgressBar(context.stderr, 'Copying')
    const { rows, tables, opened } = await moveStore(config, { from, to: target }, bar.update)
    bar.end()
    context.stdout.write(
      `${rows} rows in ${tables} tables are in ${database.write(target)}: counted there again, and ${opened} sealed values opened there. ${from} is as it was. Start the nodes with this database and with the master keys of this store, and do not start a server on ${from} any more.\n`,
    )
  })
}

/** The words of a wrong address are not repeated: there may be a password in it. */
function targetOf(config: Config, to: string | undefined) {
  const parsed = to === undefined ? { ok: true, value: config.database } : database.parse(to)
  if (parsed.ok && parsed.value !== 'sqlite') return parsed.value
  throw new StartError(
    'Name the PostgreSQL database with --to or in COUNTERSIGN_DATABASE_URL, as in postgres://user@host:5432/countersign.',
  )
}

const examples = `
The master keys come from COUNTERSIGN_MASTER_KEYS, or from the key file in --data-dir. A password of
the database is better in COUNTERSIGN_DATABASE_URL or PGPASSWORD than in --to, which others on this
machine can see while the command runs.

Nothing is visible in the database before all of it is there and has been checked; a run that was
stopped leaves nothing behind, and the next one begins anew.

Examples:
  $ countersign migrate-store --from ./data/countersign.db --to postgres://db.example/countersign
`
