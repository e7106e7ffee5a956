import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readEnvelope } from './json-scanner.ts'

const bytesOf = (text: string) => Buffer.from(text, 'utf8')

test('accepts exactly what JSON.parse accepts, near and far from valid', () => {
  const mutation = fc.record({
    at: fc.nat(),
    length: fc.nat(2),
    insert: fc.constantFrom(
      '',
      ...'{}[]",:\\/ \n\t\u0001\u007fxtfnul0123456789.-+eE',
      '\\u00',
      '\u2028',
      '\ufeff',
      'é',
      '😀',
    ),
  })
  fc.assert(
    fc.property(
      objectSource,
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      (text, mutations) => {
        let mutated = text
        for (const { at, length, insert } of mutations) {
          const cut = at % (mutated.length + 1)
          mutated = mutated.slice(0, cut) + insert + mutated.slice(cut + length)
        }
        agreesWithParse(mutated.toWellFormed())
      },
    ),
    { numRuns: 5_000 },
  )
})

test('accepts exactly what JSON.parse accepts, for every text of a few characters', () => {
  const characters = [...'{}[]",:\\ 01-.ea', 'null']
  let texts = ['']
  for (let length = 1; length <= 4; length += 1) {
    texts = texts.flatMap((text) => characters.map((character) => text + character))
    for (const text of texts) {
      agreesWithParse(`{"a":${text}}`)
      agreesWithParse(`{"${text}":1}`)
      agreesWithParse(text)
    }
  }
})

test('accepts exactly the numbers, words and escapes of JSON', () => {
  const values = [
    ...'0 -0 1 -1 10 1.0 1e1 1E+1 1e-1 1.5e10 01 - +1 1. .1 1e 1e+ --1 0x1 1_0'.split(' '),
    ...'true false null True nul nulll undefined NaN Infinity -Infinity'.split(' '),
    ...String.raw`"\b\f\n\r\t\"\\\/" "\u0000" "\uD800" "\uZZZZ" "\u12" "\x41" "\ 'a' " ""`.split(
      ' ',
    ),
    ...['"\t"', '"\u0000"', '"\u007f"', '"\u2028"', '[1 2]', '{"a":1 "b":2}'],
    ...'[1,] [,1] {,} {"a":1,} {"a"} {a:1} /**/1 1// []] {}} [} {]'.split(' '),
  ]
  for (const value of values) {
    agreesWithParse(`{"a":${value}}`)
    agreesWithParse(`{"a":[${value}]}`)
    agreesWithParse(`{"a":{"b":${value}}}`)
  }
})

test('accepts exactly what JSON.parse accepts, for every character in an escape or a string', () => {
  for (let code = 0; code < 256; code += 1) {
    const character = String.fromCharCode(code)
    for (const string of ['', '\\', '\\u', '\\u0', '\\u00', '\\u000']) {
      agreesWithParse(`{"a":"${string}${character}${'0'.repeat(Math.max(0, 5 - string.length))}"}`)
      agreesWithParse(`{"a":"${string}${character}"}`)
    }
    agreesWithParse(`{"a":${character}1}`)
    agreesWithParse(`{"a":1${character}}`)
    agreesWithParse(`${character}{"a":1}${character}`)
  }
})

test('refuses a million brackets quickly, without running out of stack', () => {
  for (const text of ['['.repeat(1e6), '{"a":'.repeat(2e5), `{"a":${'['.repeat(1e6)}`]) {
    assert.ok(!readEnvelope(bytesOf(text), { depthMax: 64 }).ok)
    assert.ok(!readEnvelope(bytesOf(text), { depthMax: 1e7 }).ok)
  }
})

test('takes long strings full of quotes and backslashes in linear time', () => {
  const long = '\\"\\\\'.repeat(250_000)
  const result = readEnvelope(bytesOf(`{"a":"${long}"}`), { depthMax: 64, rawMembers: ['a'] })
  assert.ok(result.ok)
  assert.equal(result.members.get('a')?.end, long.length + 7)
})

const objectSource = fc
  .array(fc.tuple(fc.string(), fc.json({ maxDepth: 4 })), { maxLength: 4 })
  .map(
    (members) => `{${members.map(([key, json]) => `${JSON.stringify(key)}: ${json}`).join(', ')}}`,
  )

/** Whether the two agree on a text, but for keys that stand twice and strings that are no text. */
function agreesWithParse(text: string): void {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    parsed = undefined
  }
  const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
  for (const rawMembers of [[], ['a', 'data', '']]) {
    const result = readEnvelope(bytesOf(text), { depthMax: 1000, rawMembers })
    if (!result.ok && /stands twice/.test(result.detail)) continue
    if (!result.ok && /neither is text/.test(result.detail)) {
      assert.match(JSON.stringify(parsed), /\\u(?:0000|d[89a-f])/)
      continue
    }
    assert.equal(result.ok, isObject, JSON.stringify(text))
    if (result.ok && rawMembers.length === 0) assert.deepEqual(result.value, parsed)
  }
}
