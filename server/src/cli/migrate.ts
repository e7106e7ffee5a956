import { Command } from 'commander'
import type { CommandContext } from './command-context.ts'
import { storeCommand } from './store-command.ts'

/** `countersign migrate`: brings the store's schema up to date, and nothing else. */
export function migrateCommand(context: CommandContext): Command {
  const command = new Command('migrate')
    .description(
      'apply missing migrations to the store and stop; serve and dev do it by themselves',
    )
    .addHelpText('after', examples)
  return storeCommand(command, context, async ({ migrateStore }, config) => {
    const { applied, version, name } = await migrateStore(config)
    for (const migration of applied) context.stdout.write(`applied ${migration}\n`)
    const outcome = applied.length === 0 ? 'Nothing to do: the' : 'The'
    context.stdout.write(`${outcome} store in ${name} has schema version ${version}.\n`)
  })
}

const examples = `
Examples:
  $ countersign migrate --data-dir /var/lib/countersign
`
