import { ApiError, ConnectionError, Countersign, type CountersignError } from '@countersign/sdk'
import { Command, type Option } from 'commander'
import type { CommandContext } from '../command-context.ts'
import { type Example, examplesText } from '../examples.ts'
import { type ExitCode, exitCodes } from '../exit-codes.ts'
import { option } from '../options.ts'
import { UsageError } from '../usage-error.ts'
import { createOutput, type Output } from './output.ts'
import { type Profile, profileFilePath, readProfileFile } from './profiles.ts'

/** What a command against a server works with. */
export interface ClientSession {
  client: Countersign
  /** The project that was named, or that of the profile. */
  readonly project: string
  output: Output
  context: CommandContext
}

/** One command against a server. */
export interface ClientCommandSpec<Options> {
  name: string
  description: string
  /** Each argument as it is written, with what it is: `<endpoint>`, `[name]`, `<ids...>`. */
  args?: Readonly<Record<string, string>>
  options?: readonly Option[]
  examples: readonly Example[]
  /** A paragraph before the examples. */
  note?: string
  /** The command is about the whole server: it takes no project. */
  isInstance?: boolean
  /** Nothing returned: it succeeded. */
  // biome-ignore lint/suspicious/noConfusingVoidType: most commands have nothing to return.
  run(session: ClientSession, args: string[], options: Options): Promise<ExitCode | void>
}

interface CommonOptions {
  profile?: string
  url?: string
  project?: string
  json?: boolean
}

/** Makes a command that reaches its server through the SDK, as the profile or the variables say. */
export function clientCommand<Options = Record<never, never>>(
  context: CommandContext,
  spec: ClientCommandSpec<Options>,
): Command {
  const command = new Command(spec.name).description(spec.description)
  for (const [argument, help] of Object.entries(spec.args ?? {})) command.argument(argument, help)
  for (const each of spec.options ?? []) command.addOption(each)
  if (!spec.isInstance) {
    command.option('--project <project>', 'id or uid; else COUNTERSIGN_PROJECT, or the profile’s')
  }
  return command
    .addOption(option('--profile <name>', 'which server; see countersign profiles'))
    .addOption(option('--url <url>', 'where the server is; else COUNTERSIGN_URL, or the profile’s'))
    .option('--json', 'for programs: what the API answers')
    .addHelpText('after', examplesText(spec.examples, spec.note))
    .action(async () => {
      const options = command.opts<Options & CommonOptions>()
      const output = createOutput(context, options.json === true)
      try {
        const session = openSession(context, options, output)
        // Several words for one argument come as a list.
        const args = command.processedArgs.flat().filter((arg) => arg !== undefined)
        context.finish((await spec.run(session, args, options)) ?? exitCodes.ok)
      } catch (error) {
        context.finish(reportFailure(error, context))
      }
    })
}

/** Says on standard error what went wrong, and returns the exit code for it. */
export function reportFailure(error: unknown, { stderr }: CommandContext): ExitCode {
  if (error instanceof UsageError || error instanceof TypeError) {
    stderr.write(`${error.message}\n`)
    return exitCodes.usage
  }
  if (error instanceof ApiError) {
    stderr.write(`${error.message}\n`)
    for (const { param, detail } of error.errors) stderr.write(`  ${param}: ${detail}\n`)
    return exitCodes.failure
  }
  if (error instanceof ConnectionError) {
    stderr.write(`${error.message}\n`)
    return exitCodes.unreachable
  }
  stderr.write(`${(error as CountersignError).message}\n`)
  return exitCodes.failure
}

function openSession(
  context: CommandContext,
  options: CommonOptions,
  output: Output,
): ClientSession {
  const profile = effectiveProfile(context, options)
  const { url, apiKey } = profile
  if (!url || !apiKey) {
    throw new UsageError(
      `${url ? 'No API key' : 'No server'} is known. Set COUNTERSIGN_URL and COUNTERSIGN_API_KEY, or keep a profile: countersign profiles set --help.`,
    )
  }
  return {
    client: new Countersign({ baseUrl: url, apiKey }),
    get project() {
      const project = options.project ?? profile.project
      if (project) return project
      throw new UsageError('Name the project: --project, COUNTERSIGN_PROJECT, or in the profile.')
    },
    output,
    context,
  }
}

/**
 * Flags go before variables, and those before the profile. A profile that is named goes before
 * the variables: it is a choice made now.
 */
function effectiveProfile({ environment }: CommandContext, options: CommonOptions): Profile {
  const variables = definedIn({
    url: environment.COUNTERSIGN_URL,
    apiKey: environment.COUNTERSIGN_API_KEY,
    project: environment.COUNTERSIGN_PROJECT,
  })
  const path = profileFilePath(environment)
  const file = readProfileFile(path)
  const chosen = options.profile ?? environment.COUNTERSIGN_PROFILE
  const name = chosen ?? file.current
  const kept = name === undefined ? {} : file.profiles[name]
  if (kept === undefined) throw new UsageError(`There is no profile ${name} in ${path}.`)
  const profile = chosen === undefined ? { ...kept, ...variables } : { ...variables, ...kept }
  return { ...profile, ...definedIn({ url: options.url }) }
}

function definedIn(profile: { [Name in keyof Profile]: Profile[Name] | undefined }): Profile {
  return Object.fromEntries(Object.entries(profile).filter(([, text]) => text))
}
