import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import type { PostgresServer } from '../server/test/support/postgres-server.ts'
import { workDir } from './programs.ts'

/** A store for any number of servers, one after the other. */
export interface BenchStore extends AsyncDisposable {
  dataDir: string
  /** Null: it is on SQLite, in the data directory. */
  databaseUrl: string | null
  databasePid: number | null
  /** What a server needs beside the data directory to open it. */
  environment: Record<string, string>
}

/** An empty store: in a new database, or where there is no PostgreSQL in a folder of its own. */
export async function createStore(postgres: PostgresServer | null): Promise<BenchStore> {
  const folder = await createDataDir()
  const database = await postgres?.createEmptyDatabase()
  return {
    dataDir: folder.path,
    databaseUrl: database?.url ?? null,
    databasePid: postgres?.pid ?? null,
    environment: database === undefined ? {} : databaseEnvironment(database.url),
    async [Symbol.asyncDispose]() {
      await database?.drop()
      folder[Symbol.dispose]()
    },
  }
}

function databaseEnvironment(url: string): Record<string, string> {
  const masterKey = randomBytes(32).toString('base64')
  return { COUNTERSIGN_DATABASE_URL: url, COUNTERSIGN_MASTER_KEYS: masterKey }
}

/** A folder for a store, which is removed when it is disposed of, or at the exit. */
export async function createDataDir(): Promise<Disposable & { path: string }> {
  await mkdir(workDir, { recursive: true })
  // Not in the system's temporary folder, which may be memory: there a synced write costs nothing.
  const path = await mkdtemp(join(workDir, `data-${process.pid}-`))
  const remove = () => rmSync(path, { recursive: true, force: true })
  process.once('exit', remove)
  return {
    path,
    [Symbol.dispose]() {
      process.removeListener('exit', remove)
      remove()
    },
  }
}
