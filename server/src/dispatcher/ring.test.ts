import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addLast, createRing, type RingLinks, remove } from './ring.ts'

interface Member extends RingLinks<Member> {
  id: number
}

test('keeps members in the order in which they were added, whichever are removed', () => {
  const steps = fc.array(fc.option(fc.nat(1000)), { maxLength: 100, size: 'max' })
  fc.assert(
    fc.property(steps, (removals) => {
      const ring = createRing<Member>()
      let model: Member[] = []
      for (const [id, removal] of removals.entries()) {
        const removed = removal === null ? undefined : model[removal % model.length]
        if (removed === undefined) {
          const member = { id, previous: null, next: null }
          addLast(ring, member)
          model.push(member)
        } else {
          remove(ring, removed)
          model = model.filter((member) => member !== removed)
        }
        assert.deepEqual(
          idsForwards(ring.first),
          model.map(({ id }) => id),
        )
        assert.equal(ring.last, model.at(-1) ?? null)
      }
    }),
  )
})

function idsForwards(first: Member | null): number[] {
  const ids: number[] = []
  for (let member = first; member !== null; member = member.next) {
    assert.equal(member.next === null || member.next.previous === member, true)
    ids.push(member.id)
  }
  return ids
}
