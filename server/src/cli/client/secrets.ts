import type { Secret } from '@countersign/sdk'
import { commandGroup } from './command-group.ts'
import { listCommand } from './list-command.ts'

/** `countersign secrets`: what has signed an endpoint's deliveries, without values. */
export const secretsCommand = commandGroup('secrets', 'versions of a secret, without values', [
  (context) =>
    listCommand<Secret>(context, {
      description: 'list every version of an endpoint’s secret',
      args: { '<endpoint>': 'id or uid' },
      examples: [['countersign secrets list billing']],
      columns: [
        { title: 'id', of: ({ id }) => id },
        { title: 'status', of: ({ status }) => status },
        { title: 'algorithm', of: ({ algorithm }) => algorithm },
        { title: 'ends with', of: ({ hint }) => hint },
        { title: 'signs from', of: ({ activatesAt }) => activatesAt },
        { title: 'until', of: ({ revokedAt, expiresAt }) => revokedAt ?? expiresAt },
        { title: 'last signed', of: ({ lastSignedAt }) => lastSignedAt },
      ],
      list: ({ client, project }, [endpoint = ''], { limit }) =>
        client.endpoints.listSecrets(project, endpoint, { limit }),
    }),
])
