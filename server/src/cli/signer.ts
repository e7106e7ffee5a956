import type { Format, FormatEvent, SigningKey } from '../formats/format.ts'
import { formatNames, formats } from '../formats/registry.ts'
import { readSecretText } from '../formats/secret-text.ts'
import type { CommandContext } from './command-context.ts'
import { choice, option, readInput } from './options.ts'
import { UsageError } from './usage-error.ts'

/** A request as it goes to a receiver. */
export interface SignedDelivery {
  body: Uint8Array
  headers: Record<string, string>
}

/** Signs as the server does: the same code makes the bytes. */
export interface Signer {
  format: Format
  /** The body of an event in this format. */
  body(event: { id: string; type: string; at: number; data: string }): Uint8Array
  /** The complete headers for a body. */
  headers(input: {
    id: string
    type: string
    body: Uint8Array
    at: number
    keys: readonly SigningKey[]
  }): Record<string, string>
}

export const formatOption = choice('--format <format>', 'how deliveries look', formatNames).default(
  'standard',
)

export const secretFromOption = option(
  '--secret-from <file>',
  'where the secret is, one on each line; - is standard input; else COUNTERSIGN_SECRET',
)

/** Any event belongs to a project; of these it is not told which. */
const projectId = `prj_${'0'.repeat(32)}`

export function createSigner(formatName: string): Signer {
  const format = formats[formatName]
  if (format === undefined) throw new UsageError(`There is no format ${formatName}.`)
  return {
    format,
    body({ id, type, at, data }) {
      const timestamp = new Date(at).toISOString()
      const event: FormatEvent = { id, projectId, type, timestamp, data, metadata: '{}' }
      return Buffer.from(format.body(event, id))
    },
    headers({ id, type, body, at, keys }) {
      const headers = format.headers({
        ...{ eventId: id, eventType: type, attemptNumber: 1, body, keys },
        timestampSeconds: Math.floor(at / 1000),
      })
      // Only a server knows its secrets by ids.
      delete headers['webhook-secret-ids']
      return { 'content-type': 'application/json', ...headers }
    },
  }
}

/**
 * The key of a secret: HMAC, or Ed25519 where the text is a private key.
 * @throws UsageError, which does not repeat the text.
 */
export function readKey(format: Format, text: string): SigningKey {
  const read = readSecretText(format, text.startsWith('whsk_') ? 'ed25519' : 'hmac-sha256', text)
  if (!('problem' in read)) return { id: 'local', ...read.key }
  throw new UsageError(`The secret is none of ${format.name}: ${read.problem}`)
}

/**
 * Secrets from a file, standard input or the environment, never from the command line, which is
 * kept in histories and seen by every user of the machine.
 */
export async function readSecrets(
  context: CommandContext,
  file: string | undefined,
): Promise<string[]> {
  const text =
    file === undefined
      ? (context.environment.COUNTERSIGN_SECRET ?? '')
      : (await readInput(context, file)).toString('utf8')
  const secrets = text.split(/\s+/).filter((line) => line !== '')
  if (secrets.length > 0) return secrets
  throw new UsageError('Name a secret: --secret-from <file>, or COUNTERSIGN_SECRET.')
}
