import { Command } from 'commander'
import type { CommandContext } from './command-context.ts'
import { createProgressBar } from './progress-bar.ts'
import { storeCommand } from './store-command.ts'

/** `countersign backup <file>`: a consistent copy, beside a server that goes on serving. */
export function backupCommand(context: CommandContext): Command {
  const command = new Command('backup')
    .description('write a consistent copy of the store, also while a server uses it')
    .argument('<file>', 'where to write it; must not exist')
    .addHelpText('after', examples)
  return storeCommand(command, context, async ({ backupStore }, config, file: string) => {
    const bar = createProgressBar(context.stderr, 'Copying')
    const { bytes, hasClearedUnfinished } = await backupStore(config, file, bar.update)
    bar.end()
    if (hasClearedUnfinished) {
      context.stdout.write(`What an unfinished backup to ${file} had left was removed.\n`)
    }
    context.stdout.write(
      `The store is in ${file} (${(bytes / 1024 / 1024).toFixed(1)} MB), checked. The master key is not in it: keep a copy of it elsewhere, or the secrets in this backup cannot be opened.\n`,
    )
  })
}

const examples = `
Examples:
  $ countersign backup /backups/countersign-$(date +%F).db --data-dir /var/lib/countersign
`
