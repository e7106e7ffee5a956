import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CURSOR_LENGTH_MAX, decodeCursor, encodeCursor } from './page-cursor.ts'

test('gives back the sort key, in a form that stands in a URL as it is', () => {
  const sortKey = fc.oneof(
    fc.string({ maxLength: 200 }).filter((text) => !text.includes('\0')),
    fc.string({ unit: 'grapheme', maxLength: 50 }),
  )
  fc.assert(
    fc.property(sortKey, (key) => {
      const cursor = encodeCursor(key)
      assert.match(cursor, /^[A-Za-z0-9_-]*$/)
      assert.equal(decodeCursor(cursor), key)
    }),
  )
})

test('answers null for what it did not make', () => {
  const cursor = encodeCursor('1800000000000 evt_01')
  const garbage = [
    '',
    'x',
    '=',
    'null',
    '0',
    'evt_01a1fbea046072fe8125079d7c079729',
    `${cursor}=`,
    `${cursor}A`,
    ` ${cursor}`,
    cursor.slice(1),
    cursor.replace(/.$/, '*'),
    Buffer.from('no version').toString('base64url'),
    Buffer.from([0x31, 0x3a, 0xff, 0xfe]).toString('base64url'),
    'A'.repeat(CURSOR_LENGTH_MAX + 1),
  ]
  for (const text of garbage) assert.equal(decodeCursor(text), null, JSON.stringify(text))
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String()), (text) => {
      const key = decodeCursor(text)
      assert.ok(key === null || encodeCursor(key) === text)
    }),
  )
})
