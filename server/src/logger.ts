import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino'
import { credentialPrefixes } from './core/credential-prefixes.ts'

export type { Logger } from 'pino'

/**
 * The log: lines for a person on a terminal, one JSON object a line everywhere else. Written at
 * once, so that the last line before a crash is there.
 */
export async function createLogger(options: {
  level: string
  /** Where the lines go: `process.stdout`, or a stream of a test. */
  stream: DestinationStream & { isTTY?: boolean }
  usesColor: boolean
}): Promise<Logger> {
  const { level, stream, usesColor } = options
  const destination = stream.isTTY ? await forPerson(stream, usesColor) : stream
  return pino(
    {
      level,
      // Process id and machine name are known to whoever collects the lines.
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretPaths, censor: '[redacted]' },
      hooks: { streamWrite: withoutSecrets },
    },
    destination,
  )
}

/** What makes the lines is loaded here alone: most servers write to no terminal. */
async function forPerson(stream: DestinationStream, colorize: boolean): Promise<DestinationStream> {
  const { PinoPretty } = await import('pino-pretty')
  return PinoPretty({
    colorize,
    destination: stream as NodeJS.WritableStream,
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
    sync: true,
  })
}

/**
 * Braces and belt: no secret is ever handed to the log. Should one slip through, its name gives it
 * away here, and its shape in `withoutSecrets`.
 */
const secretPaths = [
  ...['authorization', 'secret', 'key', 'apiKey', 'rootKey', 'rootKeys', 'masterKey', 'masterKeys'],
].flatMap((name) => [name, `*.${name}`, `*.*.${name}`])

/**
 * Keys, tokens and signing secrets by their shape, wherever they stand in a line. What stands before
 * them does not count: a line break in a JSON line ends with the letter n.
 */
const secretShapes = new RegExp(
  `(?:${Object.values(credentialPrefixes).join('|')})[A-Za-z0-9+/=_-]{16,}|[0-9a-f]{64}`,
  'g',
)

function withoutSecrets(line: string): string {
  return line.replace(secretShapes, '[redacted]')
}
