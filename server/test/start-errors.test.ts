import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { runCommand, startCommand } from './support/run-command.ts'

const masterKey = Buffer.alloc(32, 1).toString('base64')
const otherMasterKey = Buffer.alloc(32, 2).toString('base64')

function createDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-start-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Every file of a directory with a hash of what is in it; the store's lock file is always empty. */
function contentsOf(directory: string): Record<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
  return Object.fromEntries(
    files
      .filter((file) => file.isFile() && !file.name.endsWith('.lock'))
      .map((file) => join(file.parentPath, file.name))
      .sort()
      .map((path) => [path, createHash('sha256').update(readFileSync(path)).digest('hex')]),
  )
}

/** Starts a server on the data directory once, and stops it in good order. */
async function serveOnce(dataDir: string, environment: Record<string, string> = {}): Promise<void> {
  await using server = startCommand(['serve', '--port', '0', '--data-dir', dataDir], environment)
  await server.prints(/Listening on/)
  server.signal('SIGTERM')
  assert.equal(await server.exited, 0, server.stderr())
}

/** The start fails with one sentence that says what, and the data directory stays as it was. */
async function assertRefused(
  args: readonly string[],
  options: { sentence: RegExp; dataDir: string; environment?: Record<string, string> },
): Promise<void> {
  const { sentence, dataDir, environment = {} } = options
  const before = existsSync(dataDir) ? contentsOf(dataDir) : null
  const { code, stderr } = await runCommand([...args, '--data-dir', dataDir], environment)
  assert.equal(code, 1, stderr)
  assert.match(stderr, sentence)
  assert.match(stderr, /^[^\n]+\.\n$/, 'standard error holds one sentence and nothing else')
  assert.doesNotMatch(stderr, /\n {4}at /, 'no stack')
  assert.deepEqual(existsSync(dataDir) ? contentsOf(dataDir) : null, before, 'nothing changed')
}

test('a wrong configuration lists every mistake, ends with 2 and makes nothing', async (t) => {
  const dataDir = join(createDirectory(t), 'data')
  const { code, stdout, stderr } = await runCommand(
    ['serve', '--port', '70000', '--data-dir', dataDir],
    {
      COUNTERSIGN_ROOT_KEY: 'csk_hunter2',
      COUNTERSIGN_DATABASE_URL: 'mysql://admin:hunter2@db/x',
      COUNTERSIGN_ATTEMPT_TIMEOUT: 'soon',
      COUNTERSIGN_RETRY_SCHEDULE: '5s,never',
    },
  )
  assert.equal(code, 2)
  assert.equal(stdout, '')
  const named = stderr.split('\n').flatMap((line) => /^ {2}- (\S+)/.exec(line)?.[1] ?? [])
  assert.deepEqual(named.sort(), [
    '--port',
    'COUNTERSIGN_ATTEMPT_TIMEOUT',
    'COUNTERSIGN_DATABASE_URL',
    'COUNTERSIGN_RETRY_SCHEDULE',
    'COUNTERSIGN_ROOT_KEY',
  ])
  assert.doesNotMatch(stderr, /hunter2/)
  assert.equal(existsSync(dataDir), false)
})

test('a wrong command line ends with 2 and says where help is', async () => {
  for (const args of [[], ['serve', '--wings'], ['demo', '--seconds', 'many']]) {
    const { code, stderr } = await runCommand(args)
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`)
    assert.match(stderr, /--help|Usage:/)
  }
})

test('a port in use is one sentence, and nothing is made', async (t) => {
  const dataDir = join(createDirectory(t), 'data')
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  t.after(() => taken.close())
  const address = taken.address()
  assert.ok(typeof address === 'object' && address !== null)
  const port = String(address.port)
  const sentence = new RegExp(`\\b${port}\\b.* in use`)
  await assertRefused(['serve', '--port', port], { sentence, dataDir })
  await assertRefused(['serve', '--port', '0', '--metrics-port', port], { sentence, dataDir })
  // Free on the address of the API, taken on that of the metrics.
  const args = ['serve', '--host', '127.0.0.2', '--port', '0', '--metrics-port', port]
  await assertRefused(args, { sentence, dataDir })
})

test('an unwritable data directory is one sentence', async (t) => {
  const directory = createDirectory(t)
  const file = join(directory, 'file')
  writeFileSync(file, 'not a directory')
  // Below a regular file: not even the superuser can write there.
  const dataDir = join(file, 'data')
  for (const args of [['serve', '--port', '0'], ['migrate']]) {
    await assertRefused(args, { sentence: /data directory .* cannot be made/, dataDir })
  }
  assert.equal(readFileSync(file, 'utf8'), 'not a directory')
})

test('a newer schema is one sentence, and the store stays as it is', async (t) => {
  const dataDir = createDirectory(t)
  assert.equal((await runCommand(['migrate', '--data-dir', dataDir])).code, 0)
  const database = new DatabaseSync(join(dataDir, 'countersign.db'))
  database.exec("insert into schema_migrations values (9999, '9999-from-the-future', 0)")
  database.close()
  for (const args of [['serve', '--port', '0'], ['migrate']]) {
    await assertRefused(args, { sentence: /schema version 9999/, dataDir })
  }
})

test('a master key that does not fit is one sentence, and the fitting one still does', async (t) => {
  const dataDir = createDirectory(t)
  await serveOnce(dataDir, { COUNTERSIGN_MASTER_KEYS: masterKey })
  await assertRefused(['serve', '--port', '0'], {
    sentence: /master key does not fit/,
    dataDir,
    environment: { COUNTERSIGN_MASTER_KEYS: otherMasterKey },
  })
  await serveOnce(dataDir, { COUNTERSIGN_MASTER_KEYS: `${otherMasterKey},${masterKey}` })
})

test('a lost master key is not replaced by a new one', async (t) => {
  const dataDir = createDirectory(t)
  await serveOnce(dataDir)
  rmSync(join(dataDir, 'master-key'))
  await assertRefused(['serve', '--port', '0'], { sentence: /put the file .*master-key/, dataDir })
})

test('a damaged key file is one sentence that does not repeat it', async (t) => {
  const dataDir = createDirectory(t)
  await serveOnce(dataDir)
  writeFileSync(join(dataDir, 'root-key'), 'csk_hunter2')
  await assertRefused(['serve', '--port', '0'], {
    sentence: /^(?!.*hunter2).*root-key is damaged/,
    dataDir,
  })
})

test('a file that is no database is one sentence', async (t) => {
  const dataDir = createDirectory(t)
  writeFileSync(join(dataDir, 'countersign.db'), 'My shopping list: '.repeat(100))
  await assertRefused(['serve', '--port', '0'], { sentence: /not a SQLite database/, dataDir })
})

test('a data directory that another server has open is one sentence', async (t) => {
  const dataDir = createDirectory(t)
  await using server = startCommand(['serve', '--port', '0', '--data-dir', dataDir])
  await server.prints(/Listening on/)
  const second = await runCommand(['serve', '--port', '0', '--data-dir', dataDir])
  assert.equal(second.code, 1)
  assert.match(second.stderr, /^[^\n]*in use by another[^\n]*\.\n$/)
})
