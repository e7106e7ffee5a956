#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { backupCommand } from './cli/backup.ts'
import type { CommandContext } from './cli/command-context.ts'
import { demoCommand } from './cli/demo.ts'
import { devCommand } from './cli/dev.ts'
import { doctorCommand } from './cli/doctor.ts'
import { type ExitCode, exitCodes } from './cli/exit-codes.ts'
import { keysCommand } from './cli/keys.ts'
import { migrateCommand } from './cli/migrate.ts'
import { migrateStoreCommand } from './cli/migrate-store.ts'
import { restoreCommand } from './cli/restore.ts'
import { serveCommand } from './cli/serve.ts'
import { createClock } from './clock.ts'
import { processEnvironment } from './config.ts'
import { version } from './version.ts'

const commands = [
  ...[serveCommand, devCommand, migrateCommand, demoCommand],
  ...[doctorCommand, backupCommand, restoreCommand, keysCommand, migrateStoreCommand],
]

/** The process: arguments → command → exit code. */
process.exit(await run(process.argv.slice(2)))

async function run(args: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.ok
  const context: CommandContext = {
    environment: processEnvironment(),
    stdout: process.stdout,
    stderr: process.stderr,
    clock: createClock(),
    finish(code) {
      exitCode = code
    },
  }
  try {
    await createProgram(context).parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Commander has said it already: help and version end with 0, a wrong command line with 1.
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  }
}

function createProgram(context: CommandContext): Command {
  const program = new Command('countersign')
    .description('A self-hosted webhook server whose secrets rotate without losing a delivery.')
    .version(version)
    .showHelpAfterError('(--help shows what is possible)')
    .addHelpText('after', moreHelp())
    // Set before the commands are added: they take it over.
    .exitOverride()
  for (const createCommand of commands) {
    const command = createCommand(context).copyInheritedSettings(program)
    program.addCommand(command)
  }
  return program
}

function moreHelp(): string {
  return `
Exit codes:
  ${exitCodes.ok}  done, or stopped in good order
  ${exitCodes.failure}  could not start, did not succeed, or was told twice to stop
  ${exitCodes.usage}  the configuration or the command line is wrong; nothing was done

Examples:
  $ countersign dev                    try it out on this machine
  $ countersign serve --port 9000      run it; docs/configuration.md lists the options
  $ countersign demo                   watch a rotation under load
`
}
