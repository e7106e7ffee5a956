import { type Database, database, duration, someOf } from './option-kinds.ts'

/** What a process may do for the others on the same store. */
export const roles = ['api', 'dispatch', 'console'] as const
export type Role = (typeof roles)[number]

/** Rows of the table in config.ts: the store, and what this process does beside others on it. */
export const nodeOptions = {
  database: {
    variable: 'COUNTERSIGN_DATABASE_URL' as const,
    kind: database,
    default: 'sqlite',
    sentence:
      'Store of everything: the SQLite file in the data directory, or a PostgreSQL database for any number of nodes, which then need COUNTERSIGN_MASTER_KEYS and COUNTERSIGN_ROOT_KEY.',
    isSecret: true,
  },
  roles: {
    variable: 'COUNTERSIGN_ROLES' as const,
    kind: someOf(roles),
    default: 'api,dispatch,console',
    sentence:
      'What this node does: answers the API, sends deliveries and does what is due, shows the console. Health and metrics answer on every node.',
  },
  secretCacheTtlMs: {
    variable: 'COUNTERSIGN_SECRET_CACHE_TTL' as const,
    kind: duration({ min: '100ms', max: '1m' }),
    default: '1s',
    sentence:
      'With PostgreSQL: how long a node may act on what it has read of secrets and keys. Calls that change them are answered that much later.',
  },
}

/** What several nodes must have in common, and what one process cannot do without: sentences. */
export function nodeContradictions(config: {
  database: Database
  roles: readonly Role[]
  masterKeys: readonly unknown[]
  rootKeys: readonly unknown[]
}): string[] {
  if (config.database === 'sqlite') {
    const left = (['api', 'dispatch'] as const).filter((role) => !config.roles.includes(role))
    if (left.length === 0) return []
    return [
      `COUNTERSIGN_ROLES leaves out ${left.join(' and ')}, but a SQLite file is for one process, which has to do everything.`,
    ]
  }
  const missing = [
    ...(config.masterKeys.length === 0 ? ['COUNTERSIGN_MASTER_KEYS'] : []),
    ...(config.rootKeys.length === 0 ? ['COUNTERSIGN_ROOT_KEY'] : []),
  ]
  return missing.map(
    (name) =>
      `${name} must be set with PostgreSQL: every node needs the same keys, so none makes its own.`,
  )
}
