import type { Command } from 'commander'
import type { SystemClock } from '../clock.ts'
import type { Environment } from '../config.ts'
import type { ExitCode } from './exit-codes.ts'

/** What a command gets from the process, so that it takes nothing from it by itself. */
export interface CommandContext {
  environment: Environment
  stdin: NodeJS.ReadableStream
  stdout: NodeJS.WriteStream
  stderr: NodeJS.WriteStream
  clock: SystemClock
  /** The whole command line, without the program's own name. */
  args: readonly string[]
  /** Says what the process ends with; called once by each command. */
  finish(code: ExitCode): void
}

/** Commands that stand together in the help. */
export interface CommandGroup {
  heading: string
  commands: readonly ((context: CommandContext) => Command)[]
}
