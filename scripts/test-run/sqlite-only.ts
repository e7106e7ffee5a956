/** End-to-end test files that a run on PostgreSQL leaves out, each with its reason. */
export const sqliteOnly: Readonly<Record<string, string>> = {
  'server/test/nodes': 'is on PostgreSQL by itself',
  'server/test/faults': 'is about the file, the disk and the clock of one machine',
  'server/test/interop': 'tells the same of the API on any store',
  'server/test/console': 'tells the same of the pages on any store',
  'server/test/command-examples.test.ts': 'tells the same of the commands on any store',
  'server/test/receiver-recipes.test.ts': 'is about receivers',
  'server/test/testing-receivers-guide.test.ts': 'is about receivers',
  'server/test/drill.test.ts': 'is about receivers',
  'server/test/migrate-store.test.ts': 'is on PostgreSQL by itself',
  'server/test/rotation-over-restarts.test.ts': 'opens the file anew',
  'server/test/scaling-guide.test.ts': 'reads a page',
  'server/test/delivery-over-hours.test.ts': 'knows no store',
  'server/test/backup-under-load.test.ts': 'copies the file',
  'server/test/command-line.test.ts': 'starts servers by itself',
  'server/test/expunged-for-good.test.ts': 'reads the file',
  'server/test/fair-delivery.test.ts': 'reads the file',
  'server/test/hostile-urls.test.ts': 'reads the file',
  'server/test/metrics.test.ts': 'reads the file',
  'server/test/long-history.test.ts': 'writes the file',
  'server/test/killed-campaign.test.ts': 'reads the file',
  'server/test/killed-rotation.test.ts': 'reads the file',
  'server/test/killed-under-load.test.ts': 'reads the file; nodes/killed-nodes.test.ts is its like',
  'server/test/no-secret-in-clear.test.ts': 'reads the file',
  'server/test/operating-commands.test.ts': 'is about backups of the file',
  'server/test/operating-guide.test.ts': 'is about backups of the file',
  'server/test/start-errors.test.ts': 'is about the file',
  'server/test/store-fails-at-each-call.test.ts': 'reads the file',
  'server/test/time.test.ts': 'sets the clock of the machine, and nodes go by that of the store',
}

/** True where the file, or its folder, is left out. */
export function isSqliteOnly(path: string): boolean {
  return Object.keys(sqliteOnly).some((left) => path === left || path.startsWith(`${left}/`))
}
