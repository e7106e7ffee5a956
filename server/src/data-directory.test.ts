import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { makeDataDirectory } from './data-directory.ts'
import { StartError } from './start-error.ts'

function createDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-data-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

test('a missing data directory is made for its owner only, with the folders above it', (t) => {
  const path = join(createDirectory(t), 'a', 'b')
  makeDataDirectory(path)
  assert.equal(statSync(path).mode & 0o777, 0o700)
  makeDataDirectory(path)
})

test('what cannot be a data directory is one sentence with the way out', (t) => {
  const file = join(createDirectory(t), 'file')
  writeFileSync(file, '')
  for (const path of [file, join(file, 'below'), '/proc/countersign', '/proc/self/x/y']) {
    assert.throws(
      () => makeDataDirectory(path),
      (error: unknown) => {
        assert.ok(error instanceof StartError)
        assert.match(error.message, /^The data directory \S+ cannot be made: .*DATA_DIR\.$/)
        return true
      },
    )
  }
})
