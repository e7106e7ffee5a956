import { type Command, Option } from 'commander'
import {
  type Config,
  flagOf,
  type OptionName,
  type OptionTexts,
  readConfig,
  tableRows,
} from '../config.ts'
import type { CommandContext } from './command-context.ts'

/** Gives a command a flag for every option that is not a secret. */
export function addConfigFlags(command: Command): Command {
  for (const { flag } of configFlags()) command.addOption(flag)
  return command
}

/**
 * Reads the configuration for a command: its flags, the environment, its own defaults. Null when
 * something is wrong; all of it has then been said on stderr.
 */
export function readCommandConfig(
  command: Command,
  { environment, stderr }: Pick<CommandContext, 'environment' | 'stderr'>,
  defaults: OptionTexts = {},
): { config: Config; warnings: string[] } | null {
  const result = readConfig(environment, { flags: flagTexts(command), defaults })
  if (result.ok) return result
  stderr.write('The configuration is not right; nothing was started:\n')
  for (const problem of result.problems) stderr.write(`  - ${problem}\n`)
  return null
}

/** What the flags of the configuration were given, by option. */
export function flagTexts(command: Command): OptionTexts {
  const given = command.opts<Record<string, string | undefined>>()
  return Object.fromEntries(
    configFlags().map(({ name, flag }) => [name, given[flag.attributeName()]]),
  )
}

function configFlags(): { name: OptionName; flag: Option }[] {
  return tableRows()
    .filter(([, option]) => !option.isSecret)
    .map(([name, option]) => {
      // A switch may stand alone: --allow-http is --allow-http true.
      const isSwitch = option.default === 'true' || option.default === 'false'
      const flag = `${flagOf(option)} ${isSwitch ? '[true|false]' : '<value>'}`
      const help = `${option.sentence} (${option.default ?? option.absent?.means})`
      return { name, flag: new Option(flag, help).preset('true') }
    })
}
