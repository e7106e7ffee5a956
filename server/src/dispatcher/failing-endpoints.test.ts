import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import {
  FAILURES_TOLERATED,
  RATE_FAILING_PER_SECOND,
  RATE_FAILING_TOGETHER_PER_SECOND,
} from '../core/send-rate.ts'
import { createFailingEndpoints, type FailingEndpoints } from './failing-endpoints.ts'

let now = 0
let failing: FailingEndpoints

beforeEach(() => {
  now = 0
  failing = createFailingEndpoints({ monotonic: () => now })
})

function fail(id: string, times = FAILURES_TOLERATED) {
  for (let n = 0; n < times; n++) failing.note(id, false)
}

function isHeld(id: string): boolean {
  return failing.pace()?.endpointIds.has(id) ?? false
}

/** What claims bring of each. */
function perSecond(): number {
  const pace = failing.pace()
  assert.ok(pace)
  assert.ok(Number.isInteger(pace.perEndpointMax) && pace.perEndpointMax > 0)
  return (pace.perEndpointMax / pace.holdMs) * 1_000
}

test('holds back what has failed some times in a row, until it succeeds', () => {
  fail('a', FAILURES_TOLERATED - 1)
  assert.equal(failing.pace(), undefined)
  failing.note('a', true)
  fail('a', FAILURES_TOLERATED - 1)
  assert.equal(failing.pace(), undefined, 'not in a row')
  fail('a', 1)
  fail('b')
  assert.deepEqual([isHeld('a'), isHeld('b'), isHeld('c')], [true, true, false])
  failing.note('a', true)
  assert.deepEqual([isHeld('a'), isHeld('b')], [false, true])
  failing.note('b', true)
  assert.equal(failing.pace(), undefined)
})

test('one is claimed as fast as it may be sent to, many share a rate', () => {
  fail('e0')
  assert.equal(perSecond(), RATE_FAILING_PER_SECOND)
  for (const count of [25, 200, 3_000, 20_000]) {
    for (let n = 0; n < count; n++) fail(`e${n}`)
    const ofAll = perSecond() * count
    assert.ok(Math.abs(ofAll - RATE_FAILING_TOGETHER_PER_SECOND) < 1e-6, `${count}: ${ofAll}`)
  }
})

test('who was not tried for a while takes nothing from the others, and fails on when it is', () => {
  for (let n = 0; n < 200; n++) fail(`e${n}`)
  const amongMany = perSecond()
  now += 60_001
  fail('e7', 1)
  assert.equal(perSecond(), RATE_FAILING_PER_SECOND)
  assert.deepEqual([isHeld('e7'), isHeld('e8')], [true, false])
  for (let n = 0; n < 200; n++) fail(`e${n}`, 1)
  assert.equal(perSecond(), amongMany)
})
