import pg from 'pg'
import { nodeEnvironment } from './node-environment.ts'
import { type PostgresServer, startPostgres } from './postgres-server.ts'
import { type ServerProcess, startServerProcess } from './start-server-process.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

/** Several servers in processes of their own, on one PostgreSQL that syncs what it commits. */
export interface Cluster {
  nodes: ServerProcess[]
  postgres: PostgresServer
  /** Between the last node and the database. */
  proxy: TcpProxy
  /** Runs a statement on a connection of its own, as the database may have been restarted. */
  query(sql: string): Promise<Record<string, unknown>[]>
  dispose(): Promise<void>
}

/** The wall clock of the last node is `wallOffsetMs` ahead, as far as the process can see. */
export async function startCluster(options: {
  count: number
  environment: Record<string, string>
  wallOffsetMs: number
}): Promise<Cluster> {
  const postgres = await startPostgres({ isDurable: true })
  const { url } = await postgres.createDatabase()
  const proxy = await startTcpProxy(Number(new URL(url).port))
  const shared = { ...nodeEnvironment(url), ...options.environment }
  const throughProxy = new URL(url)
  throughProxy.port = String(proxy.port)
  const script = `const now = Date.now; Date.now = () => now() + ${options.wallOffsetMs}`
  const apart = {
    COUNTERSIGN_DATABASE_URL: throughProxy.href,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}`,
  }
  const nodes: ServerProcess[] = []
  for (let n = 0; n < options.count; n++) {
    const isLast = n === options.count - 1
    nodes.push(await startServerProcess({ ...shared, ...(isLast ? apart : {}) }))
  }
  return {
    nodes,
    postgres,
    proxy,
    async query(sql) {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      try {
        return (await client.query(sql)).rows
      } finally {
        await client.end()
      }
    },
    async dispose() {
      await Promise.all(nodes.map((node) => node.dispose()))
      await proxy.close()
      await postgres.dispose()
    },
  }
}
