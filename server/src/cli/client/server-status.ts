import type { Command } from 'commander'
import type { CommandContext } from '../command-context.ts'
import { clientCommand } from './client-command.ts'

/** `countersign status`: whether the server serves. */
export function statusCommand(context: CommandContext): Command {
  return clientCommand(context, {
    name: 'status',
    description: 'ask whether a server is alive and can serve requests',
    isInstance: true,
    examples: [['countersign status'], ['countersign status --url http://127.0.0.1:8080 --json']],
    async run({ client, output }) {
      const { status: health } = await client.server.checkHealth()
      const { status: readiness } = await client.server.checkReadiness()
      output.show({ health, readiness })
    },
  })
}
