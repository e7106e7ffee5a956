import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createIdFactory } from '../../core/ids.ts'
import { type OpenStore, storageSuite } from '../storage-suite.ts'
import { createTestClock } from '../suite/test-clock-suite.ts'
import { openSqliteStorage } from './open.ts'

const open: OpenStore = async ({ leaseMs = 30_000 } = {}) => {
  const directory = await mkdtemp(join(tmpdir(), 'countersign-sqlite-'))
  const clock = createTestClock()
  const newId = createIdFactory({ now: clock.now, randomBytes })
  const file = join(directory, 'test.db')
  const openFile = () => openSqliteStorage({ file, clock, newId, leaseMs, checkpointThread: false })
  let storage = await openFile()
  return {
    get storage() {
      return storage
    },
    clock,
    async reopen() {
      await storage.close()
      storage = await openFile()
    },
    async dispose() {
      await storage.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

storageSuite('SQLite', open)
