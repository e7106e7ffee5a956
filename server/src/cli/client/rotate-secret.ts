import { Command, type Option } from 'commander'
import type { CommandContext } from '../command-context.ts'
import { choice, option, readLine, seconds, time } from '../options.ts'
import { UsageError } from '../usage-error.ts'
import { type ClientSession, clientCommand } from './client-command.ts'
import {
  answerWithSecret,
  type SecretOptions,
  secretNote,
  secretOptions,
} from './one-time-secret.ts'

interface RotateOptions extends SecretOptions {
  expireCurrentIn?: number
  completeWhen?: 'expiry' | 'verified'
  activateAt?: Date
  algorithm?: 'hmac-sha256' | 'ed25519'
  secretFrom?: string
  claimLink?: boolean
  force?: boolean
  reason?: string
  expectedCurrentSecretId?: string
}

const rotateOptions: readonly Option[] = [
  option('--expire-current-in <duration>', 'how long both sign: 1h, 7d; 0 cuts now', seconds),
  choice('--complete-when <proof>', 'what ends the overlap', ['expiry', 'verified']),
  option('--activate-at <time>', 'when the new secret begins to sign; now where absent', time),
  choice('--algorithm <name>', 'what signs from now on', ['hmac-sha256', 'ed25519']),
  option('--secret-from <file>', 'a secret of your own; - is standard input'),
  option('--claim-link', 'hand it over by a link that shows it once'),
  option('--force', 'also while a rotation is open, which this ends'),
  option('--reason <text>', 'for the audit log'),
  option('--expected-current-secret-id <id>', 'refuse where another secret is current'),
  ...secretOptions,
]

/** `countersign endpoints rotate-secret`. */
export function rotateSecretCommand(context: CommandContext): Command {
  return clientCommand<RotateOptions>(context, {
    name: 'rotate-secret',
    description: 'replace the signing secret; both sign until the overlap ends',
    args: { '<endpoint>': 'id or uid' },
    options: rotateOptions,
    note: secretNote,
    examples: [
      ['countersign endpoints rotate-secret billing --expire-current-in 1h --show-secret'],
      [
        'countersign endpoints rotate-secret orders --complete-when verified --secret-to new.secret',
      ],
      [
        'countersign endpoints rotate-secret leaked --expire-current-in 0 --force --reason "leaked"',
      ],
      ['countersign endpoints rotate-secret shared --claim-link --json'],
    ],
    run: (session, [endpoint = ''], options) => rotate(session, endpoint, options),
  })
}

/** `countersign webhooks rotate-secret --id`: another spelling of the same. */
export function webhooksCommand(context: CommandContext): Command {
  const rotateCommand = clientCommand<RotateOptions & { id: string }>(context, {
    name: 'rotate-secret',
    description: 'as countersign endpoints rotate-secret',
    options: [
      option('--id <endpoint>', 'id or uid of the endpoint').makeOptionMandatory(),
      ...rotateOptions,
    ],
    note: secretNote,
    examples: [['countersign webhooks rotate-secret --id billing --expire-current-in 1h']],
    run: (session, _args, options) => rotate(session, options.id, options),
  })
  return new Command('webhooks')
    .description('another name for endpoints, as some systems have it')
    .addCommand(rotateCommand)
}

/** `countersign endpoints revoke-previous-secret`. */
export function revokePreviousCommand(context: CommandContext): Command {
  return clientCommand<{ reason?: string }>(context, {
    name: 'revoke-previous-secret',
    description: 'stop every retiring secret now and complete the open rotation',
    args: { '<endpoint>': 'id or uid' },
    options: [option('--reason <text>', 'for the audit log')],
    examples: [['countersign endpoints revoke-previous-secret rotating --reason "leaked"']],
    async run({ client, project, output }, [endpoint = ''], { reason }) {
      output.show(await client.endpoints.revokePreviousSecret(project, endpoint, { reason }))
    },
  })
}

async function rotate(session: ClientSession, endpoint: string, options: RotateOptions) {
  const { client, project, context } = session
  const { expireCurrentIn, completeWhen, activateAt, force, reason } = options
  const { expectedCurrentSecretId } = options
  const common = {
    expireCurrentIn,
    completeWhen,
    activateAt,
    force,
    reason,
    expectedCurrentSecretId,
  }
  if (options.claimLink && options.algorithm === 'ed25519') {
    throw new UsageError('There is no link to claim a private key: it never leaves the server.')
  }
  const secret =
    options.secretFrom === undefined ? undefined : await readLine(context, options.secretFrom)
  await answerWithSecret<object>(session, options, ['secret', 'claimUrl'], (post) => {
    const { endpoints } = client
    if (options.algorithm === 'ed25519') {
      return endpoints.rotateSecret(
        project,
        endpoint,
        { ...common, secret, algorithm: 'ed25519' },
        post,
      )
    }
    const input = { ...common, secret, algorithm: options.algorithm }
    return options.claimLink
      ? endpoints.rotateSecret(project, endpoint, { ...input, deliver: 'claim_link' }, post)
      : endpoints.rotateSecret(project, endpoint, input, post)
  })
}
