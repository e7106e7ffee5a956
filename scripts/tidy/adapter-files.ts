import type { Rule } from './rule.ts'
import { isTestPath, type SourceTree } from './source-tree.ts'

const STORAGE = 'server/src/storage/'

/** Files that only one database needs. Path under the storage folder → reason. */
const exempt: Readonly<Record<string, string>> = {
  'sqlite/sqlite-storage.ts': 'is `postgres/postgres-storage.ts`',
  'sqlite/backup.ts': 'PostgreSQL has its own tools for backups',
  'sqlite/restore.ts': 'PostgreSQL has its own tools for backups',
  'sqlite/export.ts': 'a store moves from SQLite to PostgreSQL, and not back',
  'sqlite/database-copy.ts': 'a database is one file',
  'sqlite/database-file.ts': 'a database is one file',
  'sqlite/lock.ts': 'one process has the file',
  'sqlite/write-guard.ts': 'one connection writes, for everyone',
  'sqlite/writable-database.ts': 'one connection writes, for everyone',
  'sqlite/row-inserts.ts': 'PostgreSQL inserts lists',
  'sqlite/checkpointer.ts': 'PostgreSQL empties its log by itself',
  'sqlite/checkpoint-thread.ts': 'PostgreSQL empties its log by itself',
  'sqlite/start-checkpoint-thread.ts': 'PostgreSQL empties its log by itself',
  'postgres/postgres-storage.ts': 'is `sqlite/sqlite-storage.ts`',
  'postgres/import.ts': 'a store moves from SQLite to PostgreSQL, and not back',
  'postgres/import-tables.ts': 'a store moves from SQLite to PostgreSQL, and not back',
  'postgres/pool.ts': 'connections are many, and can be lost',
  'postgres/binary-array.ts': 'lists cross a connection',
  'postgres/notifications.ts': 'there are other nodes',
  'postgres/upkeep.ts': 'there are other nodes, and partitions',
  'postgres/partitions.ts': 'the history lies in partitions',
  'postgres/caller-event-ids.ts': 'no index over all partitions makes ids unique',
  'postgres/due-deliveries.ts': 'what is pending is a table of its own, for leases are in rows',
  'postgres/cluster.ts': 'there are other nodes',
  'postgres/numbers.ts': 'several nodes give numbers',
  'postgres/endpoint-health.ts': 'health is a table of its own, apart from edits by other nodes',
  'postgres/held-endpoints.ts': 'several nodes change the health of one endpoint',
}

/** Adapters have the same files, so that the two ways to do one thing can be read side by side. */
export const adapterFiles: Rule = {
  name: 'adapter-files',
  check: (tree) => {
    const byAdapter = codeByAdapter(tree)
    return [...byAdapter].flatMap(([adapter, files]) =>
      [...byAdapter.keys()]
        .filter((other) => other !== adapter)
        .flatMap((other) =>
          [...files]
            .filter((file) => !byAdapter.get(other)?.has(file))
            .filter((file) => !Object.hasOwn(exempt, `${adapter}/${file}`))
            .map((file) => ({
              path: `${STORAGE}${adapter}/${file}`,
              line: 1,
              message: `has no counterpart in ${STORAGE}${other}: name both files alike`,
            })),
        ),
    )
  },
}

function codeByAdapter(tree: SourceTree): Map<string, Set<string>> {
  const byAdapter = new Map<string, Set<string>>()
  for (const { path } of tree.code) {
    const [adapter, ...rest] = path.slice(STORAGE.length).split('/')
    if (!path.startsWith(STORAGE) || isTestPath(path) || adapter === undefined) continue
    if (rest.length === 0) continue
    const files = byAdapter.get(adapter) ?? new Set()
    byAdapter.set(adapter, files.add(rest.join('/')))
  }
  return byAdapter
}
