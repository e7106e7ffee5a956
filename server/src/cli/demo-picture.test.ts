import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type DemoMoment,
  demoColumns,
  demoSliceCount,
  describeDemo,
  drawDemo,
} from './demo-picture.ts'

function slice(delivered: number, ...secretIds: string[]) {
  return { delivered, rejected: 0, secretIds: new Set(secretIds) }
}

const moment: DemoMoment = {
  atMs: 2400,
  totalMs: 18_000,
  sliceMs: 500,
  slices: [
    slice(100, 'sec_1'),
    slice(100, 'sec_1'),
    slice(50, 'sec_1', 'sec_2'),
    slice(100, 'sec_2'),
    slice(0),
  ],
  secrets: [
    { id: 'sec_1', name: 'old' },
    { id: 'sec_2', name: 'new' },
  ],
  trusts: [
    { atMs: 0, what: 'old' },
    { atMs: 2000, what: 'new' },
  ],
  totals: { published: 352, delivered: 350, rejected: 0, lost: 2 },
  story: [{ atMs: 1000, text: 'Rotated.' }],
}

test('the picture shows when each secret signs, whom the receiver trusts, and the figures', () => {
  assert.deepEqual(drawDemo(moment, { usesColor: false }), [
    '                  0 s   3 s   6 s   9 s   12 s  15 s',
    '  old signs       ███  ',
    '  new signs         ██ ',
    '  receiver trusts old·new',
    '  delivered       ██▄█  150/s',
    '',
    '  352 accepted   350 delivered   0 rejected   2 on the way',
    '',
    '   1.0 s  Rotated.',
  ])
})

test('the picture fits 80 columns at its end', () => {
  const slices = Array.from({ length: demoSliceCount + 20 }, () => slice(10, 'sec_1', 'sec_2'))
  const lines = drawDemo({ ...moment, slices, sliceMs: 350 }, { usesColor: false })
  for (const line of lines) assert.ok(line.length <= demoColumns, `${line.length}: ${line}`)
})

test('there is no escape sequence without colour, and there is with it', () => {
  const draw = (usesColor: boolean) => drawDemo(moment, { usesColor }).join('\n')
  assert.ok(!draw(false).includes('\x1b'))
  assert.ok(draw(true).includes('\x1b['))
})

test('one line says the same where nothing can be drawn over', () => {
  assert.equal(
    describeDemo(moment),
    ' 2.4 s  signed by new, receiver trusts new, 350 delivered (150/s), 0 rejected',
  )
})
