import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Countersign } from '@countersign/sdk'
import { type App, type AppOptions, startApp } from '../../src/app.ts'
import { createClock, type SystemClock } from '../../src/clock.ts'
import { type Environment, readConfig } from '../../src/config.ts'
import { createLogger } from '../../src/logger.ts'
import { nodeEnvironment } from './node-environment.ts'
import { createTestDatabase } from './test-database.ts'
import { openTestStore, type TestStore } from './test-store.ts'

/** A server in this process, on a fresh store and a free port of loopback. */
export interface TestApp {
  app: App
  client: Countersign
  rootKey: string
  dataDir: string
  /** Null: it is on SQLite. */
  databaseUrl: string | null
  store: TestStore
  /** Everything that was logged, line by line. */
  logLines: string[]
  /** Move it with `adjust`; both threads of the server follow. */
  clock: SystemClock
  /** Stops the server and starts another on the same store. */
  restart(): Promise<void>
  dispose(): Promise<void>
}

/** Allows loopback and plain http, as receivers of tests are there. */
export async function startTestApp(
  options: {
    environment?: Environment
    wrapStorage?: AppOptions['wrapStorage']
    clock?: SystemClock
    /** Where the built console is; absent: it is not served. */
    consoleDirectory?: string
  } = {},
): Promise<TestApp> {
  const database = await createTestDatabase()
  const stored = database === null ? {} : nodeEnvironment(database.url)
  const dataDir = await mkdtemp(join(tmpdir(), 'countersign-test-'))
  // A test's own steps must not be taken for a jump and be followed back.
  const clock = options.clock ?? { ...createClock(), wallDrift: () => 0 }
  const start = async () => {
    const read = readConfig({
      COUNTERSIGN_PORT: '0',
      COUNTERSIGN_DATA_DIR: dataDir,
      COUNTERSIGN_ALLOW_HTTP: 'true',
      COUNTERSIGN_ALLOWED_NETWORKS: '127.0.0.0/8,::1/128',
      COUNTERSIGN_LOG_LEVEL: 'debug',
      ...stored,
      ...options.environment,
    })
    if (!read.ok) throw new Error(read.problems.join('\n'))
    return startApp({
      config: read.config,
      logger: await createLogger({
        level: read.config.logLevel,
        stream: { write: (line) => void test.logLines.push(line) },
        usesColor: false,
      }),
      clock,
      ...(database === null ? {} : { storeTime: clock.now }),
      consoleDirectory: options.consoleDirectory ?? null,
      ...(options.wrapStorage ? { wrapStorage: options.wrapStorage } : {}),
    })
  }
  const test: TestApp = {
    app: null as never,
    client: null as never,
    rootKey: '',
    dataDir,
    databaseUrl: database?.url ?? null,
    store: openTestStore(database, dataDir),
    logLines: [],
    clock,
    async restart() {
      await test.app.stop(5_000)
      await connect()
    },
    async dispose() {
      await test.app.stop(5_000)
      await database?.drop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
  const connect = async () => {
    test.app = await start()
    test.rootKey = test.app.rootKeys[0] ?? ''
    test.client = new Countersign({ baseUrl: test.app.url, apiKey: test.rootKey })
  }
  await connect()
  return test
}
