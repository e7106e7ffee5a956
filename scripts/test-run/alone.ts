/** End-to-end test files that have the machine for themselves, each with its reason. */
export const alone: Readonly<Record<string, string>> = {
  'server/test/backup-under-load.test.ts': 'makes a load of its own',
  'server/test/dialects/h-company-rotation-under-load.test.ts': 'makes a load of its own',
  'server/test/fair-delivery.test.ts': 'compares rates',
  'server/test/fair-schema-checks.test.ts': 'compares waits',
  'server/test/faults': 'measures how soon service resumes',
  'server/test/killed-under-load.test.ts': 'makes a load of its own',
  'server/test/long-history.test.ts': 'compares times',
  'server/test/nodes/campaign-pace.test.ts': 'measures a pace',
  'server/test/nodes/freshness.test.ts': 'measures how soon a change is known, under load',
  'server/test/nodes/idle.test.ts': 'counts what a node does when there is nothing to do',
  'server/test/nodes/rolling-upgrade.test.ts': 'makes a load of its own',
  'server/test/time.test.ts': 'waits for what is due by a clock that jumps',
  'server/test/zero-loss-rotation.test.ts': 'makes a load of its own',
}

/** True where the file, or its folder, is one of them. */
export function isAlone(path: string): boolean {
  return Object.keys(alone).some((one) => path === one || path.startsWith(`${one}/`))
}
