import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Countersign } from '@countersign/sdk'
import { childEnvironment } from './child-environment.ts'
import { freePort } from './free-port.ts'
import { nodeEnvironment } from './node-environment.ts'
import { createTestDatabase } from './test-database.ts'
import { openTestStore, type TestStore } from './test-store.ts'
import { until } from './until.ts'

/** A server in a process of its own, as an operator runs it, that can be killed. */
export interface ServerProcess {
  client: Countersign
  url: string
  rootKey: string
  dataDir: string
  store: TestStore
  /** Null while none runs. */
  pid: () => number | null
  /** Everything it printed so far. */
  output: () => string
  /** SIGKILL, and waits until the process is gone. */
  kill(): Promise<void>
  /** Starts it again on the same store and port; resolves when it is ready. */
  start(): Promise<void>
  /** SIGTERM; resolves with the exit code. */
  terminate(): Promise<number | null>
  dispose(): Promise<void>
}

/** A busy machine takes its time. */
const usualReadyMsMax = 60_000

const ownEntry = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export async function startServerProcess(
  environment: Record<string, string> = {},
  options: {
    /** A program with its arguments that becomes the server, such as one that sets limits. */
    launcher?: readonly string[]
    /** A directory that is there; a fresh one by default. Removed at the end. */
    dataDir?: string
    /** Another build of the server. */
    entry?: string
    /** For a start that has to wait for others. */
    readyMsMax?: number
  } = {},
): Promise<ServerProcess> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'countersign-process-')))
  const database = await createTestDatabase()
  const stored = database === null ? {} : nodeEnvironment(database.url)
  const port = await freePort()
  const rootKey = `csk_${'test-root-key-'.repeat(3)}`
  const url = `http://127.0.0.1:${port}`
  let child: ChildProcess | null = null
  let printed = ''

  const ended = async (): Promise<number | null> => {
    const running = child
    if (running === null) return null
    if (running.exitCode === null && running.signalCode === null) await once(running, 'exit')
    child = null
    return running.exitCode
  }
  const server: ServerProcess = {
    client: new Countersign({ baseUrl: url, apiKey: rootKey, retriesMax: 0 }),
    url,
    rootKey,
    dataDir,
    store: openTestStore(database, dataDir),
    pid: () => child?.pid ?? null,
    output: () => printed,
    async kill() {
      child?.kill('SIGKILL')
      await ended()
    },
    async start() {
      const [program, ...parameters] = [
        ...(options.launcher ?? []),
        ...[process.execPath, options.entry ?? ownEntry, 'serve'],
      ]
      const started = spawn(program ?? process.execPath, parameters, {
        env: {
          ...childEnvironment(),
          COUNTERSIGN_PORT: String(port),
          COUNTERSIGN_DATA_DIR: dataDir,
          COUNTERSIGN_ROOT_KEY: rootKey,
          COUNTERSIGN_ALLOW_HTTP: 'true',
          COUNTERSIGN_ALLOWED_NETWORKS: '127.0.0.0/8',
          ...stored,
          ...environment,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      child = started
      for (const stream of [started.stdout, started.stderr]) {
        stream?.on('data', (chunk) => {
          printed += chunk
        })
      }
      await until(
        'the server is ready',
        async () => {
          if (started.exitCode !== null) throw new Error(`The server ended:\n${printed}`)
          return isReady(url)
        },
        options.readyMsMax ?? usualReadyMsMax,
      )
    },
    async terminate() {
      child?.kill('SIGTERM')
      return ended()
    },
    async dispose() {
      await server.kill()
      await database?.drop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
  await server.start()
  return server
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`)).ok
  } catch {
    return false
  }
}
