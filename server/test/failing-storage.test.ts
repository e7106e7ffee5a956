import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createIdFactory } from '../src/core/ids.ts'
import { openSqliteStorage } from '../src/storage/sqlite/open.ts'
import { createSamples } from '../src/storage/suite/samples-suite.ts'
import { createTestClock } from '../src/storage/suite/test-clock-suite.ts'
import { createFailingStorage } from './support/failing-storage.ts'

test('a failing storage fails at each call in turn and leaves nothing half-done', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'countersign-failing-'))
  const clock = createTestClock()
  const inner = await openSqliteStorage({
    file: join(directory, 'test.db'),
    clock,
    newId: createIdFactory({ now: clock.now, randomBytes }),
    leaseMs: 1_000,
    checkpointThread: false,
  })
  const samples = createSamples({ storage: inner, clock })
  const failures: (string | null)[] = []
  for (let failAt = 1; failAt < 10; failAt += 1) {
    const { storage, failedAt } = createFailingStorage(inner, failAt)
    const project = samples.project()
    const flow = storage
      .transact(async (tx) => {
        await tx.insertProject(project)
        await tx.insertEndpoint(samples.endpoint(project.id))
      })
      .then(() => storage.acceptEvents([samples.event(project.id)]))
    await flow.catch(() => {})
    failures.push(failedAt())
    const isStored = (await inner.getProject(project.id)) !== null
    assert.equal(isStored, failedAt() === null || failedAt() === 'acceptEvents')
    assert.equal(await inner.countEndpoints(project.id), isStored ? 1 : 0)
    if (failedAt() === null) break
  }
  assert.deepEqual(failures, [
    'transact',
    'tx.insertProject',
    'tx.insertEndpoint',
    'commit',
    'acceptEvents',
    null,
  ])
  await inner.close()
  await rm(directory, { recursive: true })
})
