import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultExports } from './default-exports.ts'
import { createSourceTree } from './source-tree.ts'

function count(text: string, path = 'sdk/src/a.ts'): number {
  return defaultExports.check(createSourceTree({ [path]: text })).length
}

test('finds every form of a default export', () => {
  assert.equal(count('export default 1'), 1)
  assert.equal(count('export default function a() {}'), 1)
  assert.equal(count('export default class A {}'), 1)
  assert.equal(count('const a = 1\nexport { a as default }'), 1)
  assert.equal(count("export { default } from './b.ts'"), 1)
})

test('accepts exports by name, and the configuration of a tool', () => {
  assert.equal(count('export function a() {}'), 0)
  assert.equal(count('export default {}', 'console/vite.config.ts'), 0)
})
