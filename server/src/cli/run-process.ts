import { createClock } from '../clock.ts'
import { processEnvironment } from '../config.ts'
import { exitCodes } from './exit-codes.ts'
import { guardOutput } from './guard-output.ts'
import { runProgram } from './program.ts'
import { refuseOldNode } from './refuse-old-node.ts'

/** Arguments → command → exit code. Does not return. */
export async function runProcess(): Promise<never> {
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
}
