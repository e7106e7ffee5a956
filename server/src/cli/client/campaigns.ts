import type { Campaign, CampaignEndpoint, ListCampaignEndpointsQuery } from '@countersign/sdk'
import type { Command } from 'commander'
import type { CommandContext } from '../command-context.ts'
import { choice, count, option, seconds, time, words } from '../options.ts'
import { clientCommand } from './client-command.ts'
import { commandGroup } from './command-group.ts'
import { listCommand } from './list-command.ts'

const campaign = { '<campaign>': 'its id' }

/** `countersign campaigns`: rotations of many endpoints, at a pace. */
export const campaignsCommand = commandGroup(
  'campaigns',
  'rotations of many endpoints, at a pace (root key)',
  [
    createCommand,
    (context) =>
      listCommand<Campaign>(context, {
        description: 'list campaigns',
        isInstance: true,
        examples: [['countersign campaigns list']],
        columns: [
          { title: 'id', of: ({ id }) => id },
          { title: 'status', of: ({ status }) => status },
          { title: 'pending', of: ({ endpoints }) => endpoints.pending },
          { title: 'rotated', of: ({ endpoints }) => endpoints.rotated },
          { title: 'blocked', of: ({ endpoints }) => endpoints.blocked },
          { title: 'open', of: ({ rotations }) => rotations.open },
          { title: 'created', of: ({ createdAt }) => createdAt },
        ],
        list: ({ client }, _args, { limit }) => client.campaigns.list({ limit }),
      }),
    (context) =>
      clientCommand(context, {
        name: 'show',
        description: 'show a campaign with its progress',
        args: campaign,
        isInstance: true,
        examples: [['countersign campaigns show cmp_…']],
        async run({ client, output }, [id = '']) {
          output.show(await client.campaigns.get(id))
        },
      }),
    (context) =>
      listCommand<CampaignEndpoint, ListCampaignEndpointsQuery>(context, {
        name: 'endpoints',
        description: 'list its endpoints, the newest secret first',
        args: campaign,
        isInstance: true,
        options: [
          choice('--state <state>', 'how far it is', ['pending', 'rotated', 'blocked', 'skipped']),
        ],
        examples: [['countersign campaigns endpoints cmp_… --state blocked']],
        columns: [
          { title: 'endpoint', of: ({ endpointId }) => endpointId },
          { title: 'state', of: ({ state }) => state },
          { title: 'rotation', of: ({ rotationId }) => rotationId },
          { title: 'refusal', of: ({ refusal }) => refusal?.detail },
          { title: 'next try', of: ({ nextTryAt }) => nextTryAt },
        ],
        list: ({ client }, [id = ''], { state, limit }) =>
          client.campaigns.endpoints(id, { state, limit }),
      }),
    (context) => verbCommand(context, 'pause', 'rotate nothing more until it is resumed'),
    (context) => verbCommand(context, 'resume', 'let a paused one go on'),
    (context) => verbCommand(context, 'cancel', 'end it; the rotations that it made go on'),
  ],
)

interface CreateOptions {
  perMinute: number
  projects?: string[]
  endpoints?: string[]
  algorithm?: 'hmac-sha256' | 'ed25519'
  olderThan?: number
  overAge?: true
  claimLinks?: boolean
  activateAt?: Date
  expireCurrentIn?: number
  completeWhen?: 'expiry' | 'verified'
  reason?: string
}

function createCommand(context: CommandContext): Command {
  return clientCommand<CreateOptions>(context, {
    name: 'create',
    description: 'begin a campaign with the endpoints that fit now',
    isInstance: true,
    options: [
      option('--per-minute <count>', 'how many endpoints', count(1, 100_000)).makeOptionMandatory(),
      option('--projects <ids>', 'of these projects alone', words),
      option('--endpoints <ids>', 'these endpoints alone', words),
      option('--older-than <days>', 'secrets of this age', count(0, 36_500)),
      option('--over-age', 'secrets that are over the age that their policy allows'),
      choice('--algorithm <name>', 'endpoints that sign so', ['hmac-sha256', 'ed25519']),
      option('--claim-links', 'hand new secrets over by links'),
      option('--activate-at <time>', 'when new secrets begin to sign', time),
      option('--expire-current-in <duration>', 'how long both sign', seconds),
      choice('--complete-when <proof>', 'what ends an overlap', ['expiry', 'verified']),
      option('--reason <text>', 'for the audit log'),
    ],
    examples: [
      ['countersign campaigns create --per-minute 60 --older-than 90 --claim-links'],
      ['countersign campaigns create --per-minute 10 --endpoints ep_… --expire-current-in 7d'],
    ],
    async run({ client, output }, _args, options) {
      const { perMinute, activateAt, expireCurrentIn, completeWhen, reason } = options
      const filter = {
        projectIds: options.projects,
        endpointIds: options.endpoints,
        algorithm: options.algorithm,
        olderThanDays: options.olderThan,
        overAge: options.overAge,
      }
      output.show(
        await client.campaigns.create({
          ...{ filter, perMinute, activateAt, expireCurrentIn, completeWhen, reason },
          deliver: options.claimLinks ? 'claim_link' : undefined,
        }),
      )
    },
  })
}

function verbCommand(
  context: CommandContext,
  name: 'pause' | 'resume' | 'cancel',
  description: string,
): Command {
  return clientCommand(context, {
    name,
    description,
    args: campaign,
    isInstance: true,
    examples: [[`countersign campaigns ${name} cmp_…`]],
    async run({ client, output }, [id = '']) {
      output.show(await client.campaigns[name](id))
    },
  })
}
