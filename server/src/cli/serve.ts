import { Command } from 'commander'
import type { App } from '../app.ts'
import { describeConfig } from '../config.ts'
import type { CommandContext } from './command-context.ts'
import { addConfigFlags, readCommandConfig } from './config-flags.ts'
import { exitCodes } from './exit-codes.ts'
import { runServer } from './run-server.ts'

/** `countersign serve`: the server, strict. */
export function serveCommand(context: CommandContext): Command {
  const command = new Command('serve')
    .description('run the server; only public https receivers unless the options say otherwise')
    .addHelpText('after', examples)
    .action(async () => {
      const read = readCommandConfig(command, context)
      if (read === null) return context.finish(exitCodes.usage)
      const { config, warnings } = read
      const code = await runServer({
        context,
        config,
        warnings,
        onStarted(app, logger) {
          logger.info({ options: describeConfig(config) }, `Listening on ${app.url}`)
          showNewRootKey(app, context)
        },
      })
      context.finish(code)
    })
  return addConfigFlags(command)
}

/** On a terminal only: anywhere else, standard output is a log stream that others keep and read. */
function showNewRootKey(app: App, { stdout }: CommandContext): void {
  if (!app.isRootKeyNew || !stdout.isTTY) return
  stdout.write(`\nRoot key, also kept in ${app.rootKeyFile}:\n\n  ${app.rootKeys[0]}\n\n`)
}

const examples = `
Every option is also an environment variable: --data-dir is COUNTERSIGN_DATA_DIR. Secrets are
environment variables only: COUNTERSIGN_ROOT_KEY, COUNTERSIGN_MASTER_KEYS.

Examples:
  $ countersign serve --port 9000 --data-dir /var/lib/countersign
  $ COUNTERSIGN_LOG_LEVEL=debug countersign serve
  $ countersign serve --allowed-networks 10.0.0.0/8 --allow-http
`
