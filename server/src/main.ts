#!/usr/bin/env node
import { runProgram } from './cli/program.ts'
import { createClock } from './clock.ts'
import { processEnvironment } from './config.ts'

/** The process: arguments → command → exit code. */
process.exit(
  await runProgram({
    environment: processEnvironment(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    clock: createClock(),
    args: process.argv.slice(2),
  }),
)
