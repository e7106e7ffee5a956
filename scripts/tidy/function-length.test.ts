import assert from 'node:assert/strict'
import { test } from 'node:test'
import { functionLength } from './function-length.ts'
import { createSourceTree } from './source-tree.ts'

const lines = (count: number) => '  x()\n'.repeat(count)

function messages(text: string, path = 'a.ts'): string[] {
  return functionLength.check(createSourceTree({ [path]: text })).map(({ message }) => message)
}

test('accepts 70 lines and refuses 71', () => {
  assert.deepEqual(messages(`function short() {\n${lines(68)}}`), [])
  assert.match(messages(`function long() {\n${lines(69)}}`)[0] ?? '', /^long has 71 lines/)
})

test('does not count the comment before a function', () => {
  assert.deepEqual(
    messages(`/**\n${' * why\n'.repeat(9)} */\nfunction short() {\n${lines(68)}}`),
    [],
  )
})

test('checks arrows and methods too', () => {
  assert.match(messages(`const long = () => {\n${lines(70)}}`)[0] ?? '', /^long has/)
  assert.match(messages(`class C {\n  long() {\n${lines(70)}  }\n}`)[0] ?? '', /^long has/)
})

test('counts only the own lines of a factory', () => {
  const parts = `  function one() {\n${lines(50)}  }\n  function two() {\n${lines(50)}  }\n`
  assert.deepEqual(messages(`function create() {\n${parts}  return { one, two }\n}`), [])
  const named = `${parts}  const made = { one, two } satisfies object\n  return made\n`
  assert.deepEqual(messages(`function create() {\n${named}}`), [])
  const methods = `  return {\n    one() {\n${lines(60)}    },\n    two() {\n${lines(60)}    },\n  }\n`
  assert.deepEqual(messages(`function create() {\n${methods}}`), [])
})

test('does not take every function with inner functions for a factory', () => {
  const inner = `  function one() {\n${lines(60)}  }\n`
  assert.equal(messages(`function run() {\n${inner}${lines(10)}  return one()\n}`).length, 1)
  assert.equal(messages(`function run() {\n${inner}${lines(90)}  return { one }\n}`).length, 1)
})

test('checks the parts of a factory', () => {
  const text = `function create() {\n  function one() {\n${lines(80)}  }\n  return { one }\n}`
  assert.match(messages(text)[0] ?? '', /^one has 82 lines/)
})

test('exempts tests, and what stands around them, in test files only', () => {
  const text = `function suite() {\n  test('x', () => {\n${lines(80)}  })\n}`
  assert.deepEqual(messages(text, 'server/src/a.test.ts'), [])
  assert.equal(messages(text, 'server/src/a.ts').length, 2)
})
