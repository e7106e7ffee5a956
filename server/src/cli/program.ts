import { Command, CommanderError } from 'commander'
import { version } from '../version.ts'
import type { CommandContext, CommandGroup } from './command-context.ts'
import { examplesText } from './examples.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'
import { serveCommand } from './serve.ts'

/** Runs one command line and says what the process ends with. */
export async function runProgram(context: Omit<CommandContext, 'finish'>): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.ok
  const finish = (code: ExitCode) => {
    exitCode = code
  }
  try {
    const program = createProgram({ ...context, finish }, await commandsFor(context.args))
    await program.parseAsync(context.args, { from: 'user' })
    return exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Commander has said it already: help and version end with 0, a wrong command line with 1.
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  }
}

/** A server holds what it has loaded for months: it knows no command but its own. */
async function commandsFor([name]: readonly string[]): Promise<readonly CommandGroup[]> {
  if (name === 'serve') return [{ heading: 'The server:', commands: [serveCommand] }]
  return (await import('./all-commands.ts')).allCommands
}

/** The commands, put together; nothing has run yet. */
export function createProgram(context: CommandContext, groups: readonly CommandGroup[]): Command {
  const program = new Command('countersign')
    .description('A self-hosted webhook server whose secrets rotate without losing a delivery.')
    .version(version)
    .addHelpText('after', moreHelp)
  for (const { heading, commands } of groups) {
    program.commandsGroup(heading)
    for (const createCommand of commands) program.addCommand(createCommand(context))
  }
  for (const command of [program, ...descendantsOf(program)]) {
    command
      .exitOverride()
      .showHelpAfterError('(--help shows what is possible)')
      .configureOutput({
        writeOut: (text) => context.stdout.write(text),
        writeErr: (text) => context.stderr.write(text),
      })
  }
  return program
}

/** Commands below a command, of every depth. */
export function descendantsOf(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...descendantsOf(child)])
}

const moreHelp = `
Exit codes:
  ${exitCodes.ok}  done, or stopped in good order
  ${exitCodes.failure}  could not start, was refused, did not pass, or was told twice to stop
  ${exitCodes.usage}  the configuration or the command line is wrong; nothing was done
  ${exitCodes.unreachable}  no answer from the server; what was asked may have been done all the same
${examplesText([
  ['countersign dev', 'try it out on this machine'],
  ['countersign serve --port 9000', 'run it; docs/configuration.md lists the options'],
  ['countersign demo', 'watch a rotation under load'],
  ['countersign endpoints list', 'what a server has'],
  ['countersign endpoints rotate-secret billing', 'replace a signing secret'],
  ['countersign drill http://127.0.0.1:3000/hooks --secret-from hook.secret', 'try a receiver'],
])}`
