import assert from 'node:assert/strict'
import { test } from 'node:test'
import { environment } from './environment.ts'
import { createSourceTree } from './source-tree.ts'

function count(text: string, path = 'server/src/core/a.ts'): number {
  return environment.check(createSourceTree({ [path]: text })).length
}

test('finds every way to read the environment', () => {
  assert.equal(count('const port = process.env.PORT'), 1)
  assert.equal(count("const port = process['env'].PORT"), 1)
  assert.equal(count('const { env } = process'), 1)
  assert.equal(count('const { env: settings } = process'), 1)
  assert.equal(count("import { env } from 'node:process'"), 1)
})

test('leaves other members of process alone', () => {
  assert.equal(count("process.exitCode = 1 // not process.env\nconst text = 'process.env'"), 0)
})

test('allows config.ts, tests, scripts, the benchmark and the SDK', () => {
  const text = 'process.env.PORT'
  assert.equal(count(text, 'server/src/config.ts'), 0)
  assert.equal(count(text, 'server/src/a.test.ts'), 0)
  assert.equal(count(text, 'server/test/a.ts'), 0)
  assert.equal(count(text, 'scripts/a.ts'), 0)
  assert.equal(count(text, 'bench/a.ts'), 0)
  assert.equal(count(text, 'sdk/src/a.ts'), 0)
})
