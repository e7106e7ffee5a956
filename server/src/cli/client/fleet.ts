import type { FleetEntry, ListFleetQuery } from '@countersign/sdk'
import { choice, count, option } from '../options.ts'
import { commandGroup } from './command-group.ts'
import { listCommand } from './list-command.ts'

/** `countersign fleet`: every secret of the server by its age. */
export const fleetCommand = commandGroup('fleet', 'every secret of the server by its age', [
  (context) =>
    listCommand<FleetEntry, ListFleetQuery & { ofProject?: string }>(context, {
      description: 'list endpoints, the oldest secret first (root key)',
      isInstance: true,
      options: [
        option('--of-project <project>', 'one project alone'),
        option('--older-than <days>', 'secrets of this age', count(0, 36_500)),
        choice('--algorithm <name>', 'what signs', ['hmac-sha256', 'ed25519']),
        option('--blocker <blocker>', 'what stands in the way: over_age, rotation_held, …'),
      ],
      examples: [
        ['countersign fleet list --older-than 90'],
        ['countersign fleet list --blocker rotation_held --json'],
      ],
      columns: [
        { title: 'project', of: ({ projectName }) => projectName },
        { title: 'endpoint', of: ({ endpointUid, endpointId }) => endpointUid ?? endpointId },
        { title: 'age', of: ({ secretAgeDays }) => `${Math.floor(secretAgeDays)} d` },
        { title: 'rotation', of: ({ rotation }) => rotation?.status },
        { title: 'blockers', of: ({ blockers }) => blockers.join(',') || null },
        { title: 'url', of: ({ url }) => url },
      ],
      list({ client }, _args, options) {
        const { ofProject, algorithm, blocker, limit } = options
        const { olderThan } = options as { olderThan?: number }
        const query = { project: ofProject, algorithm, blocker, limit, olderThanDays: olderThan }
        return client.fleet.list(query)
      },
    }),
])
