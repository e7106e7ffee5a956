import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import type { CommandContext } from './command-context.ts'
import { examplesText } from './examples.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'
import { choice } from './options.ts'
import { waitUntilStopped } from './wait-until-stopped.ts'

const lengths = ['smoke', 'quick', 'full'] as const

/** `countersign bench`: as `npm run bench`, which has more to choose from. */
export function benchCommand(context: CommandContext): Command {
  return new Command('bench')
    .description('measure this server beside the raw ceiling of this machine, from a checkout')
    .addOption(choice('--length <length>', 'a minute, two, or about ten', lengths).default('quick'))
    .addHelpText(
      'after',
      examplesText([['countersign bench'], ['countersign bench --length smoke']]),
    )
    .action(async ({ length }: { length: (typeof lengths)[number] }) => {
      context.finish(await bench(context, length))
    })
}

async function bench(context: CommandContext, length: (typeof lengths)[number]): Promise<ExitCode> {
  const entry = join(import.meta.dirname, '..', '..', '..', 'bench', 'bench.ts')
  if (!existsSync(entry)) {
    context.stderr.write(
      'The benchmark is in a checkout, not in the package: it compiles what it compares with.\n',
    )
    return exitCodes.failure
  }
  using stopping = waitUntilStopped(context)
  const parameters = length === 'full' ? [entry] : [entry, `--${length}`]
  const child = spawn(process.execPath, parameters, { stdio: 'inherit' })
  stopping.signal.addEventListener('abort', () => child.kill('SIGTERM'))
  const [code] = await once(child, 'close')
  return code === 0 ? exitCodes.ok : exitCodes.failure
}
