import type { Command } from 'commander'
import type { CommandContext } from '../command-context.ts'
import { drillCommand } from './drill.ts'
import { signCommand } from './sign.ts'
import { verifyCommand } from './verify.ts'

/** Commands that need no server, in the order of the help. */
export const offlineCommands: readonly ((context: CommandContext) => Command)[] = [
  ...[drillCommand, signCommand, verifyCommand],
]
