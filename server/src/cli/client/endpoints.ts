import type { Endpoint, ListEndpointsQuery } from '@countersign/sdk'
import { jsonObject, option, timeBefore } from '../options.ts'
import { clientCommand } from './client-command.ts'
import { commandGroup } from './command-group.ts'
import { createEndpointCommand, updateEndpointCommand } from './endpoint-changes.ts'
import { listCommand } from './list-command.ts'
import { revokePreviousCommand, rotateSecretCommand } from './rotate-secret.ts'

const endpoint = { '<endpoint>': 'id or uid' }

/** `countersign endpoints`: where events go, and the secrets that sign them. */
export const endpointsCommand = commandGroup(
  'endpoints',
  'where events go, and the secrets that sign them',
  [
    (context) =>
      listCommand<Endpoint, ListEndpointsQuery>(context, {
        description: 'list endpoints',
        options: [
          option('--state <state>', 'active or disabled'),
          option('--health <health>', 'healthy, failing or blocked'),
          option('--search <text>', 'in url, uid and description'),
        ],
        examples: [
          ['countersign endpoints list'],
          ['countersign endpoints list --health failing --json'],
        ],
        columns: [
          { title: 'id', of: ({ id }) => id },
          { title: 'uid', of: ({ uid }) => uid },
          { title: 'state', of: ({ state }) => state },
          { title: 'health', of: ({ health }) => health },
          { title: 'rotation', of: ({ rotation }) => rotation?.status },
          { title: 'url', of: ({ url }) => url },
        ],
        list: ({ client, project }, _args, { state, health, search, limit }) =>
          client.endpoints.list(project, { state, health, search, limit }),
      }),
    (context) =>
      clientCommand(context, {
        name: 'show',
        description: 'show an endpoint',
        args: endpoint,
        examples: [['countersign endpoints show billing']],
        async run({ client, project, output }, [ref = '']) {
          output.show(await client.endpoints.get(project, ref))
        },
      }),
    createEndpointCommand,
    updateEndpointCommand,
    (context) =>
      clientCommand(context, {
        name: 'delete',
        description: 'delete an endpoint; its deliveries under way fail',
        args: endpoint,
        examples: [['countersign endpoints delete old']],
        async run({ client, project, output }, [ref = '']) {
          await client.endpoints.delete(project, ref)
          output.say(`Deleted ${ref}.`)
        },
      }),
    rotateSecretCommand,
    revokePreviousCommand,
    (context) =>
      clientCommand<{ eventType?: string; data?: Record<string, unknown> }>(context, {
        name: 'test',
        description: 'send one delivery now and show the receiver’s answer; fails where it fails',
        args: endpoint,
        options: [
          option('--event-type <type>', 'countersign.test where absent'),
          option('--data <json>', 'what it carries', jsonObject),
        ],
        examples: [
          ['countersign endpoints test billing'],
          [`countersign endpoints test billing --event-type order.paid --data '{"order":7}'`],
        ],
        async run({ client, project, output }, [ref = ''], { eventType, data }) {
          const result = await client.endpoints.test(project, ref, { eventType, data })
          output.show(result)
          return result.success ? undefined : 1
        },
      }),
    (context) =>
      clientCommand(context, {
        name: 'drill',
        description: 'let the server try whether the receiver verifies; fails unless it does',
        args: endpoint,
        examples: [['countersign endpoints drill billing']],
        async run({ client, project, output }, [ref = '']) {
          const drill = await client.endpoints.drill(project, ref)
          output.show(drill)
          return drill.verdict === 'verified' ? undefined : 1
        },
      }),
    (context) =>
      clientCommand<{ since?: Date; bucket?: string }>(context, {
        name: 'stats',
        description: 'what became of its deliveries, and how long they took',
        args: endpoint,
        options: [
          option('--since <time>', 'a time, or how long ago', timeBefore(context.clock.now)),
          option('--bucket <duration>', 'also in slices of this length'),
        ],
        examples: [['countersign endpoints stats billing --since 24h --bucket 1h']],
        async run({ client, project, output }, [ref = ''], { since, bucket }) {
          output.show(await client.endpoints.stats(project, ref, { since, bucket }))
        },
      }),
    (context) =>
      clientCommand(context, {
        name: 'key-set',
        description: 'the public keys of an endpoint that signs with Ed25519',
        args: { '<endpoint>': 'its id' },
        isInstance: true,
        examples: [['countersign endpoints key-set ep_… --json']],
        async run({ client, output }, [id = '']) {
          output.show(await client.endpoints.keySet(id))
        },
      }),
  ],
)
