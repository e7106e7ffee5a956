import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readSourceTree } from './read-source-tree.ts'

function createRepository() {
  const root = mkdtempSync(join(tmpdir(), 'tidy-'))
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root })
  git('init', '--quiet')
  return {
    root,
    git,
    write: (path: string, content: string | Buffer) => writeFileSync(join(root, path), content),
    remove: (path: string) => rmSync(join(root, path)),
    [Symbol.dispose]: () => rmSync(root, { recursive: true }),
  }
}

test('reads tracked and new files, and neither ignored nor deleted ones', () => {
  using repository = createRepository()
  repository.write('.gitignore', 'ignored.ts\n')
  repository.write('tracked.ts', 'a()')
  repository.write('deleted.ts', 'b()')
  repository.git('add', '.')
  repository.remove('deleted.ts')
  repository.write('new.ts', 'c()')
  repository.write('ignored.ts', 'd()')
  const tree = readSourceTree(repository.root)
  assert.deepEqual(tree.paths, ['.gitignore', 'new.ts', 'tracked.ts'])
  assert.deepEqual(
    tree.code.map(({ text }) => text),
    ['c()', 'a()'],
  )
})

test('knows a binary file by name only', () => {
  using repository = createRepository()
  repository.write('logo.png', Buffer.from([137, 80, 78, 71, 0, 1]))
  const tree = readSourceTree(repository.root)
  assert.deepEqual(tree.texts, [])
  assert.equal(tree.has('logo.png'), true)
})
