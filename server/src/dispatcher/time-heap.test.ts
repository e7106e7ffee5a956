import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addToHeap, createTimeHeap, earliest, removeFromHeap } from './time-heap.ts'

test('knows the earliest member, whatever is added and removed', () => {
  const step = fc.record({ wakeAt: fc.nat(50), remove: fc.boolean(), which: fc.nat(1000) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const heap = createTimeHeap<{ wakeAt: number; heapIndex: number }>()
      const model: { wakeAt: number; heapIndex: number }[] = []
      for (const { wakeAt, remove, which } of steps) {
        if (remove && model.length > 0) {
          const [member] = model.splice(which % model.length, 1)
          assert.ok(member)
          removeFromHeap(heap, member)
        } else {
          const member = { wakeAt, heapIndex: 0 }
          model.push(member)
          addToHeap(heap, member)
        }
        assert.equal(heap.members.length, model.length)
        const expected = model.length === 0 ? undefined : Math.min(...model.map((m) => m.wakeAt))
        assert.equal(earliest(heap)?.wakeAt, expected)
      }
    }),
    { numRuns: 500 },
  )
})
