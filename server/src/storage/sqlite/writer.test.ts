import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { createIdFactory } from '../../core/ids.ts'
import { limits } from '../../core/limits.ts'
import { StorageOverloadedError, StorageUnavailableError } from '../storage.ts'
import { createSamples } from '../suite/samples-suite.ts'
import { createTestClock } from '../suite/test-clock-suite.ts'
import { applyMigrations } from './migrate.ts'
import { createSqliteStorage } from './sqlite-storage.ts'
import type { CommitReport } from './writer.ts'

const leaseMs = 1_000

test('calls of one turn share one commit', async () => {
  await using store = openStore()
  const { storage, samples, commits } = store
  const { project } = await samples.addPair()
  commits.length = 0
  const calls = Array.from({ length: 500 }, () => storage.acceptEvents([samples.event(project.id)]))
  const unit = storage.transact((tx) => tx.setMeta('a', new Uint8Array()))
  await Promise.all([...calls, unit])
  assert.deepEqual(
    commits.map(({ jobCount }) => jobCount),
    [501],
  )
})

test('a unit sees all events that came before it in its turn', async () => {
  await using store = openStore()
  const { storage, samples } = store
  const { project } = await samples.addPair()
  const events = Array.from({ length: 19 }, () => samples.event(project.id))
  const calls = events.map((event) => storage.acceptEvents([event]))
  const page = { limit: 50, after: null }
  const seen = await storage.transact((tx) => tx.listEvents(project.id, page))
  await Promise.all(calls)
  const idsOf = ({ items }: typeof seen) => items.map(({ id }) => id)
  assert.deepEqual(idsOf(seen).sort(), events.map(({ id }) => id).sort())
  assert.deepEqual(idsOf(await storage.listEvents(project.id, page)), idsOf(seen))
})

test('an undone commit leaves no event behind for the next', async () => {
  await using store = openStore()
  const { storage, samples } = store
  const { project } = await samples.addPair()
  const undone = await Promise.allSettled([
    storage.acceptEvents([samples.event(project.id), samples.event(project.id)]),
    storage.acceptEvents([samples.event('prj_unknown')]),
  ])
  assert.ok(undone.every(({ status }) => status === 'rejected'))
  const unit = storage.transact((tx) =>
    tx.acceptEvents([samples.event(project.id), samples.event('prj_unknown')]),
  )
  await assert.rejects(unit, /unknown project/)
  const event = samples.event(project.id)
  await storage.acceptEvents([event])
  const { items } = await storage.listEvents(project.id, { limit: 5, after: null })
  assert.deepEqual(
    items.map(({ id }) => id),
    [event.id],
  )
})

test('a batch is bounded, and so is the queue', async () => {
  await using store = openStore()
  const { storage, samples, commits } = store
  const { project } = await samples.addPair()
  commits.length = 0
  const perCall = 1_000
  const callCount = limits.writeQueueMax / perCall
  const events = (index: number) =>
    Array.from({ length: perCall }, (_, at) => ({
      ...samples.event(project.id),
      id: `same-${at % (index + 2)}`,
      hasCallerId: true,
    }))
  const calls = Array.from({ length: callCount }, (_, index) => storage.acceptEvents(events(index)))
  await assert.rejects(storage.acceptEvents([samples.event(project.id)]), StorageOverloadedError)
  // Results of deliveries are recorded all the same.
  const unit = storage.transact((tx) => tx.setMeta('a', new Uint8Array()))
  await Promise.all([...calls, unit])
  const callsPerCommit = limits.writeBatchMax / perCall
  assert.equal(commits.length, callCount / callsPerCommit + 1)
  await storage.acceptEvents([samples.event(project.id)])
})

test('a commit takes no more once it has stored many deliveries', async () => {
  await using store = openStore()
  const { storage, samples, commits } = store
  const project = await samples.addProject()
  for (let index = 0; index < 60; index += 1) await samples.addEndpoint(project.id)
  commits.length = 0
  const calls = Array.from({ length: 4 }, () =>
    storage.acceptEvents(Array.from({ length: 100 }, () => samples.event(project.id))),
  )
  await Promise.all(calls)
  assert.deepEqual(
    commits.map(({ jobCount }) => jobCount),
    [2, 2],
  )
})

test('a store that cannot begin a transaction answers all who wait', async () => {
  await using store = openStore()
  const { storage, samples, file } = store
  const { project } = await samples.addPair()
  const other = new DatabaseSync(file)
  other.exec('begin immediate')
  const outcomes = await Promise.allSettled([
    storage.transact((tx) => tx.setMeta('a', new Uint8Array())),
    storage.acceptEvents([samples.event(project.id)]),
  ])
  for (const outcome of outcomes) {
    assert.ok(outcome.status === 'rejected')
    assert.match(String(outcome.reason), /it is locked/)
  }
  other.close()
  await storage.acceptEvents([samples.event(project.id)])
})

test('a full disk fails the whole commit, and the next one works', async () => {
  await using store = openStore()
  const { storage, samples, database } = store
  const { project } = await samples.addPair()
  const taken: unknown[] = []
  storage.connect({
    handOff: { reserve: () => true, take: (all) => void taken.push(...all), cancel: () => {} },
  })
  setRoom(database, 20)
  const big = { data: `"${'x'.repeat(200_000)}"` }
  const small = samples.project()
  const outcomes = await Promise.allSettled([
    storage.transact((tx) => tx.insertProject(small)),
    storage.acceptEvents([samples.event(project.id)]),
    storage.acceptEvents([samples.event(project.id, big)]),
  ])
  for (const outcome of outcomes) {
    assert.ok(outcome.status === 'rejected')
    assert.ok(outcome.reason instanceof StorageUnavailableError)
    assert.match(outcome.reason.message, /the disk is full/)
    assert.ok(outcome.reason.cause instanceof Error)
  }
  assert.equal(await storage.getProject(small.id), null)
  assert.deepEqual(taken, [])
  assert.deepEqual((await storage.listEvents(project.id, { limit: 5, after: null })).items, [])

  await storage.acceptEvents([samples.event(project.id)])
  setRoom(database, 100_000)
  await storage.acceptEvents([samples.event(project.id, big)])
  assert.equal(taken.length, 2)
})

test('what an undone commit had told memory is forgotten', async () => {
  await using store = openStore()
  const { storage, samples, database } = store
  const { project } = await samples.addPair()
  setRoom(database, 20)
  const big = { data: `"${'x'.repeat(200_000)}"` }
  const outcomes = await Promise.allSettled([
    storage.transact((tx) => tx.insertEndpoint(samples.endpoint(project.id))),
    storage.acceptEvents([samples.event(project.id)]),
    storage.acceptEvents([samples.event(project.id, big)]),
  ])
  assert.ok(outcomes.every(({ status }) => status === 'rejected'))
  setRoom(database, 100_000)
  const [accepted] = await storage.acceptEvents([samples.event(project.id)])
  assert.equal(accepted?.deliveryCount, 1)
  assert.equal((await samples.claimAll()).length, 1)
  assert.equal((await storage.backlog()).pending, 1)
})

test('a claim does not fall into the middle of a transaction', async () => {
  await using store = openStore()
  const { storage, samples, clock } = store
  const { project } = await samples.addPair()
  await samples.publish(project.id)
  const [delivery] = await samples.deliverAll({ next: { status: 'pending', dueAt: clock.now() } })
  const claim = await storage.transact(async (tx) => {
    await tx.retryDelivery(delivery?.id ?? '', clock.now() + 1_000)
    return { claimed: samples.claimAll() }
  })
  assert.deepEqual(await claim.claimed, [])
  assert.equal(await storage.nextDueAt(), clock.now() + 1_000)
})

test('a lease that runs out during the commit of its result leaves nothing due', async () => {
  await using store = openStore()
  const { storage, samples, clock } = store
  const { project } = await samples.addPair()
  await samples.publish(project.id)
  const [delivery] = await samples.claimAll()
  assert.ok(delivery)
  await storage.transact(async (tx) => {
    await tx.recordAttempts([samples.result(delivery)])
    clock.advance(leaseMs)
    void storage.nextDueAt()
  })
  assert.equal(await storage.nextDueAt(), null)
  assert.deepEqual(await samples.claimAll(), [])
})

test('reservations are given back when the commit is undone', async () => {
  await using store = openStore()
  const { storage, samples, database } = store
  const { project, endpoint } = await samples.addPair()
  const reserved: unknown[] = []
  const cancelled: unknown[] = []
  const handOff = {
    reserve: (endpointId: string, dataBytes: number) =>
      reserved.push({ endpointId, dataBytes }) > 0,
    take: () => assert.fail('Nothing was committed.'),
    cancel: (reservations: readonly unknown[]) => void cancelled.push(...reservations),
  }
  storage.connect({ handOff })
  setRoom(database, 20)
  const big = { data: `"${'x'.repeat(200_000)}"` }
  const [, failed] = await Promise.allSettled([
    storage.acceptEvents([samples.event(project.id, { data: '{}' })]),
    storage.acceptEvents([samples.event(project.id, big)]),
  ])
  assert.equal(failed.status, 'rejected')
  assert.deepEqual(reserved[0], { endpointId: endpoint.id, dataBytes: 2 })
  assert.deepEqual(cancelled, reserved)
})

test('a unit that swallows a failure of the store does not commit the rest', async () => {
  await using store = openStore()
  const { storage, samples, database } = store
  setRoom(database, 20)
  const project = samples.project()
  const later: unknown[] = []
  const swallowing = storage.transact(async (tx) => {
    await tx.insertProject(project)
    await tx.setMeta('big', new Uint8Array(500_000)).catch(() => {})
    // After such an error a statement might commit by itself, so none is let through.
    await tx.insertProject(samples.project()).catch((error) => later.push(error))
  })
  await assert.rejects(swallowing, /the disk is full/)
  assert.ok(later[0] instanceof StorageUnavailableError)
  assert.deepEqual((await storage.listProjects({ limit: 5, after: null })).items, [])
  assert.equal(await storage.getProject(project.id), null)
  setRoom(database, 100_000)
  await storage.transact((tx) => tx.insertProject(project))
})

test('a unit that awaits anything but its transaction is undone', async () => {
  await using store = openStore()
  const { storage, samples } = store
  const [slow, quick] = [samples.project(), samples.project()]
  const [first, second] = await Promise.allSettled([
    storage.transact(async (tx) => {
      await tx.insertProject(slow)
      await wait(5)
    }),
    storage.transact((tx) => tx.insertProject(quick)),
  ])
  assert.ok(first.status === 'rejected')
  assert.match(String(first.reason), /awaited something other/)
  assert.equal(second.status, 'fulfilled')
  assert.equal(await storage.getProject(slow.id), null)
  assert.notEqual(await storage.getProject(quick.id), null)
})

test('a transaction cannot be used after its end', async () => {
  await using store = openStore()
  const { storage, samples } = store
  const kept = await storage.transact(async (tx) => ({ tx }))
  await assert.rejects(kept.tx.insertProject(samples.project()), /after its end/)
})

test('events of an unknown project are refused', async () => {
  await using store = openStore()
  const { storage, samples } = store
  await assert.rejects(storage.acceptEvents([samples.event('prj_unknown')]), (error) => {
    assert.ok(error instanceof StorageUnavailableError)
    return /unknown project/.test(String(error.cause))
  })
})

test('a consumer that fails is reported to the writers that wait for it', async () => {
  await using store = openStore()
  const { storage, samples } = store
  storage.connect({
    onCommitted() {
      throw new Error('The consumer is broken.')
    },
  })
  const project = samples.project()
  await assert.rejects(
    storage.transact((tx) => tx.insertProject(project)),
    /consumer is broken/,
  )
  assert.notEqual(await storage.getProject(project.id), null)
})

/** A storage on connections that the test holds too. */
function openStore() {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-writer-'))
  const file = join(directory, 'test.db')
  const database = new DatabaseSync(file)
  applyMigrations(database, file)
  database.exec('pragma journal_mode = wal')
  const readerDatabase = new DatabaseSync(file, { readOnly: true })
  const clock = createTestClock()
  const commits: CommitReport[] = []
  const storage = createSqliteStorage({
    writerDatabase: database,
    readerDatabase,
    clock,
    newId: createIdFactory({ now: clock.now, randomBytes }),
    leaseMs,
    observeCommit: (report) => commits.push(report),
    eraseLog() {},
    async release() {
      readerDatabase.close()
      database.close()
    },
  })
  return {
    storage,
    database,
    file,
    clock,
    commits,
    samples: createSamples({ storage, clock }),
    async [Symbol.asyncDispose]() {
      await storage.close()
      rmSync(directory, { recursive: true })
    },
  }
}

/** Lets the database grow by so many pages: beyond them, SQLite meets a full disk. */
function setRoom(database: DatabaseSync, pages: number): void {
  const count = Number(database.prepare('pragma page_count').get()?.page_count)
  database.exec(`pragma max_page_count = ${count + pages}`)
}
