import {
  type VerifyWebhookOptions,
  verifyWebhook,
  type WebhookFormatName,
  WebhookVerificationError,
} from '@countersign/sdk'
import { Command } from 'commander'
import { reportFailure } from '../client/client-command.ts'
import { createOutput } from '../client/output.ts'
import type { CommandContext } from '../command-context.ts'
import { examplesText } from '../examples.ts'
import { type ExitCode, exitCodes } from '../exit-codes.ts'
import { choice, count, jsonObject, option, readInput, time } from '../options.ts'
import { readSecrets, secretFromOption } from '../signer.ts'
import { UsageError } from '../usage-error.ts'

interface VerifyOptions {
  headersFrom: string
  format: WebhookFormatName
  secretFrom?: string
  tolerance: number
  at?: Date
  json?: boolean
}

const formatNames: readonly WebhookFormatName[] = [
  ...(['standard', 'mobilerun', 'composio', 'h-company', 'devtune', 'dinie'] as const),
  ...(['stripe', 'github'] as const),
]

/** `countersign verify <body>`: whether a delivery holds, and why not. */
export function verifyCommand(context: CommandContext): Command {
  const command = new Command('verify')
    .description('tell whether a delivery that you kept was signed with your secret, and why not')
    .argument('<file>', 'the body, byte for byte; - is standard input')
    .addOption(
      option(
        '--headers-from <file>',
        'lines of “name: value”, or a JSON object',
      ).makeOptionMandatory(),
    )
    .addOption(choice('--format <format>', 'how it looks', formatNames).default('standard'))
    .addOption(secretFromOption)
    .addOption(
      option('--tolerance <seconds>', 'how far its time may be off', count(0, 10 ** 10)).default(
        300,
      ),
    )
    .addOption(option('--at <time>', 'as if it were then; now where absent', time))
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      examplesText([
        ['countersign verify body.json --headers-from headers.txt --secret-from hook.secret'],
        [
          'countersign verify body.json --headers-from headers.txt --secret-from hook.secret --tolerance 86400 --json',
        ],
      ]),
    )
  return command.action(async (file: string, options: VerifyOptions) => {
    try {
      context.finish(await verify(context, file, options))
    } catch (error) {
      context.finish(reportFailure(error, context))
    }
  })
}

async function verify(
  context: CommandContext,
  file: string,
  { headersFrom, format, secretFrom, tolerance, at, json }: VerifyOptions,
): Promise<ExitCode> {
  const output = createOutput(context, json === true)
  const body = await readInput(context, file)
  const headers = readHeaders((await readInput(context, headersFrom)).toString('utf8'))
  const secrets = await readSecrets(context, secretFrom)
  const now = at ?? new Date(context.clock.now())
  const options: VerifyWebhookOptions<WebhookFormatName> = {
    ...{ format, now, toleranceSeconds: tolerance },
  }
  try {
    const { id, type, timestamp, matchedSecretIndex } = await verifyWebhook(
      ...([body, headers, secrets, options] as const),
    )
    const secret = matchedSecretIndex + 1
    output.show({ verified: true, id, type, timestamp: timestamp?.toISOString() ?? null, secret })
    return exitCodes.ok
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error
    output.show({ verified: false, code: error.code, detail: error.message })
    return exitCodes.failure
  }
}

function readHeaders(text: string): Record<string, string> {
  if (text.trimStart().startsWith('{')) return jsonObject(text) as Record<string, string>
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '')
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':')
      if (colon < 1) throw new UsageError('Each line of the headers must be “name: value”.')
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]
    }),
  )
}
