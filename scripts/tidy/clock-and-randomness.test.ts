import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clockAndRandomness } from './clock-and-randomness.ts'
import { createSourceTree } from './source-tree.ts'

function count(text: string, path = 'server/src/api/a.ts'): number {
  return clockAndRandomness.check(createSourceTree({ [path]: text })).length
}

test('finds every way to ask for the time', () => {
  for (const text of [
    'Date.now()',
    'const now = Date.now',
    'new Date()',
    'new Date',
    'Date()',
    'performance.now()',
    'process.hrtime()',
    'process.hrtime.bigint()',
    'globalThis.performance.now()',
  ]) {
    assert.equal(count(text), 1, text)
  }
})

test('finds every way to ask for randomness', () => {
  for (const text of [
    'Math.random()',
    'crypto.randomUUID()',
    'globalThis.crypto.getRandomValues(bytes)',
    "import { randomBytes } from 'node:crypto'",
    "import { randomInt as pick } from 'node:crypto'",
    "import { webcrypto } from 'node:crypto'",
    "import crypto from 'node:crypto'\ncrypto.randomFillSync(bytes)",
  ]) {
    assert.equal(count(text), 1, text)
  }
})

test('leaves dates that are made from an argument, and other names, alone', () => {
  assert.equal(count('new Date(atMs)'), 0)
  assert.equal(count('Date.parse(text)'), 0)
  assert.equal(count('clock.now()'), 0)
  assert.equal(count('random.randomBytes(16)'), 0)
  assert.equal(count("import { createHmac } from 'node:crypto'"), 0)
})

test('refuses timers in core and formats only', () => {
  assert.equal(count('setTimeout(run, 1)', 'server/src/core/a.ts'), 1)
  assert.equal(count('setImmediate(run)', 'server/src/formats/a.ts'), 1)
  assert.equal(count('setTimeout(run, 1)', 'server/src/dispatcher/a.ts'), 0)
})

test('allows the two sources, tests, and everything outside the server', () => {
  const text = 'Date.now() + Math.random()'
  assert.equal(count(text, 'server/src/clock.ts'), 0)
  assert.equal(count(text, 'server/src/random.ts'), 0)
  assert.equal(count(text, 'server/src/core/a.test.ts'), 0)
  assert.equal(count(text, 'sdk/src/a.ts'), 0)
  assert.equal(count(text, 'server/src/core/a.ts'), 2)
})
