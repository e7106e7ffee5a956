import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nameCompiledEntries } from './name-compiled-entries.ts'

test('names the compiled file of a thread', () => {
  assert.equal(
    nameCompiledEntries("new Worker(new URL('./sender-thread.ts', import.meta.url))"),
    "new Worker(new URL('./sender-thread.js', import.meta.url))",
  )
})

test('leaves other addresses and other texts alone', () => {
  for (const code of [
    "new URL('./migrations/0001.sql', import.meta.url)",
    "new URL('./a.ts', base)",
    "say('./a.ts')",
  ]) {
    assert.equal(nameCompiledEntries(code), code)
  }
})
