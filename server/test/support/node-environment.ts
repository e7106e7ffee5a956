import { randomBytes } from 'node:crypto'

/** What nodes on one database have in common. */
export function nodeEnvironment(databaseUrl: string): Record<string, string> {
  return {
    COUNTERSIGN_DATABASE_URL: databaseUrl,
    COUNTERSIGN_ROOT_KEY: `csk_${'test-root-key-'.repeat(3)}`,
    COUNTERSIGN_MASTER_KEYS: randomBytes(32).toString('base64'),
    // Short, for every change of a secret waits that long.
    COUNTERSIGN_SECRET_CACHE_TTL: '100ms',
  }
}
