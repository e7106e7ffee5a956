import { Command } from 'commander'
import type { CommandContext } from './command-context.ts'
import { storeCommand } from './store-command.ts'

/** `countersign restore <file>`: puts a backup in the place of the store. */
export function restoreCommand(context: CommandContext): Command {
  const command = new Command('restore')
    .description('put a backup in the place of the store; the server must be stopped')
    .argument('<file>', 'what countersign backup wrote')
    .option('--force', 'replace a store that is there; it is kept under another name')
    .addHelpText('after', examples)
  return storeCommand(command, context, async ({ restoreStore }, config, file: string) => {
    const isForced = command.opts<{ force?: boolean }>().force === true
    const { keptAs } = await restoreStore(config, file, isForced)
    if (keptAs !== null) context.stdout.write(`The store that was there is ${keptAs}.\n`)
    context.stdout.write(
      `The store in ${config.dataDir} is that of the backup. What was pending in it is due at once when the server starts, so receivers may see events again that they have had since: they know them by their webhook-id.\n`,
    )
  })
}

const examples = `
Examples:
  $ countersign restore /backups/countersign-2026-11-21.db --data-dir /var/lib/countersign
`
