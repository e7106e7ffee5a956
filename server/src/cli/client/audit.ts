import type { AuditRow } from '@countersign/sdk'
import { option, timeBefore } from '../options.ts'
import { commandGroup } from './command-group.ts'
import { listCommand } from './list-command.ts'

/** `countersign audit`: who did what. */
export const auditCommand = commandGroup('audit', 'who did what', [
  (context) =>
    listCommand<AuditRow, { actor?: string; action?: string; since?: Date }>(context, {
      description: 'list the audit log',
      options: [
        option('--actor <actor>', 'id of a key or session, or root or system'),
        option('--action <action>', 'such as endpoint.secret.rotated'),
        option('--since <time>', 'a time, or how long ago', timeBefore(context.clock.now)),
      ],
      examples: [
        ['countersign audit list --since 7d'],
        ['countersign audit list --action endpoint.secret.rotated --json'],
      ],
      columns: [
        { title: 'at', of: ({ at }) => at },
        { title: 'action', of: ({ action }) => action },
        { title: 'by', of: ({ actor }) => actor.name ?? actor.id ?? actor.type },
        { title: 'on', of: ({ target }) => target.id },
        { title: 'reason', of: ({ reason }) => reason },
      ],
      list: ({ client, project }, _args, { actor, action, since, limit }) =>
        client.auditLog.list(project, { actor, action, since, limit }),
    }),
])
