import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adapterFiles } from './adapter-files.ts'
import { createSourceTree } from './source-tree.ts'

function paths(...files: string[]): string[] {
  const contents = files.map((file) => [`server/src/storage/${file}`, ''] as const)
  return adapterFiles.check(createSourceTree(Object.fromEntries(contents))).map(({ path }) => path)
}

test('accepts adapters with equal file names', () => {
  assert.deepEqual(paths('storage.ts', 'sqlite/events.ts', 'postgres/events.ts'), [])
})

test('accepts an adapter that is alone', () => {
  assert.deepEqual(paths('storage.ts', 'sqlite/events.ts'), [])
})

test('finds the file without a counterpart on either side', () => {
  assert.deepEqual(paths('sqlite/a.ts', 'sqlite/b.ts', 'postgres/a.ts', 'postgres/sub/c.ts'), [
    'server/src/storage/sqlite/b.ts',
    'server/src/storage/postgres/sub/c.ts',
  ])
})

test('compares neither tests nor migrations', () => {
  assert.deepEqual(
    paths('sqlite/a.ts', 'sqlite/b.test.ts', 'sqlite/migrations/0001.sql', 'postgres/a.ts'),
    [],
  )
})
