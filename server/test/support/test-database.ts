import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { templateName } from './postgres-server.ts'

/** True where the test run is on PostgreSQL. */
export const isOnPostgres = process.env.COUNTERSIGN_TEST_POSTGRES !== undefined

/** The store of one test, where the test run is on PostgreSQL. */
export interface TestDatabase {
  url: string
  drop(): Promise<void>
}

/**
 * An empty database with all migrations on the server that `scripts/test.ts --store postgres` has
 * started; null where tests run on SQLite.
 */
export async function createTestDatabase(): Promise<TestDatabase | null> {
  const serverUrl = process.env.COUNTERSIGN_TEST_POSTGRES
  if (serverUrl === undefined) return null
  const name = `test_${randomUUID().replaceAll('-', '')}`
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  await run(serverUrl, `create database ${name} template ${templateName}`)
  return {
    url: url.href,
    drop: () => run(serverUrl, `drop database if exists ${name} with (force)`),
  }
}

async function run(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
