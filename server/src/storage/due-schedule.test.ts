import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createDueSchedule, type DueEndpoint, readyAt } from './due-schedule.ts'

test('the first endpoint is always the one that is ready first', () => {
  const change = fc.record({
    endpoint: fc.nat({ max: 8 }),
    dueAt: fc.option(fc.nat({ max: 50 })),
    notBefore: fc.nat({ max: 50 }),
    deletedAt: fc.option(fc.nat({ max: 50 })),
  })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      const schedule = createDueSchedule()
      const model = new Map<string, DueEndpoint>()
      for (const { endpoint, dueAt, notBefore, deletedAt } of changes) {
        const endpointId = `ep_${endpoint}`
        if (dueAt === null) {
          schedule.remove(endpointId)
          model.delete(endpointId)
        } else {
          schedule.put({ endpointId, endpointSeq: endpoint, dueAt, notBefore, deletedAt })
          model.set(endpointId, { endpointId, endpointSeq: endpoint, dueAt, notBefore, deletedAt })
        }
        const times = [...model.values()].map(readyAt)
        const first = schedule.first()
        assert.equal(first && readyAt(first), times.length === 0 ? undefined : Math.min(...times))
        assert.deepEqual(schedule.get(endpointId), model.get(endpointId))
        const dues = [...model.values()].map(({ dueAt }) => dueAt)
        assert.equal(schedule.oldestDueAt(), dues.length === 0 ? null : Math.min(...dues))
      }
    }),
  )
})

test('a held endpoint is ready after the hold, a deleted one at once', () => {
  const endpoint = { endpointId: 'ep', endpointSeq: 1, dueAt: 100, notBefore: 150, deletedAt: null }
  assert.equal(readyAt(endpoint), 150)
  assert.equal(readyAt({ ...endpoint, notBefore: 50 }), 100)
  assert.equal(readyAt({ ...endpoint, deletedAt: 30 }), 30)
})
