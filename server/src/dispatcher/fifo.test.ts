import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createFifo, fifoLength, peekFirst, pushLast, takeFirst } from './fifo.ts'

test('hands items out in the order in which they came', () => {
  const steps = fc.array(fc.boolean(), { maxLength: 2000, size: 'max' })
  fc.assert(
    fc.property(steps, (pushes) => {
      const fifo = createFifo<number>()
      const model: number[] = []
      for (const [index, isPush] of pushes.entries()) {
        if (isPush) {
          pushLast(fifo, index)
          model.push(index)
        } else {
          assert.equal(peekFirst(fifo), model[0])
          assert.equal(takeFirst(fifo), model.shift())
        }
        assert.equal(fifoLength(fifo), model.length)
      }
    }),
  )
})

test('keeps no memory of what has left', () => {
  const fifo = createFifo<object>()
  for (let round = 0; round < 10_000; round += 1) {
    pushLast(fifo, {})
    pushLast(fifo, {})
    takeFirst(fifo)
    if (round >= 100) takeFirst(fifo)
  }
  assert.equal(fifoLength(fifo), 100)
  assert.ok(fifo.items.length <= 400, `${fifo.items.length} places for 100 items`)
})
