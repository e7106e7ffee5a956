import assert from 'node:assert/strict'
import { test } from 'node:test'
import { skippedTests } from './skipped-tests.ts'
import { createSourceTree } from './source-tree.ts'

function count(text: string, path = 'server/src/a.test.ts'): number {
  return skippedTests.check(createSourceTree({ [path]: text })).length
}

test('refuses tests that skip without a reason', () => {
  for (const text of [
    "test.skip('x', run)",
    "describe.skip('x', run)",
    "test('x', { skip: true }, run)",
    "test('x', { skip: !hasDatabase }, run)",
    "test('x', { skip: process.platform === 'win32' }, run)",
    "test('x', { skip: isSlow && true }, run)",
    "test('x', { skip: '' }, run)",
    "test('x', (t) => { t.skip() })",
    "test('x', async (t) => { await t.test('y', { skip: true }, run) })",
  ]) {
    assert.equal(count(text), 1, text)
  }
})

test('refuses tests that run alone, and tests to come', () => {
  for (const text of [
    "test.only('x', run)",
    "test('x', { only: true }, run)",
    "test.todo('x')",
    "it('x', { todo: 'later' })",
    "test('x', (t) => { t.todo('later') })",
  ]) {
    assert.equal(count(text), 1, text)
  }
})

test('accepts a reason, computed or not', () => {
  for (const text of [
    "test('x', { skip: 'no Chromium here' }, run)",
    "test('x', { skip: hasDatabase ? false : 'no PostgreSQL here' }, run)",
    "test('x', { skip: reason }, run)",
    "test('x', { skip: isMissing && 'no compiler here' }, run)",
    "test('x', (t) => { t.skip('no compiler here') })",
    "parse('x', { skip: true })",
  ]) {
    assert.equal(count(text), 0, text)
  }
})
