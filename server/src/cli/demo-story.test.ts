import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planDemo } from './demo-story.ts'

test('the receiver takes both secrets and then the new one alone, all inside the window', () => {
  for (const totalSeconds of [6, 18, 120]) {
    const plan = planDemo(totalSeconds)
    const windowEndMs = plan.rotateAtMs + plan.overlapSeconds * 1000
    const order = [
      0,
      plan.rotateAtMs,
      plan.trustBothAtMs,
      plan.trustNewAtMs,
      windowEndMs,
      plan.totalMs,
    ]
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    )
    assert.equal(new Set(order).size, order.length, 'no two steps fall together')
  }
})
