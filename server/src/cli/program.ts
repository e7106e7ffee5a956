import { Command, CommanderError } from 'commander'
import { version } from '../version.ts'
import { backupCommand } from './backup.ts'
import { benchCommand } from './bench.ts'
import { clientCommands } from './client/commands.ts'
import type { CommandContext } from './command-context.ts'
import { completionCommand } from './completion.ts'
import { demoCommand } from './demo.ts'
import { devCommand } from './dev.ts'
import { doctorCommand } from './doctor.ts'
import { examplesText } from './examples.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'
import { migrateCommand } from './migrate.ts'
import { migrateStoreCommand } from './migrate-store.ts'
import { offlineCommands } from './offline/commands.ts'
import { restoreCommand } from './restore.ts'
import { serveCommand } from './serve.ts'

const groups: readonly {
  heading: string
  commands: readonly ((context: CommandContext) => Command)[]
}[] = [
  {
    heading: 'The server:',
    commands: [
      ...[serveCommand, devCommand, demoCommand, benchCommand, migrateCommand],
      ...[doctorCommand, backupCommand, restoreCommand, migrateStoreCommand],
    ],
  },
  { heading: 'Against a server:', commands: clientCommands },
  { heading: 'Without a server:', commands: [...offlineCommands, completionCommand] },
]

/** Runs one command line and says what the process ends with. */
export async function runProgram(context: Omit<CommandContext, 'finish'>): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.ok
  const finish = (code: ExitCode) => {
    exitCode = code
  }
  try {
    await createProgram({ ...context, finish }).parseAsync(context.args, { from: 'user' })
    return exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Commander has said it already: help and version end with 0, a wrong command line with 1.
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  }
}

/** Every command, put together; nothing has run yet. */
export function createProgram(context: CommandContext): Command {
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
