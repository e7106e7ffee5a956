import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDemoFigures } from './demo-figures.ts'

function create() {
  let elapsedMs = 0
  const figures = createDemoFigures({ sliceMs: 100, elapsedMs: () => elapsedMs })
  return {
    figures,
    at(ms: number) {
      elapsedMs = ms
    },
    arrives: (eventId: string, ...secretIds: string[]) =>
      figures.received({ eventId, secretIds, isVerified: true }),
    isRefused: () => figures.received({ eventId: '', secretIds: [], isVerified: false }),
  }
}

test('what was accepted and did not arrive is lost, and a duplicate does not hide it', () => {
  const { figures, arrives } = create()
  for (const id of ['a', 'b', 'c']) figures.published(id)
  arrives('a')
  arrives('a')
  arrives('a')
  assert.deepEqual(figures.totals(), { published: 3, delivered: 1, rejected: 0, lost: 2 })
})

test('a delivery that overtakes the answer to its publication is counted once', () => {
  const { figures, arrives } = create()
  arrives('a')
  assert.deepEqual(figures.totals(), { published: 0, delivered: 0, rejected: 0, lost: 0 })
  figures.published('a')
  arrives('a')
  assert.deepEqual(figures.totals(), { published: 1, delivered: 1, rejected: 0, lost: 0 })
})

test('a rejected request is counted even when its event arrives later', () => {
  const { figures, arrives, isRefused } = create()
  figures.published('a')
  isRefused()
  arrives('a')
  assert.deepEqual(figures.totals(), { published: 1, delivered: 1, rejected: 1, lost: 0 })
})

test('slices tell what arrived when and which secrets signed it', () => {
  const { figures, at, arrives, isRefused } = create()
  arrives('a', 'old')
  at(250)
  arrives('b', 'new', 'old')
  arrives('c', 'new')
  isRefused()
  assert.deepEqual(figures.slices(), [
    { delivered: 1, rejected: 0, secretIds: new Set(['old']) },
    { delivered: 0, rejected: 0, secretIds: new Set() },
    { delivered: 2, rejected: 1, secretIds: new Set(['new', 'old']) },
  ])
})
