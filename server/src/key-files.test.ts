import assert from 'node:assert/strict'
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
import { type TestContext, test } from 'node:test'
import { loadOrCreateMasterKeys, loadOrCreateRootKeys } from './key-files.ts'
import { createRandom } from './random.ts'
import { StartError } from './start-error.ts'

const { bytes: randomBytes } = createRandom()

function createDataDir(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-keys-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function load(dataDir: string, options: { isStoreSealed?: boolean } = {}) {
  const config = { dataDir, rootKeys: [], masterKeys: [] }
  const { isStoreSealed = false } = options
  return {
    root: () => loadOrCreateRootKeys({ config, randomBytes }),
    master: () => loadOrCreateMasterKeys({ config, randomBytes, isStoreSealed }),
  }
}

function isSentence(pattern: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof StartError, String(error))
    assert.match(error.message, pattern)
    assert.match(error.message, /^[^\n]+\.$/)
    return true
  }
}

test('the first start makes both keys, for their owner only, and the next start finds them', (t) => {
  const dataDir = createDataDir(t)
  const first = { root: load(dataDir).root(), master: load(dataDir).master() }
  assert.match(first.root.keys.join(), /^csk_[A-Za-z0-9_-]{43}$/)
  assert.equal(first.master.keys[0]?.length, 32)
  assert.deepEqual([first.root.isNew, first.master.isNew], [true, true])
  for (const { file } of [first.root, first.master]) {
    assert.equal(statSync(file ?? '').mode & 0o777, 0o600)
  }
  assert.equal(readFileSync(join(dataDir, 'root-key'), 'utf8'), `${first.root.keys[0]}\n`)

  const next = {
    root: load(dataDir).root(),
    master: load(dataDir, { isStoreSealed: true }).master(),
  }
  assert.deepEqual(next.root, { ...first.root, isNew: false })
  assert.deepEqual(next.master, { ...first.master, isNew: false })
})

test('configured keys are taken and no file is made', (t) => {
  const dataDir = createDataDir(t)
  const config = { dataDir, rootKeys: ['csk_a', 'csk_b'], masterKeys: [new Uint8Array(32)] }
  const none = { file: null, isNew: false, warnings: [] }
  assert.deepEqual(loadOrCreateRootKeys({ config, randomBytes }), {
    keys: config.rootKeys,
    ...none,
  })
  assert.deepEqual(loadOrCreateMasterKeys({ config, randomBytes, isStoreSealed: true }), {
    keys: config.masterKeys,
    ...none,
  })
  assert.deepEqual(readdirSync(dataDir), [])
})

test('a file that others can read is taken with a warning', (t) => {
  const dataDir = createDataDir(t)
  const { file } = load(dataDir).root()
  chmodSync(file ?? '', 0o640)
  const { warnings } = load(dataDir).root()
  assert.equal(warnings.length, 1)
  assert.match(warnings[0] ?? '', /root-key can be read by others \(mode 640\): run chmod 600/)
})

test('a lost master key is not replaced while the store holds values sealed under it', (t) => {
  const dataDir = createDataDir(t)
  assert.throws(load(dataDir, { isStoreSealed: true }).master, isSentence(/put the file .* back/))
  assert.deepEqual(readdirSync(dataDir), [])
})

test('a key file that is empty, damaged or no file is one sentence and stays as it is', (t) => {
  const dataDir = createDataDir(t)
  const file = join(dataDir, 'master-key')
  writeFileSync(file, '')
  assert.throws(load(dataDir).master, isSentence(/master-key is empty/))
  writeFileSync(file, 'not a key\n')
  assert.throws(load(dataDir).master, isSentence(/master-key is damaged: it must be/))
  assert.equal(readFileSync(file, 'utf8'), 'not a key\n')
  rmSync(file)
  mkdirSync(file)
  assert.throws(load(dataDir).master, isSentence(/master-key cannot be read \(EISDIR\)/))
})

test('a damaged file is not quoted', (t) => {
  const dataDir = createDataDir(t)
  const almost = `csk_${'z'.repeat(30)}`
  writeFileSync(join(dataDir, 'root-key'), almost)
  assert.throws(load(dataDir).root, (error: Error) => !error.message.includes(almost.slice(4, 12)))
})

test('a directory that cannot be written is one sentence', (t) => {
  const file = join(createDataDir(t), 'file')
  writeFileSync(file, '')
  // Below a regular file: not even the superuser can write there.
  assert.throws(load(join(file, 'data')).root, isSentence(/cannot be (?:read|written) \(ENOTDIR\)/))
})

test('a file that appears between looking and making is never overwritten', (t) => {
  const dataDir = createDataDir(t)
  const file = join(dataDir, 'root-key')
  const config = { dataDir, rootKeys: [], masterKeys: [] }
  // The other start is done in the moment in which this one makes its key.
  const other = (size: number) => {
    writeFileSync(file, 'csk_of_the_other_start')
    return randomBytes(size)
  }
  assert.throws(
    () => loadOrCreateRootKeys({ config, randomBytes: other }),
    isSentence(/cannot be written \(EEXIST\)/),
  )
  assert.equal(readFileSync(file, 'utf8'), 'csk_of_the_other_start')
})
