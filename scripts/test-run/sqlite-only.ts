/** End-to-end test files that a run on PostgreSQL leaves out, each with its reason. */
export const sqliteOnly: Readonly<Record<string, string>> = {
  'server/test/nodes': 'is on PostgreSQL by itself',
  'server/test/migrate-store.test.ts': 'is on PostgreSQL by itself',
  'server/test/backup-under-load.test.ts': 'is about backups of the file',
  'server/test/faults/damaged-store.test.ts': 'damages the file',
  'server/test/faults/full-disk.test.ts': 'fills the disk below the file',
  'server/test/faults/locked-store.test.ts': 'locks the file',
  'server/test/faults/nearly-full-disk.test.ts': 'fills the disk below the file',
  'server/test/faults/restored-store.test.ts': 'is about backups of the file',
  'server/test/faults/unwritable-store.test.ts': 'forbids the file to grow',
  'server/test/operating-commands.test.ts': 'is about backups of the file, and keys beside it',
  'server/test/operating-guide.test.ts': 'is about backups of the file, and keys beside it',
  'server/test/start-errors.test.ts': 'is about the file and its directory',
  'server/test/faults/clock-jumps.test.ts':
    'sets the clock of the machine, and nodes go by that of the store',
  'server/test/time.test.ts': 'sets the clock of the machine, and nodes go by that of the store',
  'server/test/command-examples.test.ts':
    'makes files for half of the examples; client-commands.test.ts is on any store',
  'server/test/command-line.test.ts': 'starts servers on directories of their own',
  'server/test/console': 'is about pages, which see the store by the API alone',
  'server/test/interop': 'is about the API and the signatures, the same on any store',
  'server/test/faults/names-unresolved.test.ts': 'is about names, which the sender thread asks for',
  'server/test/faults/slow-receivers.test.ts': 'measures one sender thread, which knows no store',
  'server/test/delivery-over-hours.test.ts': 'knows no store',
  'server/test/drill.test.ts': 'knows no store',
  'server/test/receiver-recipes.test.ts': 'knows no store',
  'server/test/scaling-guide.test.ts': 'reads a page',
  'server/test/testing-receivers-guide.test.ts': 'knows no store',
}

/** True where the file, or its folder, is left out. */
export function isSqliteOnly(path: string): boolean {
  return Object.keys(sqliteOnly).some((left) => path === left || path.startsWith(`${left}/`))
}
