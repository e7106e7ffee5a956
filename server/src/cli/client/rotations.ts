import type { Rotation, UpdateRotation } from '@countersign/sdk'
import type { Command } from 'commander'
import type { CommandContext } from '../command-context.ts'
import { choice, option, seconds, time } from '../options.ts'
import { UsageError } from '../usage-error.ts'
import { type ClientSession, clientCommand } from './client-command.ts'
import { commandGroup } from './command-group.ts'
import { listCommand } from './list-command.ts'
import {
  answerWithSecret,
  type SecretOptions,
  secretNote,
  secretOptions,
} from './one-time-secret.ts'
import { rotationStatusCommand } from './rotation-status.ts'

const target = {
  '<endpoint>': 'id or uid',
  '[rotation]': 'its id; the newest rotation where absent',
}
const force = option('--force', 'although the evidence speaks against it')
const reason = option('--reason <text>', 'for the audit log')

/** `countersign rotations`: what is under way, and how to end it. */
export const rotationsCommand = commandGroup('rotations', 'what replaces a secret, and its end', [
  rotationStatusCommand,
  (context) =>
    listCommand<Rotation>(context, {
      description: 'list the rotations of an endpoint',
      args: { '<endpoint>': 'id or uid' },
      examples: [['countersign rotations list billing']],
      columns: [
        { title: 'id', of: ({ id }) => id },
        { title: 'status', of: ({ status }) => status },
        { title: 'by', of: ({ completedBy }) => completedBy },
        { title: 'created', of: ({ createdAt }) => createdAt },
        { title: 'window ends', of: ({ windowEndsAt }) => windowEndsAt },
        { title: 'reason', of: (rotation) => rotation.reason },
      ],
      list: ({ client, project }, [endpoint = ''], { limit }) =>
        client.rotations.list(project, endpoint, { limit }),
    }),
  (context) =>
    act(context, {
      name: 'show',
      description: 'show a rotation with its evidence and what happened so far',
      example: 'countersign rotations show billing',
      run: ({ client, project }, endpoint, rotation) =>
        client.rotations.get(project, endpoint, rotation),
    }),
  updateCommand,
  (context) =>
    act(context, {
      name: 'verify',
      description: 'let the receiver prove which secrets it takes',
      example: 'countersign rotations verify rotating',
      run: ({ client, project }, endpoint, rotation) =>
        client.rotations.verify(project, endpoint, rotation),
    }),
  (context) => endCommand(context, 'complete', 'retire the previous secrets now'),
  (context) =>
    endCommand(context, 'cancel', 'revoke the new secret; the previous one is current again'),
  claimLinkCommand,
])

function updateCommand(context: CommandContext): Command {
  return clientCommand<{
    expireCurrentIn?: number
    previousSecretExpiresAt?: Date
    completeWhen?: UpdateRotation['completeWhen']
  }>(context, {
    name: 'update',
    description: 'extend or shorten the window, or change what ends it',
    args: target,
    options: [
      option('--expire-current-in <duration>', 'counted from now', seconds),
      option('--previous-secret-expires-at <time>', 'the instant itself', time),
      choice('--complete-when <proof>', 'what ends the overlap', ['expiry', 'verified']),
    ],
    examples: [['countersign rotations update rotating --expire-current-in 2h']],
    async run(session, [endpoint = '', rotation], options) {
      const { expireCurrentIn, previousSecretExpiresAt, completeWhen } = options
      const { client, project, output } = session
      const id = await rotationOf(session, endpoint, rotation)
      const changes = { expireCurrentIn, previousSecretExpiresAt, completeWhen }
      output.show(await client.rotations.update(project, endpoint, id, changes))
    },
  })
}

function claimLinkCommand(context: CommandContext): Command {
  return clientCommand<SecretOptions>(context, {
    name: 'claim-link',
    description: 'make a new link to a secret that nobody claimed; the earlier one ends',
    args: target,
    options: secretOptions,
    note: secretNote,
    examples: [['countersign rotations claim-link waiting --show-secret']],
    async run(session, [endpoint = '', rotation], options) {
      const { client, project } = session
      const id = await rotationOf(session, endpoint, rotation)
      await answerWithSecret(session, options, ['claimUrl'], (post) =>
        client.rotations.reissueClaimLink(project, endpoint, id, post),
      )
    },
  })
}

function endCommand(
  context: CommandContext,
  name: 'complete' | 'cancel',
  description: string,
): Command {
  return clientCommand<{ force?: boolean; reason?: string }>(context, {
    name,
    description,
    args: target,
    options: [force, reason],
    examples: [[`countersign rotations ${name} rotating --reason "as planned"`]],
    async run(session, [endpoint = '', rotation], options) {
      const { client, project, output } = session
      const id = await rotationOf(session, endpoint, rotation)
      const input = { force: options.force, reason: options.reason }
      output.show(await client.rotations[name](project, endpoint, id, input))
    },
  })
}

/** A command that shows the rotation after what it did. */
function act(
  context: CommandContext,
  spec: {
    name: string
    description: string
    example: string
    run(session: ClientSession, endpoint: string, rotation: string): Promise<Rotation>
  },
): Command {
  const { name, description, example } = spec
  return clientCommand(context, {
    ...{ name, description, args: target, examples: [[example]] },
    async run(session, [endpoint = '', rotation]) {
      const id = await rotationOf(session, endpoint, rotation)
      session.output.show(await spec.run(session, endpoint, id))
    },
  })
}

async function rotationOf(
  { client, project }: ClientSession,
  endpoint: string,
  rotation: string | undefined,
): Promise<string> {
  if (rotation !== undefined) return rotation
  const { data } = await client.rotations.list(project, endpoint, { limit: 1 }).page()
  if (data[0] !== undefined) return data[0].id
  throw new UsageError(`The secret of ${endpoint} was never rotated.`)
}
