import { rmSync, writeFileSync } from 'node:fs'
import type { Option } from 'commander'
import { createRandom } from '../../random.ts'
import { option } from '../options.ts'
import { UsageError } from '../usage-error.ts'
import type { ClientSession } from './client-command.ts'

/** Where a value goes that the server answers once. */
export interface SecretOptions {
  showSecret?: boolean
  secretTo?: string
  idempotencyKey?: string
}

export const secretOptions: readonly Option[] = [
  option('--show-secret', 'print what is secret in the answer'),
  option('--secret-to <file>', 'write it to a new file with mode 0600'),
  option('--idempotency-key <key>', 'gives the answer of an earlier call with this key again'),
]

/** For the help of each command that has `secretOptions`. */
export const secretNote = `What is secret in the answer is printed only with --show-secret, so that it does not end up in a
scrollback or a log. Without it, the command says how to get the same answer again within 24 hours.`

/**
 * Calls with an idempotency key and shows the answer, with its secret members only where that was
 * asked for. Otherwise it says how to fetch the same answer again, so nothing is lost.
 */
export async function answerWithSecret<T extends object>(
  session: ClientSession,
  options: SecretOptions,
  secretMembers: readonly string[],
  call: (post: { idempotencyKey: string }) => Promise<T>,
): Promise<void> {
  const { output, context } = session
  const idempotencyKey =
    options.idempotencyKey ?? `cli-${Buffer.from(createRandom().bytes(16)).toString('hex')}`
  const file = options.secretTo === undefined ? null : claimFile(options.secretTo)
  const answer = await call({ idempotencyKey }).catch((error: unknown) => {
    file?.giveUp()
    throw error
  })
  const members = Object.entries(answer)
  const secrets = members.filter(([name]) => secretMembers.includes(name))
  const shown = options.showSecret
    ? answer
    : Object.fromEntries(members.filter(([name]) => !secretMembers.includes(name)))
  file?.write(secrets.map(([, value]) => `${value}\n`).join(''))
  output.show(shown)
  if (secrets.length === 0 || options.showSecret || file !== null) return
  const again = [...withoutKey(context.args), '--idempotency-key', idempotencyKey, '--show-secret']
  output.warn(
    `The ${secrets.map(([name]) => wordOf(name)).join(' and the ')} is not shown. Within 24 hours this shows it:\n  countersign ${again.map(quoteForShell).join(' ')}`,
  )
}

/** Takes the file before anything is done: afterwards a refusal would cost the secret. */
function claimFile(path: string): { write(text: string): void; giveUp(): void } {
  try {
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 })
  } catch (cause) {
    throw new UsageError(`${path} cannot be made: ${(cause as Error).message}`, { cause })
  }
  return { write: (text) => writeFileSync(path, text), giveUp: () => rmSync(path) }
}

function withoutKey(args: readonly string[]): string[] {
  const kept = args.filter((arg) => !arg.startsWith('--idempotency-key='))
  const at = kept.indexOf('--idempotency-key')
  return at < 0 ? kept : kept.toSpliced(at, 2)
}

/** `clientSecret` → `client secret` */
function wordOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

function quoteForShell(text: string): string {
  return /^[\w./:@=,+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
