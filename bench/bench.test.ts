import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

test('wrong arguments are answered with the usage, and nothing is measured', () => {
  for (const wrong of [
    ['--quick', '--smoke'],
    ['--smoke', '--history'],
    ['--claims', '--server', 'other.ts'],
    ['--store', 'x'],
    ['now'],
  ]) {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(import.meta.dirname, 'bench.ts'), ...wrong],
      { encoding: 'utf8', timeout: 30_000 },
    )
    assert.equal(status, 2)
    assert.equal(stdout, '')
    assert.match(stderr, /npm run bench -- \[--quick \| --smoke \|/)
  }
})
