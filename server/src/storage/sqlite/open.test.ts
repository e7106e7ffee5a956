import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createIdFactory } from '../../core/ids.ts'
import { StorageOpenError } from '../storage.ts'
import { createTestClock } from '../suite/test-clock-suite.ts'
import { migrateSqlite, readSchemaStatus } from './migrate.ts'
import { openSqliteStorage } from './open.ts'

let directory: string
let file: string
const clock = createTestClock()

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-open-'))
  file = join(directory, 'test.db')
})

afterEach(() => rmSync(directory, { recursive: true }))

function open(path = file) {
  const newId = createIdFactory({ now: clock.now, randomBytes })
  return openSqliteStorage({ file: path, clock, newId, leaseMs: 1_000 })
}

test('a new database is readable by its owner alone, with the thread running', async () => {
  const storage = await open()
  await storage.ping()
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(statSync(`${file}-wal`).mode & 0o777, 0o600)
  await storage.close()
  await storage.close()
  // The last connection to close moved the log into the database.
  assert.equal(statSync(`${file}-wal`, { throwIfNoEntry: false }), undefined)
})

test('a second opening is refused while the first lasts, by whatever path', async () => {
  const storage = await open()
  await refused(open(), /in use by another Countersign process/)
  await refused(open(join(directory, '.', 'test.db')), /in use/)
  await refused(migrateSqlite(file), /in use/)
  await storage.ping()
  await storage.close()
  await (await open()).close()
})

test('a refused second opening leaves the lock with the first', async () => {
  const storage = await open()
  await refused(open(), /in use/)
  // Closing any handle of a file drops the locks that the process holds on it: other processes see.
  const migrate = new URL('./migrate.ts', import.meta.url)
  const code = `
    const { migrateSqlite } = await import(${JSON.stringify(migrate.href)})
    await migrateSqlite(${JSON.stringify(file)}).then(() => console.log('opened'), console.log)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code])
  const output = (await child.stdout.toArray()).join('')
  assert.match(output, /in use by another Countersign process/)
  await storage.close()
})

test('migrating names what it applied, and the schema can be asked beside a server', async () => {
  const { applied, version, knownVersion } = await migrateSqlite(file)
  assert.equal(applied[0], '0001-initial')
  assert.equal(version, knownVersion)
  assert.deepEqual((await migrateSqlite(file)).applied, [])
  const storage = await open()
  assert.deepEqual(await readSchemaStatus(file), { version, knownVersion })
  await storage.close()
})

test('a newer schema is refused and left as it is', async () => {
  await migrateSqlite(file)
  const database = new DatabaseSync(file)
  database.exec("insert into schema_migrations values (9999, '9999-future', 1)")
  database.close()
  const before = readFileSync(file)
  await refused(open(), /schema version 9999, but this build knows only \d+/)
  await refused(migrateSqlite(file), /schema version 9999/)
  assert.ok(readFileSync(file).equals(before))
})

test('what is not a database of ours is refused with one sentence', async () => {
  writeFileSync(file, 'This is a letter, not a database. '.repeat(100))
  await refused(open(), /not a SQLite database/)
  assert.match(readFileSync(file, 'utf8'), /^This is a letter/)

  const foreign = join(directory, 'foreign.db')
  const database = new DatabaseSync(foreign)
  database.exec('create table photos (id integer)')
  database.close()
  await refused(open(foreign), /another program/)
  await refused(open(join(directory, 'missing', 'test.db')), /directory .* does not exist/)
  await refused(open(directory), /cannot be opened/)
  assert.equal(existsSync(`${directory}.lock`), false)
})

test('a damaged database is refused with one sentence', async () => {
  await migrateSqlite(file)
  const bytes = readFileSync(file)
  bytes.fill(0xff, 100, 4096)
  writeFileSync(file, bytes)
  await refused(open(), /is damaged; .* countersign restore\.$/)
})

test('a failed migration leaves nothing behind', async () => {
  const database = new DatabaseSync(file)
  database.exec('pragma application_id = 0x43534947; create table events (id integer)')
  database.exec('create table schema_migrations (version integer, name text, applied_at integer)')
  database.close()
  await assert.rejects(migrateSqlite(file), /table events already exists/)
  assert.equal((await readSchemaStatus(file)).version, 0)
})

test('what was acknowledged survives SIGKILL, and the lock does not', async () => {
  const child = spawn(process.execPath, [
    fileURLToPath(new URL('../../../test/support/write-until-killed.ts', import.meta.url)),
    file,
  ])
  const acknowledged: string[] = []
  const lines = createInterface({ input: child.stdout })
  for await (const line of lines) {
    acknowledged.push(...line.split(' '))
    if (acknowledged.length >= 500) child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  assert.equal(child.signalCode, 'SIGKILL')
  const storage = await open()
  const [project] = (await storage.listProjects({ limit: 1, after: null })).items
  assert.ok(project)
  let missing = 0
  for (const id of acknowledged) {
    const event = await storage.getEvent(project.id, id)
    const { items } = await storage.listDeliveries(
      project.id,
      { eventId: id },
      { limit: 5, after: null },
    )
    if (event?.deliveryCount !== 2 || items.length !== 2) missing += 1
  }
  assert.equal(missing, 0)
  const { pending } = await storage.backlog()
  assert.ok(pending >= 2 * acknowledged.length)
  await storage.close()
})

async function refused(opening: Promise<unknown>, sentence: RegExp): Promise<void> {
  await assert.rejects(opening, (error) => {
    assert.ok(error instanceof StorageOpenError, String(error))
    assert.match(error.message, sentence)
    assert.match(error.message, /^[A-Z][^\n]*\.$/)
    return true
  })
}
