import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileFilter } from './event-filter.ts'

test('matches an exact type and nothing else', () => {
  const matches = compileFilter(['invoice.paid'])
  assert.equal(matches('invoice.paid'), true)
  for (const type of [
    'invoice',
    'invoice.paid.late',
    'invoice.paidx',
    'Invoice.paid',
    'x.invoice.paid',
  ]) {
    assert.equal(matches(type), false, type)
  }
})

test('matches everything below a prefix at any depth, but not the prefix itself', () => {
  const matches = compileFilter(['invoice.*'])
  assert.equal(matches('invoice.paid'), true)
  assert.equal(matches('invoice.line.item.added'), true)
  for (const type of ['invoice', 'invoices.paid', 'my.invoice.paid', 'order.paid']) {
    assert.equal(matches(type), false, type)
  }
})

test('matches every type with `*`, with an empty list, and with `*` among others', () => {
  for (const entries of [['*'], [], ['invoice.paid', '*']]) {
    const matches = compileFilter(entries)
    assert.equal(matches('invoice.paid'), true)
    assert.equal(matches('anything'), true)
  }
})

test('matches reserved types only where an entry names them', () => {
  for (const entries of [['*'], [], ['endpoint'], ['end.*'], ['*', 'invoice.*']]) {
    const matches = compileFilter(entries)
    assert.equal(matches('endpoint.disabled'), false, entries.join())
    assert.equal(matches('countersign.test'), false, entries.join())
  }
  const below = compileFilter(['*', 'endpoint.*'])
  assert.equal(below('endpoint.secret.rotated'), true)
  assert.equal(below('countersign.test'), false)
  assert.equal(below('invoice.paid'), true)
  const exact = compileFilter(['endpoint.secret.rotated'])
  assert.equal(exact('endpoint.secret.rotated'), true)
  assert.equal(exact('endpoint.secret.expired'), false)
  assert.equal(exact('invoice.paid'), false)
  assert.equal(compileFilter(['endpoint.secret.*'])('endpoint.secret.expired'), true)
  assert.equal(compileFilter(['countersign.*'])('countersign.test'), true)
})

test('agrees with the rules as one reads them', () => {
  const word = fc.constantFrom('a', 'b', 'endpoint', 'countersign')
  const type = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join('.'))
  const entry = fc.oneof(
    type,
    type.map((text) => `${text}.*`),
    fc.constant('*'),
  )
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 5 }), type, (entries, candidate) => {
      const isReserved = /^(endpoint|countersign)\./.test(candidate)
      const expected =
        (entries.length === 0 && !isReserved) ||
        entries.some((each) => {
          if (each === '*') return !isReserved
          if (each.endsWith('.*')) return candidate.startsWith(each.slice(0, -1))
          return each === candidate
        })
      assert.equal(compileFilter(entries)(candidate), expected)
    }),
    { numRuns: 2000 },
  )
})
