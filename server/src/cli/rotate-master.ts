import { Command } from 'commander'
import type { CommandContext } from './command-context.ts'
import { createProgressBar } from './progress-bar.ts'
import { storeCommand } from './store-command.ts'

/** `countersign keys rotate-master`: everything sealed comes under the first master key. */
export function rotateMasterCommand(context: CommandContext): Command {
  const rotate = new Command('rotate-master')
    .description(
      'seal every secret, header value and kept answer under the first master key, also while a server runs that knows it; can be interrupted and run again',
    )
    .option('--new-key', 'only put a new key first into the key file of the data directory')
    .addHelpText('after', examples)
  return storeCommand(rotate, context, async ({ addMasterKey, resealStore }, config) => {
    if (rotate.opts<{ newKey?: boolean }>().newKey === true) {
      const { file } = addMasterKey(config)
      context.stdout.write(
        `A new master key stands first in ${file}. Restart the server, so that it knows the key, and then run countersign keys rotate-master.\n`,
      )
      return
    }
    const bar = createProgressBar(context.stderr, 'Sealing')
    const { resealed, total } = await resealStore(config, bar.update)
    bar.end()
    context.stdout.write(
      `${resealed} of ${total} sealed values were under another key and are now under the first one. Keys after the first can be taken out; access tokens that were made under them end with that.\n`,
    )
  })
}

const examples = `
Examples:
  $ countersign keys rotate-master --new-key --data-dir /var/lib/countersign
      1. a new key, where the key file is used; 2. restart the server, so that it knows both
  $ countersign keys rotate-master --data-dir /var/lib/countersign
      3. everything comes under the new one
`
