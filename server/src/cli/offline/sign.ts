import { Command, InvalidArgumentError } from 'commander'
import { reportFailure } from '../client/client-command.ts'
import type { CommandContext } from '../command-context.ts'
import { examplesText } from '../examples.ts'
import { exitCodes } from '../exit-codes.ts'
import { option, readInput, time } from '../options.ts'
import { createSigner, formatOption, readKey, readSecrets, secretFromOption } from '../signer.ts'

interface SignOptions {
  format: string
  secretFrom?: string
  id: string
  type: string
  timestamp?: Date
  json?: boolean
}

/** It is signed text: with a dot in it, the signature would hold for another id as well. */
function eventId(text: string): string {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(text)) return text
  throw new InvalidArgumentError('It must be 1 to 64 letters, digits, _ and -.')
}

/** `countersign sign <body>`: the headers that a delivery of this body carries. */
export function signCommand(context: CommandContext): Command {
  const command = new Command('sign')
    .description('print the headers that a delivery with this body carries')
    .argument('<file>', 'the body, byte for byte; - is standard input')
    .addOption(formatOption)
    .addOption(secretFromOption)
    .addOption(option('--id <id>', 'of the event', eventId).default('evt_local'))
    .addOption(option('--type <type>', 'of the event, where a header has it').default('order.paid'))
    .addOption(option('--timestamp <time>', 'when it is signed; now where absent', time))
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      examplesText([
        ['countersign sign body.json --secret-from hook.secret'],
        [
          'COUNTERSIGN_SECRET=whsec_dGVzdC1zZWNyZXQtMDEyMzQ1Njc4OWFiY2RlZg== countersign sign body.json',
        ],
        ['countersign sign body.json --format h-company --secret-from hook.secret --json'],
      ]),
    )
  return command.action(async (file: string, options: SignOptions) => {
    try {
      const signer = createSigner(options.format)
      const secrets = await readSecrets(context, options.secretFrom)
      const keys = secrets.map((text) => readKey(signer.format, text))
      const body = await readInput(context, file)
      const at = options.timestamp?.getTime() ?? context.clock.now()
      const headers = signer.headers({ id: options.id, type: options.type, body, at, keys })
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
      const text = options.json ? JSON.stringify(headers, null, 2) : lines.join('\n')
      context.stdout.write(`${text}\n`)
      context.finish(exitCodes.ok)
    } catch (error) {
      context.finish(reportFailure(error, context))
    }
  })
}
