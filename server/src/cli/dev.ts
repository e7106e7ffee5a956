import { ApiError, Countersign } from '@countersign/sdk'
import { Command } from 'commander'
import type { App } from '../app.ts'
import { type Config, devDefaults } from '../config.ts'
import type { CommandContext } from './command-context.ts'
import { addConfigFlags, readCommandConfig } from './config-flags.ts'
import { devGreeting, reachableUrl } from './dev-greeting.ts'
import { exitCodes } from './exit-codes.ts'
import { runServer } from './run-server.ts'

/** `countersign dev`: the server with receivers on this machine allowed, and a demo project. */
export function devCommand(context: CommandContext): Command {
  const command = new Command('dev')
    .description('run the server for trying out: receivers on this machine, and a demo project')
    .addHelpText('after', examples)
    .action(async () => {
      const read = readCommandConfig(command, context, devDefaults)
      if (read === null) return context.finish(exitCodes.usage)
      const { config, warnings } = read
      const code = await runServer({
        context,
        config,
        warnings,
        async onStarted(app) {
          await ensureDemoProject(app)
          context.stdout.write(greet(app, config, context))
        },
      })
      context.finish(code)
    })
  return addConfigFlags(command)
}

const demoProjectUid = 'demo'

async function ensureDemoProject(app: App): Promise<void> {
  const { projects } = new Countersign({
    baseUrl: reachableUrl(app.url),
    apiKey: app.rootKeys[0],
  })
  try {
    await projects.get(demoProjectUid)
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error
    await projects.create({ uid: demoProjectUid, name: 'Demo' })
  }
}

function greet(app: App, config: Config, { stdout }: CommandContext): string {
  const [rootKey = ''] = app.rootKeys
  return devGreeting({
    url: reachableUrl(app.url),
    dataDir: config.dataDir,
    projectUid: demoProjectUid,
    rootKeyFile: app.rootKeyFile,
    rootKeyCount: app.rootKeys.length,
    shownRootKey: stdout.isTTY ? rootKey : null,
  })
}

const examples = `
As serve, with these defaults: --allow-http --allowed-networks ${devDefaults.allowedNetworks}

Examples:
  $ countersign dev
  $ countersign dev --port 9000 --data-dir ./scratch
`
