import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileLength } from './file-length.ts'
import { createSourceTree } from './source-tree.ts'

const lines = (count: number) => 'x()\n'.repeat(count)

test('accepts 400 lines and refuses 401', () => {
  const tree = createSourceTree({ 'a.ts': lines(400), 'b.ts': lines(401), 'c.sql': lines(401) })
  const found = fileLength.check(tree)
  assert.deepEqual(
    found.map(({ path, line }) => [path, line]),
    [
      ['b.ts', 401],
      ['c.sql', 401],
    ],
  )
})

test('accepts long pages and exempt files', () => {
  const tree = createSourceTree({ 'a.md': lines(900), 'sdk/src/api-types.ts': lines(900) })
  assert.deepEqual(fileLength.check(tree), [])
})
