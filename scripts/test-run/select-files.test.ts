import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { selectFiles } from './select-files.ts'

const root = mkdtempSync(join(tmpdir(), 'select-files-'))
after(() => rmSync(root, { recursive: true }))
for (const path of [
  'server/src/core/a.test.ts',
  'server/src/core/a.ts',
  'server/src/core-like/b.test.ts',
  'server/test/flow.test.ts',
  'server/test/support/receiver.ts',
  'sdk/src/c.test.ts',
  'bench/d.test.ts',
  'scripts/e.test.ts',
  'node_modules/pkg/f.test.ts',
]) {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), '')
}

test('selects every test file, end to end apart', () => {
  assert.deepEqual(selectFiles(root, []), {
    unit: [
      'bench/d.test.ts',
      'scripts/e.test.ts',
      'sdk/src/c.test.ts',
      'server/src/core-like/b.test.ts',
      'server/src/core/a.test.ts',
    ],
    endToEnd: ['server/test/flow.test.ts'],
    unmatched: [],
  })
})

test('selects by folder and by file', () => {
  const { unit, endToEnd } = selectFiles(root, ['./server/src/core/', 'server/test/flow.test.ts'])
  assert.deepEqual(unit, ['server/src/core/a.test.ts'])
  assert.deepEqual(endToEnd, ['server/test/flow.test.ts'])
})

test('returns filters that select nothing', () => {
  assert.deepEqual(selectFiles(root, ['sdk', 'server/src/core/a.ts']).unmatched, [
    'server/src/core/a.ts',
  ])
})
