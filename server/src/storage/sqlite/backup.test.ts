import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, test } from 'node:test'
import { backupSqlite } from './backup.ts'
import { migrateSqlite } from './migrate.ts'
import { restoreSqlite } from './restore.ts'

const rollbackJournal = 1
const writeAheadLog = 2

let directory: string
let file: string
let medium: string
let to: string
let umask: number

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-backup-'))
  for (const name of ['data', 'medium', 'restored']) mkdirSync(join(directory, name))
  file = join(directory, 'data', 'countersign.db')
  medium = join(directory, 'medium')
  to = join(medium, 'backup.db')
  umask = process.umask(0)
  await migrateSqlite(file)
  // More than one step of a backup copies.
  write(file, "insert into meta values ('ballast', zeroblob(8000000))")
})

afterEach(() => {
  process.umask(umask)
  rmSync(directory, { recursive: true })
})

/** Leaves the database in the mode that a server leaves it in. */
function write(path: string, sql: string): void {
  const database = new DatabaseSync(path)
  database.exec(`pragma journal_mode = wal; ${sql}`)
  database.close()
}

function back() {
  return backupSqlite({ file, to, onPages() {} })
}

function restore(from = to) {
  const target = join(directory, 'restored', 'countersign.db')
  return restoreSqlite({ from, file: target, isForced: false }).then(() => target)
}

/** The file format that a database says it was written with. */
function formatOf(path: string): number | undefined {
  return readFileSync(path)[18]
}

function countMeta(path: string): unknown {
  const database = new DatabaseSync(path, { readOnly: true })
  const row = database.prepare('select count(*) as count from meta').get()
  database.close()
  return row?.count
}

test('a backup is one file, private whatever the umask, that needs no log to be read', async () => {
  assert.equal(formatOf(file), writeAheadLog)
  const { hasClearedUnfinished } = await back()
  assert.equal(hasClearedUnfinished, false)
  assert.deepEqual(readdirSync(medium), ['backup.db'])
  assert.equal(formatOf(to), rollbackJournal)
  assert.equal(statSync(to).mode & 0o777, 0o600)
  assert.equal(countMeta(to), 1)
  assert.deepEqual(readdirSync(medium), ['backup.db'], 'reading made nothing beside it')
})

test('a restore writes in the data directory alone, and privately', async () => {
  await back()
  chmodSync(to, 0o644)
  const target = await restore()
  assert.deepEqual(readdirSync(medium), ['backup.db'])
  assert.deepEqual(readdirSync(join(directory, 'restored')), [
    'countersign.db',
    'countersign.db.lock',
  ])
  for (const name of ['', '.lock']) assert.equal(statSync(target + name).mode & 0o777, 0o600)
  assert.equal(countMeta(target), 1)
})

test('a backup of an earlier version, in log mode, is restored from where nobody may write', {
  skip: whyNoMount() ?? false,
}, async () => {
  await back()
  write(to, '')
  assert.equal(formatOf(to), writeAheadLog)
  const target = join(directory, 'restored', 'countersign.db')
  const code = `
    const { restoreSqlite } = await import(${JSON.stringify(import.meta.resolve('./restore.ts'))})
    await restoreSqlite(${JSON.stringify({ from: to, file: target, isForced: false })})`
  const { status, stderr } = spawnSync(
    'unshare',
    [
      ...['-Urm', 'sh', '-c'],
      'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && exec "$2" --input-type=module -e "$3"',
      ...['sh', medium, process.execPath, code],
    ],
    { encoding: 'utf8' },
  )
  assert.equal(status, 0, stderr)
  assert.equal(countMeta(target), 1)
  assert.deepEqual(readdirSync(medium), ['backup.db'])
})

test('what a backup that was killed half-way left is cleared by the next one', async () => {
  const code = `
    const { backupSqlite } = await import(${JSON.stringify(import.meta.resolve('./backup.ts'))})
    await backupSqlite({ ...${JSON.stringify({ file, to })}, onPages: () => process.kill(process.pid, 'SIGKILL') })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' })
  const [, signal] = await once(child, 'exit')
  assert.equal(signal, 'SIGKILL')
  const left = readdirSync(medium)
  assert.ok(left.includes('backup.db.partial'), left.join(' '))
  assert.ok(!left.includes('backup.db'))
  for (const name of left) assert.equal(statSync(join(medium, name)).mode & 0o777, 0o600, name)
  for (const suffix of ['-wal', '-shm']) writeFileSync(`${to}.partial${suffix}`, 'left over')

  const { hasClearedUnfinished } = await back()
  assert.equal(hasClearedUnfinished, true)
  assert.deepEqual(readdirSync(medium), ['backup.db'])
  assert.equal(countMeta(to), 1)
})

test('a restore that fails leaves nothing, one that was killed is begun anew', async () => {
  const restored = join(directory, 'restored')
  await back()
  const bytes = readFileSync(to)
  const broken = join(medium, 'broken.db')
  writeFileSync(broken, bytes.subarray(0, bytes.length / 2))
  await assert.rejects(restore(broken), /broken\.db is damaged/)
  assert.deepEqual(readdirSync(restored), ['countersign.db.lock'])

  for (const suffix of ['', '-journal', '-wal', '-shm']) {
    writeFileSync(join(restored, `countersign.db.partial${suffix}`), 'left over')
  }
  assert.equal(countMeta(await restore()), 1)
  assert.deepEqual(readdirSync(restored), ['countersign.db', 'countersign.db.lock'])
})

test('of two backups to one name the second is refused, and a finished one stays', async () => {
  const first = back()
  await assert.rejects(back(), /Another backup to .*backup\.db is under way/)
  await first
  const before = statSync(to)
  await assert.rejects(back(), /exists already/)
  assert.equal(statSync(to).ino, before.ino)
  assert.deepEqual(readdirSync(medium), ['backup.db'])
})

test('a file that appears under the name of a running backup is not written over', async () => {
  const running = back()
  writeFileSync(to, 'somebody else was faster')
  await assert.rejects(running, /exists already/)
  assert.equal(readFileSync(to, 'utf8'), 'somebody else was faster')
  assert.deepEqual(readdirSync(medium), ['backup.db'])
})

test('a copy of a running store without its log is refused as a backup', async () => {
  await back()
  writeFileSync(`${to}-wal`, 'what was accepted last')
  await assert.rejects(restore(), /backup\.db-wal/)
  assert.deepEqual(readdirSync(join(directory, 'restored')), ['countersign.db.lock'])
})

test('a directory that is not there is named', async () => {
  to = join(directory, 'missing', 'backup.db')
  await assert.rejects(back(), /The directory .*missing does not exist/)
})

function whyNoMount(): string | null {
  const mounted = spawnSync('unshare', ['-Urm', 'mount', '-t', 'tmpfs', 'none', '/tmp'])
  if (mounted.error !== undefined) return 'unshare is not installed'
  return mounted.status === 0 ? null : 'this user may not mount in a namespace of its own'
}
