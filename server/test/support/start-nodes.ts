import pg from 'pg'
import type { Environment } from '../../src/config.ts'
import { nodeEnvironment } from './node-environment.ts'
import { type PostgresServer, startPostgres } from './postgres-server.ts'
import { startTestApp, type TestApp } from './start-test-app.ts'

/** Several servers in this process, on one database of a PostgreSQL of their own. */
export interface TestNodes {
  nodes: TestApp[]
  server: PostgresServer
  databaseUrl: string
  /** Starts one more on the same database. */
  add(environment?: Environment): Promise<TestApp>
  /** Runs a statement in the database. */
  query(sql: string): Promise<Record<string, unknown>[]>
  dispose(): Promise<void>
}

export async function startNodes(options: {
  count: number
  environment?: Environment
}): Promise<TestNodes> {
  const server = await startPostgres()
  const { url } = await server.createDatabase()
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  const shared = nodeEnvironment(url)
  const test: TestNodes = {
    nodes: [],
    server,
    databaseUrl: url,
    async add(environment = {}) {
      const node = await startTestApp({
        environment: { ...shared, ...options.environment, ...environment },
      })
      test.nodes.push(node)
      return node
    },
    query: async (sql) => (await client.query(sql)).rows,
    async dispose() {
      await Promise.all(test.nodes.map((node) => node.dispose()))
      await client.end()
      await server.dispose()
    },
  }
  for (let count = 0; count < options.count; count++) await test.add()
  return test
}
