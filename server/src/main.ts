#!/usr/bin/env node
import { exitCodes } from './cli/exit-codes.ts'
import { guardOutput } from './cli/guard-output.ts'
import { runProgram } from './cli/program.ts'
import { refuseOldNode } from './cli/refuse-old-node.ts'
import { createClock } from './clock.ts'
import { processEnvironment } from './config.ts'

/** The process: arguments → command → exit code. */
const output = guardOutput(process)
const refusal = refuseOldNode(process.versions.node)
if (refusal !== null) {
  process.stderr.write(`${refusal}\n`)
  process.exit(exitCodes.failure)
}
const code = await runProgram({
  environment: processEnvironment(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  clock: createClock(),
  args: process.argv.slice(2),
})
process.exit(await output.finish(code))
