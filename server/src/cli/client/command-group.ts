import { Command } from 'commander'
import type { CommandContext } from '../command-context.ts'

/** Makes `countersign <name> …` of its commands. */
export function commandGroup(
  name: string,
  description: string,
  commands: readonly ((context: CommandContext) => Command)[],
): (context: CommandContext) => Command {
  return (context) => {
    const group = new Command(name).description(description)
    for (const createCommand of commands) group.addCommand(createCommand(context))
    return group
  }
}
