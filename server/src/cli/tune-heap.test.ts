import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { heapFlags } from './tune-heap.ts'

// At run time V8 says no more than a line of what it does not know.
test('V8 knows the flags that it is given', () => {
  const { status, stderr } = spawnSync(process.execPath, [...heapFlags, '--eval', '0'])
  assert.deepEqual([status, String(stderr)], [0, ''])
  const unknown = spawnSync(process.execPath, ['--no-such-flag-of-v8', '--eval', '0'])
  assert.notEqual(unknown.status, 0)
})
