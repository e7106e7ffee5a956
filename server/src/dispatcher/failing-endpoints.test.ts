import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  FAILURES_TOLERATED,
  RATE_FAILING_PER_SECOND,
  RATE_FAILING_TOGETHER_PER_SECOND,
} from '../core/send-rate.ts'
import { createFailingEndpoints, type FailingEndpoints } from './failing-endpoints.ts'

function fail(failing: FailingEndpoints, id: string, times = FAILURES_TOLERATED) {
  for (let n = 0; n < times; n++) failing.note(id, false)
}

/** What claims bring of one of them, and of all. */
function perSecond(failing: FailingEndpoints) {
  const pace = failing.pace()
  assert.ok(pace)
  assert.ok(Number.isInteger(pace.perEndpointMax) && pace.perEndpointMax > 0)
  const ofOne = (pace.perEndpointMax / pace.holdMs) * 1_000
  return { ofOne, ofAll: ofOne * pace.endpointIds.size }
}

test('holds back what has failed some times in a row, until it succeeds', () => {
  const failing = createFailingEndpoints()
  fail(failing, 'a', FAILURES_TOLERATED - 1)
  assert.equal(failing.pace(), undefined)
  failing.note('a', true)
  fail(failing, 'a', FAILURES_TOLERATED - 1)
  assert.equal(failing.pace(), undefined, 'not in a row')
  fail(failing, 'a', 1)
  fail(failing, 'b')
  assert.deepEqual([...(failing.pace()?.endpointIds ?? [])], ['a', 'b'])
  failing.note('a', true)
  assert.deepEqual([...(failing.pace()?.endpointIds ?? [])], ['b'])
  failing.note('b', true)
  assert.equal(failing.pace(), undefined)
})

test('one is claimed as fast as it may be sent to, many share a rate', () => {
  const failing = createFailingEndpoints()
  fail(failing, 'e0')
  assert.equal(perSecond(failing).ofOne, RATE_FAILING_PER_SECOND)
  for (const count of [10, 200, 3_000, 20_000]) {
    for (let n = 0; n < count; n++) fail(failing, `e${n}`)
    const { ofAll } = perSecond(failing)
    assert.ok(Math.abs(ofAll - RATE_FAILING_TOGETHER_PER_SECOND) < 1e-6, `${count}: ${ofAll}`)
  }
})
