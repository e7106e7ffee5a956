import { Command } from 'commander'
import type { CommandContext } from '../command-context.ts'
import { examplesText } from '../examples.ts'
import { exitCodes } from '../exit-codes.ts'
import { httpUrl, option, readLine } from '../options.ts'
import { UsageError } from '../usage-error.ts'
import { reportFailure } from './client-command.ts'
import { createOutput } from './output.ts'
import { type ProfileFile, profileFilePath, readProfileFile, writeProfileFile } from './profiles.ts'

/** `countersign profiles`: servers under a name. */
export function profilesCommand(context: CommandContext): Command {
  return new Command('profiles')
    .description('servers and keys under a name, kept for you with mode 0600')
    .addCommand(setCommand(context))
    .addCommand(listCommand(context))
    .addCommand(useCommand(context))
    .addCommand(removeCommand(context))
}

function setCommand(context: CommandContext): Command {
  const command = new Command('set')
    .description('keep a profile, or change one; the first is used from then on')
    .argument('<name>', 'how you call it')
    .addOption(option('--url <url>', 'where the server is', httpUrl))
    .addOption(option('--api-key-from <file>', 'where the key is; - is standard input'))
    .addOption(option('--project <project>', 'id or uid, where a command names none'))
    .addHelpText(
      'after',
      examplesText([
        [
          'countersign profiles set dev --url http://127.0.0.1:8080 --api-key-from data/root-key --project demo',
        ],
        [
          'echo "$KEY" | countersign profiles set prod --url https://hooks.example --api-key-from -',
        ],
      ]),
    )
  return work(command, context, async (name, file) => {
    const { url, apiKeyFrom, project } = command.opts<Record<string, string | undefined>>()
    const apiKey = apiKeyFrom === undefined ? undefined : await readLine(context, apiKeyFrom)
    const given = Object.entries({ url, apiKey, project }).filter(([, text]) => text !== undefined)
    file.profiles[name] = { ...file.profiles[name], ...Object.fromEntries(given) }
    file.current ??= name
    return `Profile ${name} is kept in ${profileFilePath(context.environment)}.`
  })
}

function useCommand(context: CommandContext): Command {
  const command = new Command('use')
    .description('use this profile where none is named')
    .argument('<name>', 'of the profile')
    .addHelpText('after', examplesText([['countersign profiles use dev']]))
  return work(command, context, async (name, file) => {
    if (file.profiles[name] === undefined) throw new UsageError(`There is no profile ${name}.`)
    file.current = name
    return `${name} is used from now on.`
  })
}

function removeCommand(context: CommandContext): Command {
  const command = new Command('remove')
    .description('forget a profile and its key')
    .argument('<name>', 'of the profile')
    .addHelpText('after', examplesText([['countersign profiles remove old']]))
  return work(command, context, async (name, file) => {
    if (file.profiles[name] === undefined) throw new UsageError(`There is no profile ${name}.`)
    delete file.profiles[name]
    if (file.current === name) delete file.current
    return `${name} is forgotten.`
  })
}

function listCommand(context: CommandContext): Command {
  const command = new Command('list')
    .description('list profiles, without their keys')
    .option('--json', 'for programs')
    .addHelpText('after', examplesText([['countersign profiles list']]))
  return command.action(() => {
    try {
      const { current, profiles } = readProfileFile(profileFilePath(context.environment))
      const rows = Object.entries(profiles).map(([name, { url, project, apiKey }]) => ({
        ...{ name, url: url ?? null, project: project ?? null },
        ...{ hasKey: apiKey !== undefined, isCurrent: name === current },
      }))
      createOutput(context, command.opts<{ json?: boolean }>().json === true).list(rows, [
        { title: 'name', of: ({ name, isCurrent }) => (isCurrent ? `${name} *` : name) },
        { title: 'url', of: ({ url }) => url },
        { title: 'project', of: ({ project }) => project },
        { title: 'key', of: ({ hasKey }) => (hasKey ? 'kept' : null) },
      ])
      context.finish(exitCodes.ok)
    } catch (error) {
      context.finish(reportFailure(error, context))
    }
  })
}

/** Reads the file, changes it, writes it, and says what was done. */
function work(
  command: Command,
  context: CommandContext,
  change: (name: string, file: ProfileFile) => Promise<string>,
): Command {
  return command.action(async (name: string) => {
    try {
      const path = profileFilePath(context.environment)
      const file = readProfileFile(path)
      const sentence = await change(name, file)
      writeProfileFile(path, file)
      context.stdout.write(`${sentence}\n`)
      context.finish(exitCodes.ok)
    } catch (error) {
      context.finish(reportFailure(error, context))
    }
  })
}
