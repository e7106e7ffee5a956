import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { type CheckpointBounds, createCheckpointer } from './checkpointer.ts'
import { startCheckpointThread } from './start-checkpoint-thread.ts'

const mebibyte = 1024 * 1024
const bounds: CheckpointBounds = {
  passBytes: mebibyte / 2,
  passAfterMs: 1_000,
  restartBytes: 2 * mebibyte,
  fileBytesMax: mebibyte,
  idleMs: 500,
  eraseEveryMs: 300,
  retryMs: 50,
}

let directory: string
let file: string
let writer: DatabaseSync

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-checkpoint-'))
  file = join(directory, 'test.db')
  writer = new DatabaseSync(file, { timeout: 10_000 })
  writer.exec('pragma journal_mode = wal; pragma wal_autocheckpoint = 0; create table t (b blob)')
})

afterEach(() => {
  writer.close()
  rmSync(directory, { recursive: true })
})

test('the log starts over however long the writing goes on', () => {
  const { database, checkpointer } = openCheckpointer()
  let largest = 0
  for (let round = 0; round < 60; round += 1) {
    writeKibibytes(200)
    checkpointer.step(round)
    largest = Math.max(largest, logBytes())
  }
  // 12 MiB were written; without checkpoints they would all be in the log.
  assert.ok(largest < 4 * mebibyte, `the log grew to ${largest} bytes`)
  assert.equal(countRows(), 60 * 200)
  database.close()
})

test('a little that was written goes into the database after a while', () => {
  const { database, checkpointer } = openCheckpointer()
  writeKibibytes(1)
  checkpointer.step(0)
  writeKibibytes(1)
  checkpointer.step(999)
  assert.ok(waiting(database) > 0)
  checkpointer.step(1_000)
  assert.equal(waiting(database), 0)
  database.close()
})

test('a long log file gives its space back when all is quiet', () => {
  const { database, checkpointer } = openCheckpointer()
  writeKibibytes(1_500)
  checkpointer.step(0)
  checkpointer.step(499)
  assert.ok(logBytes() > bounds.fileBytesMax)
  checkpointer.step(500)
  assert.equal(logBytes(), 0)
  checkpointer.step(2_000)
  database.close()
})

test('the log is emptied when asked, not too often, and again after a reader was in the way', () => {
  const { database, checkpointer } = openCheckpointer()
  writeKibibytes(10)
  checkpointer.step(0)
  assert.ok(logBytes() > 0, 'not unless asked')
  checkpointer.eraseLog()
  checkpointer.step(1)
  assert.equal(logBytes(), 0)

  writeKibibytes(10)
  checkpointer.eraseLog()
  checkpointer.step(300)
  assert.ok(logBytes() > 0, 'it was just emptied')
  const reader = new DatabaseSync(file, { readOnly: true })
  reader.exec('begin')
  reader.prepare('select count(*) from t').get()
  checkpointer.step(301)
  assert.ok(logBytes() > 0, 'somebody reads from it')
  reader.close()
  checkpointer.step(350)
  assert.ok(logBytes() > 0, 'a try has its time')
  checkpointer.step(351)
  assert.equal(logBytes(), 0)
  database.close()
})

test('a reader in the middle of a long look does not stop the writer', () => {
  const { database, checkpointer } = openCheckpointer()
  const reader = new DatabaseSync(file, { readOnly: true })
  writeKibibytes(3_000)
  const rows = reader.prepare('select rowid from t').iterate()
  rows.next()
  checkpointer.step(0)
  writeKibibytes(10)
  rows.return?.()
  checkpointer.step(100)
  assert.equal(waiting(database), 0)
  reader.close()
  database.close()
})

test('a reader that stays long does not keep the writer waiting', () => {
  const restart = 'pragma wal_checkpoint(restart)'
  let tries = 0
  const database = new DatabaseSync(file, { timeout: 20 })
  const prepare = (sql: string) => {
    const statement = database.prepare(sql)
    const get = () => {
      if (sql === restart) tries += 1
      return statement.get()
    }
    return { get }
  }
  const counting = { prepare } as unknown as DatabaseSync
  const checkpointer = createCheckpointer({
    database: counting,
    bounds,
    readLogFileBytes: logBytes,
  })
  const reader = new DatabaseSync(file, { readOnly: true })
  reader.exec('begin')
  reader.prepare('select count(*) from t').get()
  writeKibibytes(3_000)
  // Each try holds the write lock for as long as it waits for the reader.
  checkpointer.step(0)
  assert.equal(tries, 1)
  writeKibibytes(3_000)
  checkpointer.step(bounds.retryMs - 1)
  assert.equal(tries, 1)
  checkpointer.step(bounds.retryMs)
  assert.equal(tries, 2)
  reader.close()
  checkpointer.step(2 * bounds.retryMs)
  assert.equal(waiting(database), 0)
  database.close()
})

test('the thread keeps the log bounded beside a busy writer', async () => {
  const thread = startCheckpointThread({ file, writerDatabase: writer, bounds })
  const endsAt = Date.now() + 20_000
  let largest = 0
  let rewrites = 0
  let size = 0
  // Until the log has started over: its file then stays as long as it is, and more is written.
  while (rewrites < 20 && Date.now() < endsAt) {
    writeKibibytes(200)
    await wait(1)
    const now = logBytes()
    rewrites = now === size ? rewrites + 1 : 0
    size = now
    largest = Math.max(largest, now)
  }
  await thread.stop()
  assert.equal(rewrites, 20, 'the log never started over')
  assert.ok(largest < 200 * mebibyte, `the log grew to ${largest} bytes`)
})

test('checkpoints return into the writes when the thread dies', async () => {
  const { promise, resolve } = Promise.withResolvers<string>()
  const nowhere = join(directory, 'missing', 'test.db')
  const thread = startCheckpointThread({
    file: nowhere,
    writerDatabase: writer,
    onError: (message) => resolve(message),
  })
  assert.match(await promise, /thread ended/)
  assert.equal(writer.prepare('pragma wal_autocheckpoint').get()?.wal_autocheckpoint, 1_000)
  await thread.stop()
})

function openCheckpointer() {
  const database = new DatabaseSync(file, { timeout: 100 })
  return {
    database,
    checkpointer: createCheckpointer({ database, bounds, readLogFileBytes: logBytes }),
  }
}

function writeKibibytes(count: number): void {
  writer.exec('begin')
  const insert = writer.prepare('insert into t values (zeroblob(1000))')
  for (let row = 0; row < count; row += 1) insert.run()
  writer.exec('commit')
}

function logBytes(): number {
  return statSync(`${file}-wal`).size
}

function waiting(database: DatabaseSync): number {
  const row = database.prepare('pragma wal_checkpoint(noop)').get()
  return Number(row?.log) - Number(row?.checkpointed)
}

function countRows(): number {
  return Number(writer.prepare('select count(*) as count from t').get()?.count)
}
