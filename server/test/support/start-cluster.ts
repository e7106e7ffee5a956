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
  /**
   * Where the node's requests come from; null where all come from one address, as loopback has no
   * other.
   */
  addressOf(node: ServerProcess): string | null
  /** Runs a statement on a connection of its own, as the database may have been restarted. */
  query(sql: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>
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
  const ahead = `const now = Date.now; Date.now = () => now() + ${options.wallOffsetMs}`
  const nodes: ServerProcess[] = []
  for (let n = 0; n < options.count; n++) {
    const isLast = n === options.count - 1
    const address = addressOf(n)
    const scripts = [isLast ? ahead : '', address === null ? '' : connectFrom(address)]
    nodes.push(
      await startServerProcess({
        ...shared,
        ...(isLast ? { COUNTERSIGN_DATABASE_URL: throughProxy.href } : {}),
        NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(scripts.join('\n'))}`,
      }),
    )
  }
  return {
    nodes,
    postgres,
    proxy,
    addressOf: (node) => addressOf(nodes.indexOf(node)),
    async query(sql, values = []) {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      try {
        return (await client.query(sql, [...values])).rows
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

/** Linux takes every address of 127.0.0.0/8 for its own. */
function addressOf(n: number): string | null {
  return process.platform === 'linux' ? `127.0.0.${10 + n}` : null
}

/** What makes a process open its connections from an address; those to the database have no options. */
function connectFrom(address: string): string {
  return `
    const { Socket } = process.getBuiltinModule('net')
    const { connect } = Socket.prototype
    Socket.prototype.connect = function (...args) {
      const options = Array.isArray(args[0]) ? args[0][0] : args[0]
      if (options?.host === '127.0.0.1') options.localAddress = '${address}'
      return connect.apply(this, args)
    }`
}
