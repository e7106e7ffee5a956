import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import {
  findPostgres,
  noPostgres,
  type PostgresServer,
  startPostgres,
} from '../../../test/support/postgres-server.ts'
import { createIdFactory } from '../../core/ids.ts'
import { type OpenStore, storageSuite } from '../storage-suite.ts'
import { createTestClock } from '../suite/test-clock-suite.ts'
import { openPostgresStorage } from './open.ts'

let server: PostgresServer

/** Each opens a database and asks it some hundred times. */
const modelRuns = process.env.COUNTERSIGN_TEST_LONG ? 100 : 10

const open: OpenStore = async ({ leaseMs = 30_000 } = {}) => {
  const database = await server.createDatabase()
  const { url } = database
  const clock = createTestClock()
  const newId = createIdFactory({ now: clock.now, randomBytes })
  const openDatabase = () =>
    openPostgresStorage({
      url,
      clock,
      newId,
      leaseMs,
      cacheTtlMs: 0,
      storeTime: clock.now,
      onError: console.error,
    })
  let storage = await openDatabase()
  return {
    get storage() {
      return storage
    },
    clock,
    async reopen() {
      await storage.close()
      storage = await openDatabase()
    },
    async dispose() {
      await storage.close()
      await database.drop()
    },
  }
}

if (findPostgres() === null) test('storage on PostgreSQL', { skip: noPostgres })
else {
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.dispose())
  storageSuite('PostgreSQL', open, modelRuns)
}
