import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { repositoryRoot } from '../run-node.ts'
import { alone, isAlone } from './alone.ts'
import { isSqliteOnly, sqliteOnly } from './sqlite-only.ts'

for (const [name, list] of Object.entries({ alone, sqliteOnly })) {
  test(`every path of the list ${name} is there, and has its reason`, () => {
    for (const [path, reason] of Object.entries(list)) {
      assert.ok(existsSync(join(repositoryRoot, path)), path)
      assert.match(reason, /\w+ \w+/)
    }
  })
}

test('a folder stands for all that is in it, and for nothing else', () => {
  assert.ok(isAlone('server/test/faults/full-disk.test.ts') && isSqliteOnly('server/test/nodes'))
  assert.ok(!isAlone('server/test/faults-of-a-tree.test.ts'))
  assert.ok(!isAlone('server/test/rotation.test.ts'))
})
