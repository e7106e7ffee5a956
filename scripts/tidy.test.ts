import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rules } from './tidy/rules.ts'
import { createSourceTree } from './tidy/source-tree.ts'
import { tidy } from './tidy.ts'

test('prints file, line, rule and advice, sorted by place', () => {
  const tree = createSourceTree({
    'server/src/core/b.ts': "\nimport { app } from '../app.ts'\nexport const at = Date.now()\n",
    'server/src/core/a.ts': 'export default 1\n',
  })
  assert.deepEqual(
    tidy(tree).map((line) => line.split(': ', 2)),
    [
      ['server/src/core/a.ts:1', 'default-exports'],
      ['server/src/core/b.ts:2', 'import-table'],
      ['server/src/core/b.ts:3', 'clock-and-randomness'],
    ],
  )
})

test('finds nothing in an empty tree', () => {
  assert.deepEqual(tidy(createSourceTree({})), [])
})

test('names every rule once, in kebab-case', () => {
  const names = rules.map(({ name }) => name)
  assert.equal(new Set(names).size, names.length)
  for (const name of names) assert.match(name, /^[a-z]+(?:-[a-z]+)*$/)
})
