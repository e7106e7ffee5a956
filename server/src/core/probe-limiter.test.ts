import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { limits } from './limits.ts'
import { createProbeLimiter } from './probe-limiter.ts'

test('never more than the limits in any 60 seconds, and as many as they allow', () => {
  const step = fc.record({
    afterMs: fc.integer({ min: 0, max: 20_000 }),
    endpoint: fc.integer({ min: 0, max: 8 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      let now = 0
      const limiter = createProbeLimiter({ monotonic: () => now })
      const sent: { at: number; endpoint: number }[] = []
      for (const { afterMs, endpoint } of steps) {
        now += afterMs
        const recent = sent.filter(({ at }) => at > now - 60_000)
        const own = recent.filter((each) => each.endpoint === endpoint)
        const isRoom =
          recent.length < limits.probesPerProjectMinute &&
          own.length < limits.probesPerEndpointMinute
        assert.equal(limiter.waitMs('prj', `ep_${endpoint}`, 1) === 0, isRoom)
        assert.equal(limiter.take('prj', `ep_${endpoint}`), isRoom)
        if (isRoom) sent.push({ at: now, endpoint })
      }
    }),
  )
})

test('says how long to wait for several at once', () => {
  let now = 0
  const limiter = createProbeLimiter({ monotonic: () => now })
  for (let count = 0; count < 8; count++) {
    now = count * 1000
    assert.ok(limiter.take('prj', 'ep'))
  }
  limiter.require('prj', 'ep', 2)
  assert.equal(limiter.waitMs('prj', 'ep', 4), 61_000 - 7_000)
  assert.throws(() => limiter.require('prj', 'ep', 4), /at most 10 a minute to one endpoint/)
  now += limiter.waitMs('prj', 'ep', 4)
  limiter.require('prj', 'ep', 4)
})
