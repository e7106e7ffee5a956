import { Command } from 'commander'
import { migrateStore } from '../store-tools.ts'
import type { CommandContext } from './command-context.ts'
import { addConfigFlags, readCommandConfig } from './config-flags.ts'
import { exitCodes } from './exit-codes.ts'
import { describeFailure } from './run-server.ts'

/** `countersign migrate`: brings the store's schema up to date, and nothing else. */
export function migrateCommand(context: CommandContext): Command {
  const command = new Command('migrate')
    .description(
      'apply missing migrations to the store and stop; serve and dev do it by themselves',
    )
    .addHelpText('after', examples)
    .action(async () => {
      const { stdout, stderr } = context
      const read = readCommandConfig(command, context)
      if (read === null) return context.finish(exitCodes.usage)
      for (const warning of read.warnings) stderr.write(`${warning}\n`)
      try {
        const { applied, version, name } = await migrateStore(read.config)
        for (const migration of applied) stdout.write(`applied ${migration}\n`)
        const outcome = applied.length === 0 ? 'Nothing to do: the' : 'The'
        stdout.write(`${outcome} store in ${name} has schema version ${version}.\n`)
        context.finish(exitCodes.ok)
      } catch (error) {
        stderr.write(`${describeFailure(error)}\n`)
        context.finish(exitCodes.failure)
      }
    })
  return addConfigFlags(command)
}

const examples = `
Examples:
  $ countersign migrate --data-dir /var/lib/countersign
`
