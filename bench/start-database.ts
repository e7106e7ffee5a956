import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  findPostgres,
  noPostgres,
  type PostgresServer,
  startPostgres,
} from '../server/test/support/postgres-server.ts'
import { workDir } from './programs.ts'

/** A PostgreSQL that syncs to disk, as in production, with the settings it comes with. */
export interface BenchDatabase extends AsyncDisposable {
  server: PostgresServer
  version: string
}

/** On the disk that the stores of SQLite are on. Needs the working folder of `preparePrograms`. */
export async function startDatabase(): Promise<BenchDatabase> {
  const bin = findPostgres()
  if (bin === null) throw new Error(noPostgres)
  const { stdout } = await promisify(execFile)(join(bin, 'postgres'), ['--version'])
  const version = /\d+(?:\.\d+)*/.exec(stdout)?.[0] ?? 'unknown'
  const server = await startPostgres({ isDurable: true, parent: workDir })
  return { server, version, [Symbol.asyncDispose]: () => server.dispose() }
}
