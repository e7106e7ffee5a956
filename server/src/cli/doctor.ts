import { Command } from 'commander'
import { readConfig } from '../config.ts'
import type { Finding } from '../store-tools.ts'
import type { CommandContext } from './command-context.ts'
import { addConfigFlags, flagTexts } from './config-flags.ts'
import { exitCodes } from './exit-codes.ts'

const marks = { ok: '✔', warning: '!', problem: '✖' } as const

/** `countersign doctor`: what is wrong with an installation, and what to do about it. */
export function doctorCommand(context: CommandContext): Command {
  const command = new Command('doctor')
    .description(
      'check configuration, data directory, store, master keys, clock and address guard, each finding with its fix',
    )
    .option('--json', 'for programs')
    .addHelpText('after', examples)
    .action(async () => {
      const findings = await examine(command, context)
      const isJson = command.opts<{ json?: boolean }>().json === true
      if (isJson) context.stdout.write(`${JSON.stringify(findings, null, 2)}\n`)
      else for (const finding of findings) context.stdout.write(linesOf(finding))
      const isBad = findings.some(({ level }) => level === 'problem')
      context.finish(isBad ? exitCodes.failure : exitCodes.ok)
    })
  return addConfigFlags(command)
}

async function examine(command: Command, context: CommandContext): Promise<Finding[]> {
  const read = readConfig(context.environment, { flags: flagTexts(command) })
  if (!read.ok) {
    return read.problems.map((problem) => ({
      what: 'configuration',
      level: 'problem',
      detail: problem,
      fix: 'Set it right; docs/configuration.md lists every option.',
    }))
  }
  const warnings = read.warnings.map(
    (detail): Finding => ({
      what: 'configuration',
      level: 'warning',
      detail,
      fix: 'Correct the name, or take the variable away.',
    }),
  )
  const fine: Finding = {
    what: 'configuration',
    level: 'ok',
    detail: 'Every option can be read.',
    fix: null,
  }
  const { inspect } = await import('../store-tools.ts')
  return [fine, ...warnings, ...(await inspect(read.config, context.clock.now()))]
}

function linesOf({ what, level, detail, fix }: Finding): string {
  return `${marks[level]} ${what}: ${detail}\n${fix === null ? '' : `    → ${fix}\n`}`
}

const examples = `
Examples:
  $ countersign doctor --data-dir /var/lib/countersign
`
