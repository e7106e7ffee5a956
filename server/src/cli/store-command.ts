import type { Command } from 'commander'
import type { Config } from '../config.ts'
import type { CommandContext } from './command-context.ts'
import { addConfigFlags, readCommandConfig } from './config-flags.ts'
import { describeFailure } from './describe-failure.ts'
import { exitCodes } from './exit-codes.ts'

/** What can be done with a store outside of a server. */
export type StoreTools = typeof import('../store-tools.ts')

/** Gives a command the flags of the configuration, and work that needs no running server. */
export function storeCommand<Args extends unknown[]>(
  command: Command,
  context: CommandContext,
  work: (tools: StoreTools, config: Config, ...args: Args) => Promise<void>,
): Command {
  command.action(async (...given: unknown[]) => {
    const read = readCommandConfig(command, context)
    if (read === null) return context.finish(exitCodes.usage)
    for (const warning of read.warnings) context.stderr.write(`${warning}\n`)
    try {
      // Not before it is needed: the stores take longer to load than the help takes to print.
      await work(await import('../store-tools.ts'), read.config, ...(given as Args))
      context.finish(exitCodes.ok)
    } catch (error) {
      context.stderr.write(`${describeFailure(error)}\n`)
      context.finish(exitCodes.failure)
    }
  })
  return addConfigFlags(command)
}
