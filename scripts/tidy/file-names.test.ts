import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileNames } from './file-names.ts'
import { createSourceTree } from './source-tree.ts'

function isAccepted(path: string): boolean {
  return fileNames.check(createSourceTree({ [path]: '' })).length === 0
}

test('refuses names that say nothing', () => {
  for (const path of [
    'server/src/utils/a.ts',
    'server/src/util.ts',
    'sdk/src/string-helpers.ts',
    'server/src/common/a.ts',
    'server/src/core/rotation-manager.ts',
    'server/src/misc.sql',
  ]) {
    assert.equal(isAccepted(path), false, path)
  }
})

test('refuses names that are not kebab-case', () => {
  for (const path of ['server/src/RotateSecret.ts', 'server/src/rotate_secret.ts', 'Docs/a.md']) {
    assert.equal(isAccepted(path), false, path)
  }
})

test('accepts kebab-case and the names that tools and readers expect', () => {
  for (const path of [
    'server/src/actions/rotate-secret.test.ts',
    'server/src/storage/sqlite/migrations/0001-initial.sql',
    'server/src/core/utility-bill.ts',
    '.ci/run',
    '.env.example',
    '.github/ISSUE_TEMPLATE/bug.md',
    'CONTRIBUTING.md',
    'Dockerfile',
    'LICENSE',
    'package-lock.json',
    'tsconfig.base.json',
  ]) {
    assert.equal(isAccepted(path), true, path)
  }
})
