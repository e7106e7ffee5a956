import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isEventFilter, isEventType, isReservedEventType } from './event-type.ts'

const word = fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/)
const type = fc.array(word, { minLength: 1, maxLength: 6 }).map((words) => words.join('.'))

test('takes dot-separated words of letters, digits, underscores and hyphens', () => {
  fc.assert(fc.property(type, isEventType))
  for (const text of ['a', 'invoice.paid', 'A-1_b.C.d', '-', '_._', '0']) {
    assert.equal(isEventType(text), true, text)
  }
})

test('refuses empty words and every other character', () => {
  const refused = [
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    'a b',
    'a\n',
    '\na',
    'ä',
    'a/b',
    'a*',
    '*',
    'a.*',
    'a,b',
  ]
  for (const text of refused) assert.equal(isEventType(text), false, JSON.stringify(text))
  const foreign = fc.string({ minLength: 1 }).filter((text) => /[^A-Za-z0-9_.-]/.test(text))
  fc.assert(fc.property(foreign, (text) => !isEventType(text)))
})

test('takes at most 256 characters', () => {
  assert.equal(isEventType('a'.repeat(256)), true)
  assert.equal(isEventType('a'.repeat(257)), false)
  assert.equal(isEventFilter(`${'a'.repeat(254)}.*`), true)
  assert.equal(isEventFilter(`${'a'.repeat(255)}.*`), false)
})

test('answers a hostile text at once', () => {
  // Would take time beyond measure if the pattern could go back over what it has matched.
  assert.equal(isEventType(`${'a.'.repeat(127)}!`), false)
  assert.equal(isEventType(`${'a'.repeat(1_000_000)}!`), false)
})

test('knows the types that only the product may emit', () => {
  for (const reserved of ['endpoint.disabled', 'endpoint.secret.rotated', 'countersign.test']) {
    assert.equal(isReservedEventType(reserved), true, reserved)
  }
  for (const free of ['endpoint', 'countersign', 'endpoints.x', 'my.endpoint.x', 'Endpoint.x']) {
    assert.equal(isReservedEventType(free), false, free)
  }
})

test('takes as filter a type, everything below a type, and everything', () => {
  fc.assert(fc.property(type, (text) => isEventFilter(text) && isEventFilter(`${text}.*`)))
  assert.equal(isEventFilter('*'), true)
  for (const text of ['', '**', '*.', '.*', '*.*', 'a.*.b', 'a*', 'a.**', '*.a', 'a..*', 'a b.*']) {
    assert.equal(isEventFilter(text), false, text)
  }
})
